"""Faults around the app's own provider: every check passes and fails as it must, in this process and in the app's."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from claims import endpoint as endpoint_module
from claims.endpoint import Endpoint
from claims.provider import Provider
from claims.provider_module import configure
from claims.settings.settings import Settings
from selftest.base.program import PROGRAM
from selftest.checks import REGISTRY
from selftest.checks.bench.variant import BY_POLICY, GIVEN, VariantPolicy
from selftest.checks.faults.injected import INJECTED, correlation_id_with, fault_of, with_faults
from selftest.checks.runner import run_checks
from selftest.cli import main
from selftest.contract import is_guid
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings
from selftest.report.results import CheckResult
from tests.checkout import copied_app
from tests.selftest.checks.planted_fault import GOOD, PlantedFault
from tests.selftest.checks.policy_faults import PROVIDER_FAULTS
from tests.selftest.checks.served_endpoint import ServedEndpoint, serve_endpoint

BUDGET_MS = 400
IDS = [name for name, check in REGISTRY.items() if check.variant == GIVEN]

pytestmark = pytest.mark.waits


def _with_faults(environ: dict[str, str]) -> tuple[Settings, Provider]:
    settings, provider = configure(environ)
    return settings, with_faults(provider)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def one_endpoint_a_policy(request: pytest.FixtureRequest) -> AsyncIterator[ServedEndpoint]:
    """Return an endpoint in this process whose provider fails as told, with one policy."""
    given = {"Claims__OnFailure": request.param, "Claims__BudgetMs": str(BUDGET_MS)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint_module, "configure", _with_faults)
        patch.setenv("Claims__BudgetMs", str(BUDGET_MS))
        async with EntraServer() as entra:
            endpoint = Endpoint.from_env({**endpoint_settings(entra), **given})
            async with serve_endpoint(entra, endpoint) as served:
                served.env = replace(served.env, variant=GIVEN.as_given(given), provider="sample")
                yield served


async def outcome(served: ServedEndpoint, check_id: str, fault: PlantedFault) -> CheckResult:
    """Run one check against the endpoint with this fault."""
    served.fault = fault
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], served.env)]
    return result


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("served", "policy", "check_id"),
    [(policy, policy, name) for policy in BY_POLICY for name in IDS],
    indirect=["served"],
)
async def test_holds_and_fails(served: ServedEndpoint, policy: VariantPolicy, check_id: str) -> None:
    """A check distinguishes the valid endpoint from one that ignores policy, deadline or code, or shows a message."""
    good = await outcome(served, check_id, GOOD)
    assert good.status == "pass", good.actual
    bad = await outcome(served, check_id, PROVIDER_FAULTS[policy][check_id](DownstreamServer()))
    assert bad.status == "fail", bad.actual


def test_a_correlation_id_names_its_fault() -> None:
    """The id is one that an endpoint takes, and no other id names a fault."""
    for fault in INJECTED:
        assert is_guid(correlation_id_with(fault))
        assert fault_of(correlation_id_with(fault)) == fault
    assert fault_of("55555555-5555-4555-8555-555555555555") is None


async def test_optional_members_stay_those_of_the_provider() -> None:
    """A provider without default claims has none, and one with a start is started."""

    class Starting:
        claim_names = frozenset({"Region"})

        def start(self) -> None:
            """Prepare."""

        async def provide(self, event: object, context: object) -> dict[str, object]:
            """Return nothing."""
            del event, context
            return {}

    wrapped = with_faults(Starting())
    assert vars(wrapped).keys() == {"provide", "start", "claim_names"}


MINE = """
from claims.provider_module import PROVIDER  # an import of the app's own, from the wrapped module


class Provider:
    async def provide(self, event, context):
        return {"Mine": PROVIDER}


def create(environ):
    return Provider()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a folder with the app of this checkout and one more provider."""
    return copied_app(tmp_path, mine=MINE)


def checked(app: Path, *words: str) -> dict[str, Any]:
    """Run checks against an app in a folder, and return the results."""
    main(["check", "--app", str(app), "--json", str(app / "results.json"), *words])
    results: dict[str, Any] = json.loads((app / "results.json").read_text())
    return results


#: What a skip says to type.
TO_PLAY = re.compile(rf"set no Claims__Provider: `{re.escape(PROGRAM)} (.+?)`")


def test_check_plays_them_around_the_named_provider(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy and the budget are the given ones, the header says so, and the downstream's faults are skips."""
    words = ["Claims__Provider=mine", "Claims__OnFailure=omit", "Claims__BudgetMs=700"]
    settings = [word for setting in words for word in ("--setting", setting)]
    results = checked(app, "F101", "F103", "F11", "F95", "F94", *settings)
    assert results["target"]["mode"].endswith(
        "; Claims__Provider=mine, faults around it with Claims__OnFailure=omit, Claims__BudgetMs=700"
    )
    found = {check["id"]: check for check in results["checks"]}
    assert {name: check["status"] for name, check in found.items()} == {
        **dict.fromkeys(("F101", "F103", "F94"), "pass"),
        **dict.fromkeys(("F11", "F95"), "skip"),
    }
    assert "X-Claims-Outcome: omitted" in found["F101"]["expected"]
    assert "within 700 ms" in found["F101"]["expected"]
    assert "Claims__Provider=mine does not call the HTTP API that fails here" in found["F11"]["actual"]
    assert "the fixture loopback_api is an API that fails for it" in found["F11"]["actual"]
    (played,) = TO_PLAY.findall(found["F11"]["actual"])
    assert found["F95"]["actual"] == found["F11"]["actual"], "one line in the report"
    capsys.readouterr()
    assert main([*played.split(), "--list"]) == 0
    assert {"F11", "F95"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_the_typed_command_plays_what_was_skipped(app: Path) -> None:
    """The skip says to leave the setting out: the built-in provider then meets the fault."""
    (check,) = checked(app, "F11")["checks"]
    assert check["status"] == "pass", check["actual"]


def test_without_a_provider_nothing_is_injected(app: Path) -> None:
    """An app without the module that Claims__Provider names by default has a visible skip."""
    (app / "claims/providers/sample.py").rename(app / "claims/providers/other.py")
    (app / "function_app.py").write_text(
        (app / "function_app.py").read_text().replace("os.environ,", '{**os.environ, "Claims__Provider": "other"},')
    )
    (check,) = checked(app, "F101")["checks"]
    assert (check["status"], "has no module in claims/providers/" in check["actual"]) == ("skip", True)

"""The checks of several instances: when they are played, what they need, that each passes and can fail."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.checks import REGISTRY, Check, CheckOutcome
from selftest.checks.bench import redis_server, several_instances
from selftest.checks.bench.environment import STARTABLE, CheckEnvironment
from selftest.checks.bench.redis_server import free_port, has_client, running_redis
from selftest.checks.bench.target_environment import open_variant
from selftest.checks.bench.variant import BY_POLICY, NOT_SHARING, SHARING, AppVariant
from selftest.checks.instances import outage
from selftest.checks.instances.sign_ins import SignInTally
from selftest.checks.runner import run_checks
from selftest.cli import main
from selftest.report.results import CheckResult
from selftest.testing.loopback_api import LoopbackApi
from tests.checkout import ROOT, copied_app
from tests.claims.shared_cache.real_redis import needs_redis
from tests.selftest.checks.instance_faults import INSTANCE_FAULTS
from tests.selftest.checks.served_endpoint import open_served_endpoint

#: A longer outage for a longer test.
OUTAGE_S: Final = float(os.environ.get("STRESS_DURATION_S", outage.OUTAGE_S))
IDS: Final = [name for name, check in REGISTRY.items() if "instances" in check.needs]


def checked(folder: Path, *words: str) -> dict[str, Any]:
    """Run checks against the app of this checkout, or another endpoint, and return each result by its id."""
    main(["check", "--app", str(ROOT), "--app-python", sys.executable, "--json", str(folder / "found.json"), *words])
    return {check["id"]: check for check in json.loads((folder / "found.json").read_text())["checks"]}


def test_the_group_is_that_of_the_letter() -> None:
    """The letter and the need name the same checks."""
    assert IDS == ["I01", "I02", "I03", "I04"] == [name for name in REGISTRY if name.startswith("I")]


def test_page_shows_what_is_played() -> None:
    """docs/tool.md has the line of each, as the report writes it."""
    page = (ROOT / "docs/tool.md").read_text()
    shown = re.findall(r"^ok    (I\d\d  .+?): ", page, re.MULTILINE)
    assert shown == [f"{name}  {REGISTRY[name].title}" for name in sorted(IDS)]


def test_losses_say_how_many_users_have_them() -> None:
    """All of one user's and one of each user's have other causes."""
    tally = SignInTally()
    assert str(tally) == "0 of 0 sign-ins lost"
    tally.total, tally.losers = 1234, {"a"}
    tally.reasons.update({"1003027 Late": 18, "another": 1})
    assert str(tally) == "19 of 1,234 sign-ins lost, of 1 user; mostly 1003027 Late"
    tally.losers.add("b")
    assert ", of 2 users; " in str(tally)


def test_they_are_a_skip_for_who_names_them_without_the_flag(tmp_path: Path) -> None:
    """Nothing is started then, and the reason names the flag."""
    found = checked(tmp_path, "I")
    assert {check_id: (each["status"], each["actual"]) for check_id, each in found.items()} == dict.fromkeys(
        IDS, ("skip", "one instance of the app was started; several need the local app and --instances 3")
    )


def test_they_are_left_out_of_a_run_that_does_not_ask_for_them(tmp_path: Path, loopback_api: LoopbackApi) -> None:
    """Whatever becomes of the run: its counts are those of one instance."""
    loopback_api.answers(b"", status=401, headers={"WWW-Authenticate": "Bearer"})
    found = checked(tmp_path, "--url", loopback_api.url)
    assert not found.keys() & set(IDS)
    assert found.keys() > {"C01", "F11"}


def test_an_endpoint_elsewhere_has_instances_of_its_own(
    capsys: pytest.CaptureFixture[str], loopback_api: LoopbackApi
) -> None:
    """The flag with --url is refused, and not ignored."""
    assert main(["check", "I", "--url", loopback_api.url, "--instances", "3"]) == 2
    assert "--instances is for the local app" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("server", "client", "reason"),
    [
        (None, True, "there is no redis-server to share; install it (Debian: apt-get install redis-server)"),
        ("redis-server", False, "the app's Python has no client for a shared cache; install the package redis into it"),
    ],
)
def test_what_a_shared_cache_needs_is_a_skip_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str | None, reason: str, *, client: bool
) -> None:
    """Without Redis or its client, the checks that share one are not played."""

    async def found_client(_: Path) -> bool:
        return client

    monkeypatch.setattr(several_instances, "REDIS_SERVER", server)
    monkeypatch.setattr(several_instances, "has_client", found_client)
    found = checked(tmp_path, "I01", "I03", "I04", "--instances", "3")
    assert [(each["status"], each["actual"].startswith(reason)) for each in found.values()] == 3 * [("skip", True)]


async def test_the_client_is_looked_for_in_the_app_s_python(tmp_path: Path) -> None:
    """Its exit code says whether it finds the packages."""
    assert await has_client(Path(sys.executable))
    without = tmp_path / "python"
    without.write_text("#!/bin/sh\nexit 1\n")
    without.chmod(0o700)
    assert not await has_client(without)


async def test_a_redis_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not installed, or ends at once."""
    monkeypatch.setattr(redis_server, "REDIS_SERVER", "/bin/false")
    with pytest.raises(CannotRun, match="redis-server ended with exit code 1"):
        async with running_redis(free_port()):
            pass
    monkeypatch.setattr(redis_server, "REDIS_SERVER", None)
    with pytest.raises(CannotRun, match="not installed"):
        async with running_redis(free_port()):
            pass


async def test_several_instances_have_the_machine_to_themselves() -> None:
    """They start when all other variants have ended, one variant after the other."""
    running: set[str] = set()
    met: list[set[str]] = []

    @asynccontextmanager
    async def opened(variant: AppVariant) -> AsyncIterator[CheckEnvironment]:
        running.add(variant.name)
        yield replace(served.env, variant=variant)
        running.remove(variant.name)

    async def passes(env: CheckEnvironment) -> CheckOutcome:
        met.append({*running})
        await env.sleep(0.01)
        return CheckOutcome(status="pass", expected="", actual="")

    def played_with(variant: AppVariant, number: int) -> Check:
        return replace(REGISTRY["C01"], id=f"I{number}", variant=variant, run=passes)

    variants = [SHARING, NOT_SHARING, BY_POLICY["fail"], BY_POLICY["omit"]]
    async with open_served_endpoint() as served:
        checks = [played_with(variant, number) for number, variant in enumerate(variants, start=10)]
        assert len([result async for result in run_checks(checks, served.env, open_variant=opened)]) == 4
    assert met[2:] == [{SHARING.name}, {NOT_SHARING.name}]
    assert met[1] == {"on failure: fail", "on failure: omit"}


type Play = Callable[..., Awaitable[list[CheckResult]]]


@pytest.fixture(name="play")
def player(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return what plays checks with three instances of an app."""
    monkeypatch.setattr(outage, "OUTAGE_S", OUTAGE_S)

    async def play(variant: AppVariant, *ids: str, app: Path = ROOT) -> list[CheckResult]:
        async with open_variant(DEFAULT_TENANT, AppFolder.at(app, Path(sys.executable)), variant) as env:
            assert env.startable == STARTABLE
            return [result async for result in run_checks([REGISTRY[each] for each in ids], env)]

    return play


@needs_redis
async def test_a_user_is_known_by_the_key_and_not_by_the_number_of_keys() -> None:
    """The reply of another call may arrive last: it must not count for a user whose reply is still on its way."""
    async with running_redis(port := free_port()) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"SET claims:tenant:user-1:app x\r\nSET claims:tenant:another:app x\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        assert await server.has_keys_of(["user-1"])
        assert not await server.has_keys_of(["user-1", "user-2"])
        writer.close()


@pytest.mark.nightly
@needs_redis
async def test_they_pass_with_a_shared_cache(play: Play) -> None:
    """No known user loses a sign-in: in an outage with restarts, with a slow API, and without Redis."""
    for result in await play(SHARING, "I01", "I03", "I04"):
        assert result.status == "pass", result
        assert re.match(r"0 of [\d,]+ sign-ins lost", result.actual)


@pytest.mark.nightly
async def test_losses_without_a_shared_cache_are_shown(play: Play) -> None:
    """They are no failure: each instance sends what it knows itself, and a new one knows nobody."""
    (result,) = await play(NOT_SHARING, "I02")
    assert result.status == "pass", result
    said = r"0 of 3 sign-ins lost; an outage with restarts costs without a shared cache: ([\d,]+) of ([\d,]+) .+"
    lost = re.fullmatch(said, result.actual)
    assert lost is not None, result.actual
    some, of_all = (int(number.replace(",", "")) for number in lost.groups())
    assert 13 < some < of_all


@pytest.mark.nightly
@pytest.mark.parametrize("check_id", [pytest.param(each, marks=needs_redis) if each == "I04" else each for each in IDS])
async def test_each_can_fail(play: Play, tmp_path: Path, check_id: str) -> None:
    """With its planted fault it finds lost sign-ins."""
    fault = INSTANCE_FAULTS[check_id]
    app = copied_app(tmp_path)
    with (app / "function_app.py").open("a") as file:
        file.write(fault.code)
    (result,) = await play(fault.variant, check_id, app=app)
    assert result.status == "fail", result

"""The compiler, and what it makes of this checkout and of copies with one mistake each; all of it once a session."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from infra import bicep
from infra.bicep import HOW_TO_GET_IT, CompilerError, Diagnostic, build, find_compiler
from tests.infra import kusto
from tests.infra.checkout import APP, ROOT, Checkout, copy, templates
from tests.infra.compiler_mistakes import COMPILER_MISTAKES
from tests.infra.mistake import Mistake
from tests.infra.our_mistakes import OUR_MISTAKES

MISTAKES: Final = (*COMPILER_MISTAKES, *OUR_MISTAKES)
#: Where it may lie next to the checkout.
_BESIDE: Final = ROOT.parent / "shared" / "tools" / "bicep" / "bicep"
_GUID: Final = "11111111-1111-4111-8111-111111111111"
#: The name of the file in a copy that the compiler is asked about.
_JUDGED: Final = "judged"
_TRUST: Final = f"""
param authorityUrl = 'https://login.microsoftonline.com/{_GUID}'
param audienceAppId = '{_GUID}'
"""
_VAULT: Final = "https://vault-of-mine.vault.azure.net/secrets"
#: Each switch of main.bicep that changes what is deployed, turned from its default.
_SWITCHES: Final = {
    "alert-email": "param alertEmail = 'people@contoso.example'",
    "client-secret": f"""
param credential = 'client-secret'
param credentialTenantId = '{_GUID}'
param credentialClientId = '{_GUID}'
param clientSecretUri = '{_VAULT}/app'""",
    "expect-traffic": "param expectTraffic = true",
    "log-cap": "param dailyLogCapGb = 5",
    "network": "param virtualNetwork = true",
    "outer-layer": "param appServiceAuthentication = true",
    "public-host": "param publicHost = 'claims.contoso.example'",
    "settings": f"""
param settings = {{ Claims__BudgetMs: '1400', Claims__OnFailure: '' }}
param providerSettings = {{ Claims__Own__Region: 'eu' }}
param tableConnectionStringUri = '{_VAULT}/table'""",
    "zones": "param zoneRedundant = true",
}
#: What is deployed: with azd's environment as `azd env new` leaves it, with the least that works, with switches on.
DEPLOYMENTS: Final = {
    "bare": "",
    "least": _TRUST,
    **{name: f"{_TRUST}{text}" for name, text in _SWITCHES.items()},
    "everything": _TRUST + "\n".join(_SWITCHES.values()),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A copy of the checkout with one mistake.

    Attributes:
        checkout: The copy.
        diagnostics: What the compiler reports about it.
    """

    checkout: Checkout
    diagnostics: list[Diagnostic]


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment as the compiler predicts it.

    Attributes:
        name: One of `DEPLOYMENTS`.
        resources: What is deployed; a value that only Azure knows is an expression in brackets.
        diagnostics: What the compiler could not predict.
        outputs: What azd writes into its environment.
    """

    name: str
    resources: list[dict[str, Any]]
    diagnostics: list[Any]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the resources of a type."""
        return [resource for resource in self.resources if resource["type"] == kind]

    @property
    def app(self) -> Any:
        """The properties of the function app."""
        (app,) = self.of(APP)
        return app["properties"]

    @property
    def settings(self) -> dict[str, str]:
        """The app settings, by name; the value of one that only Azure knows is an expression."""
        return {setting["name"]: setting["value"] for setting in self.app["siteConfig"]["appSettings"]}


@pytest.fixture(scope="session")
def found_compiler() -> Path | None:
    """Return the Bicep compiler, or None where there is none."""
    return find_compiler(os.environ, _BESIDE)


@pytest.fixture(scope="session")
def compiler(found_compiler: Path | None) -> Path:
    """Return the Bicep compiler, or skip."""
    if found_compiler is None:
        pytest.skip(f"there is no Bicep compiler: {HOW_TO_GET_IT}")
    return found_compiler


@pytest.fixture(scope="session")
def compiled(compiler: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Return this checkout, compiled."""
    out = tmp_path_factory.mktemp("compiled")
    diagnostics = build(compiler, copy(tmp_path_factory.mktemp("checkout")) / "infra", "**/*.bicep", out)
    return Planted(Checkout(templates=templates(out)), diagnostics)


@pytest.fixture(scope="session")
def main_template(compiled: Planted) -> Any:
    """Return the template of ``main.bicep``."""
    return compiled.checkout.templates["main"]


def _snapshot(compiler: Path, parameters: Path, **where: str) -> dict[str, Any]:
    """Return the resources that a deployment would have, evaluated on this machine.

    ``where`` is what the deployment's functions return: ``subscription_id``, ``tenant_id``, ``location``.
    """
    flags = [part for name, value in where.items() for part in (f"--{name.replace('_', '-')}", value)]
    done = bicep._run(compiler, ("snapshot", parameters.name, "--mode", "overwrite", *flags), parameters.parent)
    if done.returncode:
        raise CompilerError(f"bicep snapshot ended with {done.returncode}: {done.stderr.strip()[:300]}")
    predicted: dict[str, Any] = json.loads(parameters.with_suffix(".snapshot.json").read_text(encoding="utf-8"))
    return predicted


@pytest.fixture(scope="session")
def plans(compiler: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Plan]:
    """Return a function that predicts one of `DEPLOYMENTS`."""

    @cache
    def predicted(name: str) -> Plan:
        parameters = copy(tmp_path_factory.mktemp(name)) / "infra" / "deployment.bicepparam"
        text = "using 'main.bicep'\nparam environmentName = 'claims-test'\nparam location = 'westeurope'\n"
        parameters.write_text(text + DEPLOYMENTS[name] + "\n", encoding="utf-8")
        result = _snapshot(compiler, parameters, subscription_id=_GUID, tenant_id=_GUID, location="westeurope")
        return Plan(name, result["predictedResources"], result["diagnostics"], result.get("outputs", {}))

    return predicted


@pytest.fixture
def plan(plans: Callable[[str], Plan]) -> Plan:
    """Return the deployment with the least that has to be set."""
    return plans("least")


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.nightly if name in _SWITCHES else ()) for name in DEPLOYMENTS]
)
def deployment(request: pytest.FixtureRequest, plans: Callable[[str], Plan]) -> Plan:
    """Return one deployment."""
    return plans(request.param)


@pytest.fixture(scope="session")
def planted(
    found_compiler: Path | None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Planted]:
    """Return a copy of the checkout for each mistake; all of them are compiled in one process."""
    top, out = tmp_path_factory.mktemp("planted"), tmp_path_factory.mktemp("planted-out")
    roots = {mistake.name: copy(top / f"{number:02}") for number, mistake in enumerate(MISTAKES)}
    for mistake in MISTAKES:
        _plant(mistake, roots[mistake.name])
    if kusto.why_not() is None:
        kusto.prepare(query for root in roots.values() for query in Checkout(root).queries().values())
    found, good = [], {}
    if found_compiler is not None:
        good = request.getfixturevalue("compiled").checkout.templates
        found = build(found_compiler, top, f"**/{_JUDGED}.bicep", out)
    return {
        mistake.name: Planted(
            Checkout(root, _changed(good, mistake, root, out / root.name / "infra" / f"{_JUDGED}.json")),
            [one for one in found if one.file.is_relative_to(root)],
        )
        for mistake, root in zip(MISTAKES, roots.values(), strict=True)
    }


def _plant(mistake: Mistake, root: Path) -> None:
    path = root / mistake.file
    text = path.read_text(encoding="utf-8")
    assert mistake.old in text, f"{mistake.name}: {mistake.file} does not have {mistake.old!r}"
    path.write_text(text.replace(mistake.old, mistake.new, 1), encoding="utf-8")
    if mistake.is_bicep:
        shutil.copyfile(path, path.with_name(f"{_JUDGED}.bicep"))


def _changed(good: Mapping[str, Any], mistake: Mistake, root: Path, compiled: Path) -> Mapping[str, Any]:
    """Return the templates of a copy: the good ones, with the one file that is broken in its place."""
    if not good or not (mistake.is_bicep or mistake.file.endswith(".kql")):
        return good
    if not mistake.is_bicep:
        old, new = (json.dumps((folder / mistake.file).read_text(encoding="utf-8")) for folder in (ROOT, root))
        changed: Mapping[str, Any] = json.loads(json.dumps(good).replace(old, new))
        return changed
    if not compiled.exists():
        return good
    template = json.loads(compiled.read_text(encoding="utf-8"))
    if mistake.file == "infra/main.bicep":
        return {**good, "main": template}
    main = json.loads(json.dumps(good["main"]))
    main["resources"][Path(mistake.file).stem]["properties"]["template"] = template
    return {**good, "main": main}

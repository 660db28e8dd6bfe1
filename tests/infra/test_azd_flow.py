"""`azd up` to `azd down`, played from azd's source with Bicep's compiler and an emulated Graph."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from infra import preflight
from infra.azd_hook import commands
from infra.parameters import read_parameters, resolve
from selftest.cli import parser
from selftest.commands import objects, objects_session
from selftest.tenant.objects import azd_environment, tenants
from selftest.tenant.objects.wait_times import WaitTimes
from tests.emulated_graph.server import GraphServer
from tests.infra.azd import Azd, HookError, MissingInputsError
from tests.infra.checkout import APP, ROOT, copy
from tests.infra.conftest import _snapshot
from tests.selftest.tenant.graph.wiring import bare_tenant

_AT_ONCE: Final = WaitTimes(settle_s=0.0, doubt_s=0.0, between_s=0.0, validate_s=0.0)
_TENANT: Final = "11111111-1111-4111-8111-111111111111"
_SUBSCRIPTION: Final = "99999999-9999-4999-8999-999999999999"
_ELSEWHERE: Final = "22222222-2222-4222-8222-222222222222"
_HOST: Final = "func-claims-abc-d1e2f3.westeurope-01.azurewebsites.net"
_AUTHORITY: Final = "AuthenticationEvents__AuthorityUrl"
_PARAMETERS: Final = ROOT / "infra/main.parameters.json"


class Subscription:
    """Deploys by predicting: the app settings of the last deployment, and how many deployments there were."""

    def __init__(self, compiler: Path, folder: Path) -> None:
        """Predict with a compiler, in a copy of the checkout."""
        self._compiler = compiler
        self._infra = copy(folder) / "infra"
        self.settings: dict[str, str] = {}
        self.deployments = 0

    def deploy(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs; what only Azure knows has a value of its own."""
        file = self._infra / f"deployment{self.deployments}.bicepparam"
        lines = [f"param {name} = {_literal(value)}\n" for name, value in values.items()]
        file.write_text("using 'main.bicep'\n" + "".join(lines), encoding="utf-8")
        where = {"subscription_id": _TENANT, "tenant_id": _TENANT, "location": str(values["location"])}
        predicted = _snapshot(self._compiler, file, **where)
        assert predicted["diagnostics"] == []
        (app,) = [one for one in predicted["predictedResources"] if one["type"] == APP]
        self.settings = {one["name"]: one["value"] for one in app["properties"]["siteConfig"]["appSettings"]}
        self.deployments += 1
        known = {name: value for name, value in predicted["outputs"].items() if not str(value).startswith("[")}
        return {**dict.fromkeys(predicted["outputs"], "known-to-azure"), "ENDPOINT_HOST": _HOST, **known}


class Hooks:
    """Runs the commands of `infra.azd_hook`, with Microsoft Graph emulated and nothing packaged."""

    def __init__(self, graph_url: str) -> None:
        """Run the commands that need Microsoft Graph against this one."""
        self._graph = ("--graph-url", graph_url)
        self.ran: list[str] = []
        self.signed_in: list[tuple[str, str]] = []

    def run(self, name: str, dotenv: Mapping[str, str]) -> int:
        """Return the exit code of the first command that fails, or 0."""
        self.ran.append(name)
        for module, *arguments in commands(name, dotenv):
            code = 0
            if module == "infra.preflight":
                code = preflight.main(arguments, dotenv)
            elif module == objects_session.__name__:
                self.signed_in.append((name, arguments[0]))
                words = parser().parse_args(["objects", *arguments[1:], *self._graph])
                code = objects.run(words, dict(dotenv), _AT_ONCE)
            if code:
                return code
        return 0


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{\n" + "".join(f"  {name}: {_literal(member)}\n" for name, member in value.items()) + "}"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def azure(compiler: Path, tmp_path: Path) -> Subscription:
    """Return a subscription with nothing in it."""
    return Subscription(compiler, tmp_path)


@pytest.fixture
def new(
    main_template: Any, azure: Subscription, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Hooks], Azd]:
    """Return `azd env new dev`, in a folder that has no other environment."""
    monkeypatch.chdir(tmp_path)

    def made(hooks: Hooks) -> Azd:
        given = read_parameters(_PARAMETERS)
        dotenv = {"AZURE_ENV_NAME": "dev", "AZURE_SUBSCRIPTION_ID": _SUBSCRIPTION}
        azd = Azd(main_template["parameters"], given, azure.deploy, hooks.run, dotenv)
        azd.answers = {"location": "westeurope"}
        monkeypatch.setattr(azd_environment, "set_app_id", lambda _, app_id: azd.dotenv.update(ENTRA_API_APP_ID=app_id))
        return azd

    return made


def _registrations(server: GraphServer) -> list[str]:
    return [one["appId"] for one in server.directory.export()["applications"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What there is before the first `azd up`.

    Attributes:
        authority: The authority setting.
        subscription_tenant: The tenant that Azure Resource Manager names; None: it names none.
        set: What the page for this case has a person set besides.
        adopted: Whether the app registration exists and is named.
    """

    authority: str = f"https://login.microsoftonline.com/{_TENANT}"
    subscription_tenant: str | None = _TENANT
    set: Mapping[str, str] = field(default_factory=dict)
    adopted: bool = False


_CASES: Final = {
    "one tenant": Case(),
    "another tenant": Case(
        authority=f"https://contoso.ciamlogin.com/{_TENANT}",
        subscription_tenant=_ELSEWHERE,
        set={"ENTRA_TENANT_ID": _TENANT},
    ),
    "existing registration": Case(adopted=True),
}


def _in_tenant(tenant_id: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Azure Resource Manager name the subscription's tenant."""

    async def named(_url: str) -> str | None:
        return tenant_id

    monkeypatch.setattr(tenants, "_tenant_of", named)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=() if case == Case() else pytest.mark.nightly) for name, case in _CASES.items()],
)
async def test_from_nothing_to_nothing(
    case: Case, azure: Subscription, new: Callable[[Hooks], Azd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question, one registration; a change of a setting and a second `up` lose nothing; `down` keeps the id."""
    _in_tenant(case.subscription_tenant, monkeypatch)
    async with GraphServer(bare_tenant()) as server:
        others = _registrations(server)
        hooks = Hooks(server.url)
        azd = new(hooks)
        azd.dotenv |= {_AUTHORITY: case.authority, **case.set}
        if case.adopted:
            body = {"displayName": "Theirs", "signInAudience": "AzureADMyOrg"}
            azd.dotenv["ENTRA_API_APP_ID"] = server.writer.create("applications", body)["appId"]
        mine = set(azd.dotenv)
        await asyncio.to_thread(azd.up)
        assert azd.asked == ["location"]
        assert hooks.signed_in == [("preprovision", "keep"), ("postdeploy", "end")]
        (app_id,) = (one for one in _registrations(server) if one not in others)
        first = azure.settings
        assert first["AuthenticationEvents__AudienceAppId"] == app_id == azd.dotenv["ENTRA_API_APP_ID"]
        assert (first[_AUTHORITY], azd.dotenv["MISSING_SETTINGS"]) == (case.authority, "")
        (extension,) = server.directory.export()["customAuthenticationExtensions"]
        assert extension["authenticationConfiguration"]["resourceId"] == f"api://{_HOST}/{app_id}"
        tenant = server.directory.export()
        await asyncio.to_thread(azd.up)
        assert (azure.deployments, server.directory.export()) == (1, tenant)
        assert hooks.signed_in[2:] == [("postdeploy", "end")]
        azd.dotenv["Claims__BudgetMs"] = "1400"
        await asyncio.to_thread(azd.provision)
        assert azure.settings == {**first, "Claims__BudgetMs": "1400"}
        assert (len(hooks.signed_in), server.directory.export()) == (3, tenant)
        await asyncio.to_thread(azd.down)
        assert azd.dotenv.keys() == mine | {"AZURE_LOCATION", "ENTRA_API_APP_ID", "Claims__BudgetMs"}
        await asyncio.to_thread(azd.up)
        assert (azd.asked, server.directory.export()) == (["location"], tenant)


async def test_a_subscription_of_another_tenant_is_no_accident(
    azure: Subscription,
    new: Callable[[Hooks], Azd],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is made it stops, and says what to type."""
    _in_tenant(_ELSEWHERE, monkeypatch)
    async with GraphServer(bare_tenant()) as server:
        azd = new(Hooks(server.url))
        azd.dotenv[_AUTHORITY] = f"https://contoso.ciamlogin.com/{_TENANT}"
        with pytest.raises(HookError, match="preprovision exited with 2"):
            await asyncio.to_thread(azd.up)
        assert (server.writes, azure.deployments) == ([], 0)
    assert f"azd env set ENTRA_TENANT_ID {_TENANT}" in capsys.readouterr().err


async def test_a_registration_is_found_again(
    azure: Subscription, new: Callable[[Hooks], Azd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment was lost, or is on another machine: its name is enough."""
    _in_tenant(None, monkeypatch)
    async with GraphServer(bare_tenant()) as server:
        others = _registrations(server)
        for _ in range(2):
            azd = new(Hooks(server.url))
            azd.dotenv[_AUTHORITY] = f"https://login.microsoftonline.com/{_TENANT}"
            await asyncio.to_thread(azd.up)
        assert [*others, azure.settings["AuthenticationEvents__AudienceAppId"]] == _registrations(server)


async def test_a_bare_environment(azure: Subscription, new: Callable[[Hooks], Azd]) -> None:
    """A preview shows the app without a hook; `up` stops before anything is made, and asks for nothing it could not."""
    async with GraphServer(bare_tenant()) as server:
        hooks = Hooks(server.url)
        azd = new(hooks)
        assert azd.preview()["MISSING_SETTINGS"].split(",") == [_AUTHORITY, "AuthenticationEvents__AudienceAppId"]
        assert (azd.asked, hooks.ran, azure.settings["Claims__Credential"]) == (["location"], [], "managed-identity")
        with pytest.raises(HookError, match="preprovision exited with 1"):
            await asyncio.to_thread(azd.up)
        assert (server.writes, hooks.ran, azure.deployments) == ([], ["preprovision"], 1)


def test_without_prompts_the_region_has_to_be_there(new: Callable[[Hooks], Azd]) -> None:
    """A pipeline sets it; everything else is optional to azd."""
    azd = new(Hooks("https://graph.invalid"))
    azd.answers = None
    with pytest.raises(MissingInputsError) as missing:
        azd.parameters()
    assert missing.value.args == (["location"],)
    azd.dotenv["AZURE_LOCATION"] = "westeurope"
    assert azd.parameters()["environmentName"] == "dev"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ZONE_REDUNDANT": "T", "LATENCY_THRESHOLD_MS": "+900"},
        {"ZONE_REDUNDANT": "", "LATENCY_THRESHOLD_MS": "", "ALERT_EMAIL": "", "ENTRA_API_APP_ID": ""},
        {"PROVIDER_SETTINGS": '{"Claims__Own__Text": "a\\"b"}', "Claims__Provider": "graph"},
    ],
)
def test_the_preflight_reads_values_as_azd_does(changes: dict[str, str], new: Callable[[Hooks], Azd]) -> None:
    """Two readings of azd's source, written apart, agree on every value that is accepted."""
    azd = new(Hooks("https://graph.invalid"))
    azd.dotenv |= {"AZURE_LOCATION": "westeurope", **changes}
    ours = resolve(azd.declared, azd.given, azd.dotenv)
    defaults = {name: rules["defaultValue"] for name, rules in azd.declared.items() if "defaultValue" in rules}
    assert (ours.problems, ours.values) == ({}, defaults | azd.parameters())

"""The authority's tenant, the sign-in's and the subscription's are compared before the first write."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.base.cannot_run import CannotRun
from selftest.tenant.objects import connection
from selftest.tenant.objects.tenants import require_one_tenant, wanted_tenant
from tests.selftest.tenant.objects.test_command import ENVIRON, graph, run

OURS = "11111111-1111-4111-8111-111111111113"
THEIRS = "11111111-1111-4111-8111-111111111112"
SUBSCRIPTION = "99999999-9999-4999-8999-999999999999"
AUTHORITY = "AuthenticationEvents__AuthorityUrl"
CHALLENGE = f'Bearer authorization_uri="https://login.windows.net/{THEIRS}", error="invalid_token"'


@pytest.mark.parametrize(
    ("environ", "chosen", "wanted"),
    [
        ({}, None, None),
        ({"AZURE_TENANT_ID": OURS}, None, OURS),
        ({"AZURE_TENANT_ID": THEIRS, AUTHORITY: f"https://login.microsoftonline.com/{OURS}"}, None, OURS),
        ({AUTHORITY: f"https://contoso.ciamlogin.com/{OURS.upper()}/v2.0", "ENTRA_TENANT_ID": OURS}, None, OURS),
        ({AUTHORITY: "https://contoso.ciamlogin.com/contoso.onmicrosoft.com"}, OURS, OURS),
        ({AUTHORITY: "", "AZURE_TENANT_ID": ""}, None, None),
    ],
)
def test_the_tenant_that_is_wanted(environ: dict[str, str], chosen: str | None, wanted: str | None) -> None:
    """Flag, environment, authority, and last the tenant that Azure's tools use."""
    assert wanted_tenant(environ, chosen) == wanted


@pytest.mark.parametrize("chosen", [THEIRS, None])
async def test_another_authority_stops_before_the_sign_in(
    chosen: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent, and both tenants are named."""
    environ = {**ENVIRON, AUTHORITY: f"https://login.microsoftonline.com/{OURS}", "ENTRA_TENANT_ID": THEIRS}
    async with graph() as server:
        assert await run(server, "apply", *(("--tenant", chosen) if chosen else ()), environ=environ) == 2
        shown = capsys.readouterr().err
        assert OURS in shown
        assert THEIRS in shown
        assert server.log == []


async def _challenged(header: str, environ: dict[str, str], chosen: str | None = None) -> list[str]:
    """Compare with the subscription's tenant in a challenge; return the paths that were asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=401, headers={"WWW-Authenticate": header} if header else {})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as azure:
        await require_one_tenant(environ, chosen, OURS, management=str(azure.make_url("")).rstrip("/"))
    return asked


async def test_a_subscription_in_another_tenant() -> None:
    """It stops, with the command that says that it is intended; after that nothing is asked."""
    environ = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    with pytest.raises(CannotRun, match=f"azd env set ENTRA_TENANT_ID {OURS}"):
        await _challenged(CHALLENGE, environ)
    assert await _challenged(CHALLENGE.replace(THEIRS, OURS.upper()), environ) == [f"/subscriptions/{SUBSCRIPTION}"]
    assert await _challenged(CHALLENGE, {**environ, "ENTRA_TENANT_ID": OURS}) == []
    assert await _challenged(CHALLENGE, environ, OURS) == []


async def test_what_is_not_known_is_not_compared() -> None:
    """No subscription, no challenge, no answer."""
    environ = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    assert await _challenged(CHALLENGE, {}) == []
    assert await _challenged(CHALLENGE, {"AZURE_SUBSCRIPTION_ID": "../x"}) == []
    assert await _challenged("", environ) == [f"/subscriptions/{SUBSCRIPTION}"]
    await require_one_tenant(environ, None, OURS, management="http://127.0.0.1:9")


async def test_nothing_is_written_in_the_wrong_tenant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison comes before the first write."""

    async def other(url: str) -> str:
        assert url.startswith("https://management.azure.com/subscriptions/")
        return THEIRS

    monkeypatch.setattr("selftest.tenant.objects.tenants._tenant_of", other)
    environ = {**ENVIRON, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, AUTHORITY: f"https://login.microsoftonline.com/{OURS}"}
    async with graph() as server:
        assert await run(server, "apply", environ=environ) == 2
        assert "the subscription is in tenant" in capsys.readouterr().err
        assert server.writes == []
        assert await run(server, "apply", environ={**environ, "ENTRA_TENANT_ID": OURS}) == 0


async def test_a_browser_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """At Microsoft's Graph a person signs in with a browser, unless flag or environment choose another way."""
    chosen: list[str | None] = []

    def opened(_: object, *, credential: str | None, **rest: object) -> None:
        del rest
        chosen.append(credential)
        raise ValueError

    monkeypatch.setattr(connection, "open_graph", opened)
    ways: list[tuple[str | None, dict[str, str]]] = [
        (None, {}),
        (None, {"ENTRA_CREDENTIAL": "azure-cli"}),
        ("device-code", {}),
    ]
    for credential, environ in ways:
        with pytest.raises(ValueError):  # noqa: PT011 - our own
            async with connection.connect(
                environ, credential=credential, tenant_id=None, graph_url=None, permissions=()
            ):
                pass
    assert chosen == ["browser", "azure-cli", "device-code"]

"""MSAL for Python signs users in, as any app with it would: its own cache, its own checks, its own words for errors."""

import asyncio
from typing import Any

import jwt
import msal  # type: ignore[import-untyped] # MSAL ships no types
import pytest

from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.clients.browser import Browser
from tests.clients.extension import Extension, Mood

ORDERS = ["api://orders.sample.example/orders.read"]
CALLBACK = "http://localhost:5000/callback"


class App:
    """An application with MSAL.

    Args:
        key: Which app of the sample tenant it is.
        secret: What it takes for its secret, where that is not the right one.
    """

    def __init__(self, entra: SignInServer, key: str, *, secret: str | None = None) -> None:
        registered = entra.directory.app_named(key)
        assert registered is not None
        options: dict[str, Any] = {
            "authority": entra.sign_in_authority_url,
            # MSAL would ask Microsoft's own cloud about a host that it does not know.
            "instance_discovery": False,
        }
        self.client: Any = (
            msal.PublicClientApplication(registered.client_id, **options)
            if registered.secret is None
            else msal.ConfidentialClientApplication(
                registered.client_id, client_credential=secret or registered.secret, **options
            )
        )

    def sign_in(self, browser: Browser, user: str, *, scopes: list[str], redirect_uri: str = CALLBACK) -> Any:
        """Sign a user in with the code flow, and return MSAL's result."""
        flow = self.client.initiate_auth_code_flow(scopes, redirect_uri=redirect_uri, response_mode="form_post")
        landing = browser.open(flow["auth_uri"], user=user)
        assert landing.fields, landing.text
        return self.client.acquire_token_by_auth_code_flow(flow, landing.fields)


@pytest.fixture
async def portal(entra: SignInServer) -> App:
    """Return the confidential client."""
    return await asyncio.to_thread(App, entra, "portal")


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_confidential_client_gets_both_tokens_enriched(
    portal: App, browser: Browser, extension: Extension, entra: SignInServer
) -> None:
    """The id token has what the app's policy maps, the access token what the API's policy maps."""
    result = await asyncio.to_thread(portal.sign_in, browser, "ada", scopes=ORDERS)
    assert "error" not in result, result
    identity, access = result["id_token_claims"], _claims(result["access_token"])
    assert identity["custom_roles"] == ["Writer", "Editor"]
    assert identity["DateOfBirth"] == "2000-01-01"
    assert identity["environment"] == "emulated"
    assert "correlationid" not in identity  # names keep their case
    assert access["order_roles"] == ["Writer", "Editor"]
    assert "custom_roles" not in access
    assert access["roles"] == ["Orders.Approve"]  # the tenant's; the mapped one is a restricted name
    assert access["scp"] == "orders.read"
    assert extension.audiences == ["Sample orders API", "Sample portal"]
    record = entra.service.log.records[-1]
    assert [callout.verdict.code for callout in record.callouts] == [None, None]
    assert {event["data"]["authenticationContext"]["correlationId"] for event in extension.events} == {
        record.correlation_id
    }
    assert record.minted["id_token"] == identity


async def test_public_client_with_any_port(entra: SignInServer, browser: Browser) -> None:
    """A desktop app signs in with a port of the moment and no secret."""
    desktop = await asyncio.to_thread(App, entra, "desktop")
    result = await asyncio.to_thread(
        desktop.sign_in, browser, "cleo", scopes=["User.Read"], redirect_uri="http://localhost:49152"
    )
    assert result["id_token_claims"]["custom_roles"] == ["Writer", "Editor"]


async def test_silent_renewal_calls_the_extension_again(
    portal: App, browser: Browser, extension: Extension, entra: SignInServer
) -> None:
    """MSAL renews with its refresh token; the new token has the claims of that moment."""
    await asyncio.to_thread(portal.sign_in, browser, "ada", scopes=ORDERS)
    before = len(extension.events)
    account = portal.client.get_accounts()[0]
    renewed = await asyncio.to_thread(
        portal.client.acquire_token_silent_with_error, ORDERS, account=account, force_refresh=True
    )
    assert _claims(renewed["access_token"])["order_roles"] == ["Writer", "Editor"]
    assert len(extension.events) == before + 2
    assert not entra.service.log.records[-1].interactive
    extension.mood = "refusing"
    failed = await asyncio.to_thread(
        portal.client.acquire_token_silent_with_error, ORDERS, account=account, force_refresh=True
    )
    assert failed["error"] == "server_error"
    assert failed["error_codes"] == [1100001]
    assert failed["correlation_id"] == entra.service.log.records[-1].correlation_id


@pytest.mark.parametrize(
    ("mood", "code"), [("slow", 1003005), ("broken", 1003006), ("refusing", 1003002), ("empty", 1003007)]
)
async def test_failed_extension_is_a_failed_sign_in(
    entra: SignInServer, browser: Browser, extension: Extension, mood: Mood, code: int
) -> None:
    """The app gets Entra's error with its state, MSAL passes it on, and the log alone has the code."""
    extension.mood = mood
    impatient = await asyncio.to_thread(App, entra, "impatient")
    result = await asyncio.to_thread(
        impatient.sign_in, browser, "ben", scopes=["User.Read"], redirect_uri="http://localhost:5000/impatient"
    )
    assert result["error"] == "server_error"
    assert result["error_description"].startswith("AADSTS1100001: Non-retryable error has occurred. Trace ID: ")
    record = entra.service.log.records[-1]
    assert record.callouts[0].verdict.code == code
    assert record.correlation_id in result["error_description"]
    assert str(code) not in result["error_description"]


async def test_wrong_secret(entra: SignInServer, browser: Browser) -> None:
    """MSAL hears AADSTS7000215, as it would from Entra."""

    def sign_in() -> Any:
        app = App(entra, "portal", secret="wrong")
        return app.sign_in(browser, "ada", scopes=ORDERS)

    result = await asyncio.to_thread(sign_in)
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215])


async def test_client_credentials(portal: App, extension: Extension) -> None:
    """An app-only token calls no extension."""
    scopes = ["api://orders.sample.example/.default"]
    result = await asyncio.to_thread(portal.client.acquire_token_for_client, scopes=scopes)
    assert _claims(result["access_token"])["azp"] == "77777777-7777-4777-8777-777777777777"
    assert not extension.events


async def test_ten_sign_ins_at_once_have_each_their_own_end(
    entra: SignInServer, ca_file: str, extension: Extension, sample: Directory
) -> None:
    """While the extension fails one user and serves another, nobody gets the other's outcome."""
    people = {key: sample.person(key) for key in ("ada", "ben", "cleo", "dana", "eli")}
    moods: dict[str, Mood] = {"ada": "well", "ben": "refusing", "cleo": "broken", "dana": "well", "eli": "slow"}
    extension.moods = {person.id: moods[key] for key, person in people.items() if person is not None}

    def one(user: str) -> tuple[str, Any]:
        browser = Browser(ca_file)
        app = App(entra, "impatient")
        try:
            return user, app.sign_in(
                browser, user, scopes=["User.Read"], redirect_uri="http://localhost:5000/impatient"
            )
        finally:
            browser.close()

    results = await asyncio.gather(*(asyncio.to_thread(one, user) for user in [*people, *people]))
    for user, result in results:
        person = people[user]
        assert person is not None
        if moods[user] == "well":
            assert result["id_token_claims"]["oid"] == person.id
        else:
            assert result["error"] == "server_error", (user, result)
    codes = {record.person.key: record.callouts[0].verdict.code for record in entra.service.log.records}
    assert codes == {"ada": None, "ben": 1003002, "cleo": 1003006, "dana": None, "eli": 1003005}
    assert len(entra.service.log.records) == 10

"""The token endpoint: each code and each refresh token once, for whom it was meant, while it lasts."""

import base64
from typing import Any

import jwt
import pytest

from selftest.signin.oidc.authorization_codes import CODE_LIFETIME_S
from selftest.signin.oidc.refresh_tokens import LIFETIME_S, SPA_LIFETIME_S
from tests.clients.extension import Extension
from tests.selftest.signin.plain_requests import ORDERS, Asking, Clock

PAGE = "http://localhost:3000"
CORS = "Access-Control-Allow-Origin"


async def _refused(asking: Asking, form: dict[str, str | None], aadsts: int, **headers: str) -> dict[str, Any]:
    status, document, _ = await asking.token(form, headers=headers)
    assert status in {400, 401}, document
    assert document["error_codes"] == [aadsts], document
    return document


async def _code(asking: Asking, app: str = "portal", **changes: str | None) -> str:
    answer = await asking.sign_in("ada", app, **changes)
    return answer.fields["code"]


async def test_response_is_what_the_standards_ask_for(asking: Asking) -> None:
    """A redeemed code returns bearer tokens that are not cached, for the granted scope."""
    status, document, headers = await asking.token(asking.redemption(await _code(asking)))
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert document["token_type"] == "Bearer"
    assert document["expires_in"] == 3599
    assert set(document["scope"].split()) == set(ORDERS.split())
    assert {"access_token", "id_token", "refresh_token"} <= document.keys()


async def test_no_refresh_token_without_offline_access(asking: Asking) -> None:
    """A refresh token requires the scope offline_access."""
    document = await asking.tokens(scope="openid")
    assert "refresh_token" not in document
    assert "id_token" in document


async def test_errors_carry_what_traces_them(asking: Asking) -> None:
    """A refusal has Entra's members, and the client's own correlation id."""
    wanted = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"
    document = await _refused(asking, asking.redemption("made-up"), 9002313, **{"client-request-id": wanted})
    assert document["error"] == "invalid_grant"
    assert document["correlation_id"] == wanted
    assert f"Correlation ID: {wanted}" in document["error_description"]
    assert document["timestamp"] == "2027-01-15 08:00:00Z"
    assert document["trace_id"]


async def test_replayed_code_withdraws_its_tokens(asking: Asking) -> None:
    """A code that comes twice is refused, and what the first one gave is worth nothing more."""
    code = await _code(asking)
    _, first, _ = await asking.token(asking.redemption(code))
    document = await _refused(asking, asking.redemption(code), 54005)
    assert document["error"] == "invalid_grant"
    refresh = {**asking.redemption("x"), "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    await _refused(asking, refresh, 70000)


async def test_code_expires(asking: Asking, clock: Clock) -> None:
    """A code lasts ten minutes and not a second longer."""
    late, in_time = await _code(asking), await _code(asking, prompt="login")
    clock.now_s += CODE_LIFETIME_S
    assert (await asking.token(asking.redemption(in_time)))[0] == 200
    clock.now_s += 1
    await _refused(asking, asking.redemption(late), 70008)


@pytest.mark.parametrize(
    ("changes", "aadsts"),
    [
        ({"code_verifier": "w" * 64}, 501481),
        ({"code_verifier": None}, 501481),
        ({"code_verifier": ""}, 501481),
        ({"redirect_uri": "https://jwt.ms"}, 500112),
        ({"redirect_uri": None}, 900144),
        ({"code": None}, 900144),
        ({"client_secret": "wrong"}, 7000215),
        ({"client_secret": None}, 7000218),
        ({"client_id": "b" * 36}, 700016),
        ({"client_id": None}, 900144),
        ({"grant_type": None}, 900144),
        ({"grant_type": "password"}, 70003),
        ({"scope": "api://nobody/.default"}, 500011),
    ],
)
async def test_wrong_redemption(asking: Asking, changes: dict[str, str | None], aadsts: int) -> None:
    """Each mistake has its number; what is refused for it stays good for its owner."""
    code = await _code(asking)
    await _refused(asking, asking.redemption(code) | changes, aadsts)
    if "scope" not in changes:
        assert (await asking.token(asking.redemption(code)))[0] == 200


async def test_code_of_another_client(asking: Asking) -> None:
    """A code that another app holds is refused, whatever it knows besides."""
    code = await _code(asking)
    other = asking.redemption(code, "impatient", redirect_uri="http://localhost/callback")
    await _refused(asking, other, 700005)


async def test_verifier_without_a_challenge(asking: Asking) -> None:
    """A verifier for a request without a challenge is a sign of a swapped code."""
    code = await _code(asking, code_challenge=None, code_challenge_method=None)
    await _refused(asking, asking.redemption(code), 501481)
    assert (await asking.token(asking.redemption(code, code_verifier=None)))[0] == 200


async def test_public_client_shows_no_secret(asking: Asking) -> None:
    """A public client gets its tokens without a secret, and none when it shows one."""
    code = await _code(asking, "desktop")
    await _refused(asking, asking.redemption(code, "desktop", client_secret="x"), 700025)
    assert (await asking.token(asking.redemption(code, "desktop")))[0] == 200


async def test_single_page_app_redeems_from_its_page(asking: Asking) -> None:
    """A code for a page is redeemed by a page, and only its origin may read the answer."""
    code = await _code(asking, "spa")
    await _refused(asking, asking.redemption(code, "spa"), 9002327)
    status, _, headers = await asking.token(asking.redemption(code, "spa"), headers={"Origin": PAGE})
    assert (status, headers[CORS]) == (200, PAGE)


async def test_single_page_app_needs_pkce(asking: Asking) -> None:
    """A page without PKCE gets no token."""
    code = await _code(asking, "spa", code_challenge=None, code_challenge_method=None)
    form = asking.redemption(code, "spa", code_verifier=None)
    await _refused(asking, form, 9002325, Origin=PAGE)


async def test_web_app_is_no_page(asking: Asking) -> None:
    """A code for a server is not redeemed across origins, and a foreign page reads nothing."""
    form = asking.redemption(await _code(asking))
    await _refused(asking, form, 9002326, Origin=PAGE)
    _, _, headers = await asking.token(form, headers={"Origin": "https://evil.example"})
    assert CORS not in headers


@pytest.mark.parametrize(("origin", "allowed"), [(PAGE, True), ("https://evil.example", False)])
async def test_preflight(asking: Asking, origin: str, *, allowed: bool) -> None:
    """A browser that asks first hears yes for the pages of registered apps."""
    async with asking.session.options(f"{asking.endpoint}/token", headers={"Origin": origin}) as response:
        assert response.status == 204
        assert (response.headers.get(CORS) == origin) is allowed


async def test_refresh_token_is_good_once(asking: Asking) -> None:
    """A used refresh token takes its whole family with it."""
    first = await asking.tokens()
    form = {**asking.redemption("x"), "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    status, second, _ = await asking.token(form)
    assert status == 200
    await _refused(asking, form, 70000)
    await _refused(asking, form | {"refresh_token": second["refresh_token"]}, 70000)


async def test_failed_refresh_leaves_the_token_good(asking: Asking, extension: Extension) -> None:
    """A refresh that the extension fails may be tried again."""
    first = await asking.tokens()
    form = {**asking.redemption("x"), "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    extension.mood = "refusing"
    document = await _refused(asking, form, 1100001)
    assert document["error"] == "server_error"
    extension.mood = "well"
    assert (await asking.token(form))[0] == 200


@pytest.mark.parametrize(
    ("app", "lifetime_s", "aadsts"), [("portal", LIFETIME_S, 700082), ("spa", SPA_LIFETIME_S, 700084)]
)
async def test_refresh_token_expires(asking: Asking, clock: Clock, app: str, lifetime_s: int, aadsts: int) -> None:
    """A refresh token lasts 90 days, a page's 24 hours from the sign-in however often it refreshes."""
    headers = {"Origin": PAGE} if app == "spa" else {}
    code = await _code(asking, app)
    _, first, _ = await asking.token(asking.redemption(code, app), headers=headers)
    form = {**asking.redemption("x", app), "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    clock.now_s += lifetime_s
    status, second, _ = await asking.token(form, headers=headers)
    assert status == 200, second
    form["refresh_token"] = second["refresh_token"]
    if app == "portal":  # a new token, a new time
        clock.now_s += lifetime_s
        assert (await asking.token(form, headers=headers))[0] == 200
        first = await asking.tokens(prompt="login")
        form["refresh_token"] = first["refresh_token"]
        clock.now_s += lifetime_s
    clock.now_s += 1
    await _refused(asking, form, aadsts, **headers)


async def test_refresh_token_of_another_client(asking: Asking) -> None:
    """A refresh token is for the app that got it."""
    first = await asking.tokens()
    form = asking.redemption("x", "impatient", grant_type="refresh_token", refresh_token=first["refresh_token"])
    await _refused(asking, form, 700005)


async def test_refresh_for_another_api(asking: Asking, extension: Extension) -> None:
    """A refresh may ask for another API: then nobody is called for the first one."""
    first = await asking.tokens()
    extension.events.clear()
    form = asking.redemption("x", grant_type="refresh_token", refresh_token=first["refresh_token"], scope="User.Read")
    _, document, _ = await asking.token(form)
    assert not extension.events
    assert "id_token" not in document
    claims = jwt.decode(document["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "00000003-0000-0000-c000-000000000000"


async def test_openid_scopes_do_not_grow(asking: Asking) -> None:
    """A refresh that asks for an id token where the sign-in did not gets none."""
    first = await asking.tokens(scope="offline_access api://orders.sample.example/orders.read")
    form = asking.redemption("x", grant_type="refresh_token", refresh_token=first["refresh_token"], scope=ORDERS)
    status, document, _ = await asking.token(form)
    assert status == 200
    assert "id_token" not in document


async def test_redemption_for_another_api_asks_its_extension(asking: Asking, extension: Extension) -> None:
    """A code that is redeemed for an API that the sign-in did not name calls that API's extension then."""
    code = await _code(asking, scope="openid")
    extension.events.clear()
    form = asking.redemption(code, scope="api://orders.sample.example/orders.read")
    status, document, _ = await asking.token(form)
    assert status == 200
    assert extension.audiences == ["Sample orders API"]
    claims = jwt.decode(document["access_token"], options={"verify_signature": False})
    assert claims["order_roles"] == ["Writer", "Editor"]


async def test_client_credentials(asking: Asking, extension: Extension) -> None:
    """An app asks for itself: with its secret, for one API, and no extension is called."""
    form: dict[str, str | None] = {"grant_type": "client_credentials", "scope": "api://orders.sample.example/.default"}
    basic = base64.b64encode(b"77777777-7777-4777-8777-777777777777:emulator-only").decode()
    status, document, _ = await asking.token(form, headers={"Authorization": f"Basic {basic}"})
    assert status == 200, document
    assert "refresh_token" not in document
    wrong = base64.b64encode(b"77777777-7777-4777-8777-777777777777:wrong").decode()
    status, document, headers = await asking.token(form, headers={"Authorization": f"Basic {wrong}"})
    assert (status, document["error_codes"]) == (401, [7000215])
    assert headers["WWW-Authenticate"].startswith("Basic ")
    own = {**form, "client_id": "77777777-7777-4777-8777-777777777777", "client_secret": "emulator-only"}
    await _refused(asking, own | {"scope": "api://orders.sample.example/orders.read"}, 1002012)
    await _refused(asking, own | {"scope": None}, 900144)
    await _refused(asking, own | {"client_id": "79797979-7979-4979-8979-797979797979"}, 700025)
    assert not extension.events


async def test_body_that_is_no_form(asking: Asking) -> None:
    """A body that is no form is refused as such."""
    async with asking.session.post(f"{asking.endpoint}/token", data=b"\xff=1", headers={}) as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_request")

"""The authorize endpoint: the audience of its errors, its response modes, and when the user must choose."""

import hashlib
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import pytest
from yarl import URL

from selftest.base.base64url import encode_base64url
from selftest.signin.browser_sessions import FORM_COOKIE, SESSION_COOKIE
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.clients.browser import form_of
from tests.clients.extension import Extension
from tests.selftest.signin.plain_requests import Answer, Asking


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def _refused(asking: Asking, code: str, aadsts: int, **changes: str | None) -> Answer:
    answer = await asking.get(asking.request(**changes))
    assert answer.status == 302, answer.text
    assert answer.fields["error"] == code
    assert answer.fields["error_description"].startswith(f"AADSTS{aadsts}: ")
    assert answer.fields["state"] == "st&te"
    assert not asking.entra.service.log.records
    return answer


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": None}, "AADSTS900144: the parameter &#39;client_id&#39; is missing"),
        ({"client_id": "b" * 36}, "AADSTS700016: no application"),
        ({"redirect_uri": None}, "AADSTS900144: the parameter &#39;redirect_uri&#39; is missing"),
        ({"redirect_uri": "https://evil.example/"}, "AADSTS50011: the redirect URI"),
        ({"redirect_uri": "http://localhost/callback/"}, "AADSTS50011: the redirect URI"),
        ({"response_mode": "web_message"}, "AADSTS70007: response_mode must be one of"),
    ],
)
async def test_errors_on_a_page(asking: Asking, changes: dict[str, str | None], words: str) -> None:
    """An unknown app or redirect URI is reported on a page; nothing is ever sent there."""
    answer = await asking.get(asking.request(**changes))
    assert (answer.status, answer.location) == (400, "")
    assert words in answer.text
    assert "Correlation ID" in answer.text


@pytest.mark.parametrize(
    ("code", "aadsts", "changes"),
    [
        ("invalid_request", 900144, {"response_type": None}),
        ("unsupported_response_type", 70005, {"response_type": "token"}),
        ("unsupported_response_type", 70005, {"response_type": "code token"}),
        ("invalid_request", 900144, {"scope": None}),
        ("invalid_resource", 500011, {"scope": "openid api://nobody/x"}),
        ("invalid_client", 650053, {"scope": "api://orders.sample.example/orders.write"}),
        ("invalid_request", 28000, {"scope": "api://orders.sample.example/orders.read User.Read"}),
        ("invalid_request", 501491, {"code_challenge_method": "plain"}),
        ("invalid_request", 501491, {"code_challenge_method": None}),
        ("invalid_request", 501491, {"code_challenge": None}),
        ("invalid_request", 501491, {"code_challenge": "short"}),
        ("invalid_request", 90023, {"prompt": "please"}),
        ("login_required", 50058, {"prompt": "none"}),
        ("login_required", 50058, {"prompt": "none", "login_hint": "nobody@sample.example"}),
    ],
)
async def test_errors_returned_to_the_app(
    asking: Asking, code: str, aadsts: int, changes: dict[str, str | None]
) -> None:
    """Everything else goes back to the app with its state, as Entra writes it."""
    answer = await _refused(asking, code, aadsts, **changes)
    assert answer.location == "http://localhost/callback"
    assert " Trace ID: " in answer.fields["error_description"]


@pytest.mark.parametrize(
    ("code", "aadsts", "app", "changes"),
    [
        ("unsupported_response_type", 700054, "spa", {}),
        ("invalid_request", 900144, "portal", {"nonce": None}),
        ("invalid_request", 70011, "portal", {"scope": "User.Read"}),
        ("invalid_request", 70007, "portal", {"response_mode": "query"}),
    ],
)
async def test_mistakes_with_an_id_token(
    asking: Asking, code: str, aadsts: int, app: str, changes: dict[str, str | None]
) -> None:
    """An id token from the authorize endpoint has further rules; their errors are returned in the fragment."""
    request = {"response_type": "id_token", "nonce": "n", "scope": "openid", **changes}
    answer = await asking.get(asking.request(app, **request))
    assert (answer.fields["error"], answer.fragment) == (code, True)
    assert f"AADSTS{aadsts}" in answer.fields["error_description"]


async def test_repeated_parameter_is_refused(asking: Asking) -> None:
    """A repeated parameter is ambiguous and therefore refused."""
    url = f"{asking.endpoint}/authorize?client_id=a&client_id=b"
    async with asking.session.get(url) as response:
        assert response.status == 400
        assert "is repeated" in await response.text()


async def test_code_travels_in_the_query_with_state(asking: Asking) -> None:
    """A code comes in the query of the redirect URI that was asked for, with the state as it was."""
    answer = await asking.sign_in(redirect_uri="http://localhost:8080/callback")
    assert (answer.status, answer.fragment) == (302, False)
    assert answer.location == "http://localhost:8080/callback"
    assert answer.fields["state"] == "st&te"
    assert answer.fields["code"]
    assert answer.fields["session_state"]


async def test_documented_jwt_ms_test(asking: Asking) -> None:
    """The test URL of Microsoft's how-to returns an enriched id token in the fragment."""
    answer = await asking.sign_in(
        response_type="id_token",
        redirect_uri="https://jwt.ms",
        scope="openid",
        nonce="12345",
        code_challenge=None,
        code_challenge_method=None,
    )
    assert (answer.location, answer.fragment) == ("https://jwt.ms/", True)
    claims = _claims(answer.fields["id_token"])
    assert (claims["nonce"], claims["custom_roles"]) == ("12345", ["Writer", "Editor"])
    assert claims["groups"] == ["0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a"]


async def test_form_post(asking: Asking) -> None:
    """A form-post answer is a page with the fields, one allowed script, and a form that goes to the app alone."""
    answer = await asking.sign_in(response_mode="form_post", state='"><script>alert(1)</script>')
    form = form_of(answer.text)
    assert form.action == "http://localhost/callback"
    assert form.fields["state"] == '"><script>alert(1)</script>'
    assert answer.text.count("<script>") == 1
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action http://localhost:*;" in policy


async def test_hybrid_binds_the_code(asking: Asking) -> None:
    """A code that comes with an id token is bound to it by its hash."""
    answer = await asking.sign_in(response_type="code id_token", nonce="n")
    half = hashlib.sha256(answer.fields["code"].encode()).digest()[:16]
    assert _claims(answer.fields["id_token"])["c_hash"] == encode_base64url(half)


async def test_version_1_endpoint(asking: Asking) -> None:
    """The v1.0 endpoint returns a v1.0 id token, whichever version the API's access tokens have."""
    fields = asking.request(scope=None, resource="api://orders.sample.example")
    answer = await asking.choose(await asking.get(fields, version=""), "ada")
    form = asking.redemption(answer.fields["code"])
    status, document, _ = await asking.token(form, version="")
    assert status == 200, document
    claims = _claims(document["id_token"])
    assert (claims["ver"], claims["iss"]) == ("1.0", f"https://sts.windows.net/{asking.entra.tenant.tenant_id}/")
    assert claims["unique_name"] == "ada@sample.example"
    assert _claims(document["access_token"])["ver"] == "2.0"


async def test_prompts(asking: Asking) -> None:
    """A session signs in without a page; login and select_account ask all the same; a foreign hint asks too."""
    await asking.sign_in("ada")
    again = await asking.get(asking.request())
    assert again.fields["code"]
    assert (await asking.get(asking.request(prompt="none"))).fields["code"]
    for asks in ({"prompt": "login"}, {"prompt": "select_account"}, {"login_hint": "ben@sample.example"}):
        page = await asking.get(asking.request(**asks))
        assert (page.status, "<form" in page.text) == (200, True)
    hinted = await asking.get(asking.request(login_hint="BEN@sample.example", domain_hint="sample.example"))
    assert 'value="ben" autofocus' in hinted.text


async def test_several_sessions_need_a_choice(asking: Asking) -> None:
    """Two users in one browser: silence needs a hint, and without silence the page asks."""
    await asking.sign_in("ada")
    await asking.choose(await asking.get(asking.request(prompt="select_account")), "ben")
    silent = await asking.get(asking.request(prompt="none"))
    assert silent.fields["error"] == "interaction_required"
    assert (await asking.get(asking.request(prompt="none", login_hint="ben"))).fields["code"]
    assert (await asking.get(asking.request())).status == 200


async def test_silence_without_a_session(asking: Asking, sample: Directory, extension: Extension) -> None:
    """A hint, or being the only user, is enough for prompt=none; the tenant file can ask for a session."""
    assert (await asking.get(asking.request(prompt="none", login_hint="ada@sample.example"))).fields["code"]
    aimed = sample.with_target_url(extension.url)
    for silent, error in ((True, None), (False, "login_required")):
        directory = replace(aimed, people=aimed.people[:1], silent=silent)
        async with SignInServer(directory) as server, aiohttp.ClientSession() as session:
            other = Asking(server, session)
            for hint in (None, "ada"):
                answer = await other.get(other.request(prompt="none", login_hint=hint))
                assert answer.fields.get("error") == error


async def test_page_shows_no_markup_of_others(sample: Directory, extension: Extension) -> None:
    """Names from the file are text, whatever they look like."""
    person = replace(sample.people[0], members={**sample.people[0].members, "displayName": "<img src=x onerror=y>"})
    directory = replace(sample.with_target_url(extension.url), people=(person,))
    async with SignInServer(directory) as server, aiohttp.ClientSession() as session:
        asking = Asking(server, session)
        page = await asking.get(asking.request(state="'\"><b>"))
    assert "<img" not in page.text
    assert "<b>" not in page.text
    assert "&lt;img src=x" in page.text


async def test_page_is_closed_to_others(asking: Asking) -> None:
    """No script, no frame, no cache; cookies are out of reach of scripts."""
    page = await asking.get(asking.request())
    policy = page.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "script-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in page.headers["Set-Cookie"]
    assert "<script" not in page.text
    assert "<label" in page.text or "<button" in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_posts_from_elsewhere_are_refused(asking: Asking, headers: dict[str, str]) -> None:
    """Another site cannot press the button, even with the right token."""
    answer = await asking.choose(await asking.get(asking.request()), "ada", headers=headers)
    assert (answer.status, answer.location) == (403, "")
    assert not asking.entra.service.log.records


async def test_posts_without_the_browsers_token_are_refused(asking: Asking) -> None:
    """A form whose token is not the cookie's is refused, and so is one without a cookie."""
    page = await asking.get(asking.request())
    assert (await asking.choose(page, "ada", form_token="made-up")).status == 403
    assert (await asking.choose(page, "ada", form_token="")).status == 403
    asking.session.cookie_jar.clear()
    assert (await asking.choose(page, "ada")).status == 403
    assert (await asking.choose(page, "ada", form_token="")).status == 403
    assert not asking.entra.service.log.records


async def test_unknown_user_is_refused(asking: Asking) -> None:
    """A choice that the page did not offer signs nobody in."""
    answer = await asking.choose(await asking.get(asking.request()), "mallory")
    assert "AADSTS50034" in answer.fields["error_description"]


async def test_foreign_host_names_get_no_page(asking: Asking) -> None:
    """A page that made its own name point here gets nothing."""
    async with asking.session.get(f"{asking.endpoint}/authorize", headers={"Host": "evil.example"}) as response:
        assert response.status == 421


async def test_session_cookie_is_no_token_claim(asking: Asking) -> None:
    """What tokens call the session is not what signs the browser in."""
    answer = await asking.sign_in(response_type="code id_token", nonce="n")
    cookies = asking.session.cookie_jar.filter_cookies(URL(asking.entra.base_url))
    assert {SESSION_COOKIE, FORM_COOKIE} <= cookies.keys()
    assert _claims(answer.fields["id_token"])["sid"] == answer.fields["session_state"]
    assert cookies[SESSION_COOKIE].value not in answer.fields.values()


async def test_client_info_names_the_account(asking: Asking) -> None:
    """Microsoft's libraries ask for the account in their own way, and get it."""
    answer = await asking.sign_in(client_info="1")
    assert answer.fields["client_info"] == asking.entra.service.client_info(asking.entra.directory.people[0])


async def test_authorize_takes_a_post(asking: Asking) -> None:
    """An authorization request may be posted, as OpenID Connect has it; the page then works as ever."""
    async with asking.session.post(f"{asking.endpoint}/authorize", data=asking.request()) as response:
        assert response.status == 200
        action = form_of(await response.text()).action
    assert URL(action, encoded=True).query["state"] == "st&te"

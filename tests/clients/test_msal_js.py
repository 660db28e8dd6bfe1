"""MSAL.js in a real Chromium: the page is clicked, the answer is read where a user would read it."""

import json
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.clients.chromium import chromium, single_page_app, why_not
from tests.clients.extension import Extension, Mood, running_extension

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.asyncio(loop_scope="module"),
]

ORDERS = ["api://orders.sample.example/orders.read"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="listening")
async def one_extension() -> AsyncIterator[Extension]:
    """Return an extension that listens for all tests."""
    async with running_extension() as extension:
        yield extension


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def entra(sample: Directory, listening: Extension, tls: ssl.SSLContext) -> AsyncIterator[SignInServer]:
    """Return the emulated Entra that all tests sign in to."""
    async with SignInServer(sample.with_target_url(listening.url), tls=tls) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(entra: SignInServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    """Return the tab of a browser, which costs more to start than a test to run."""
    port = urlsplit(entra.sign_in_authority_url).port
    assert port is not None
    async with chromium(port, tmp_path_factory.mktemp("profile")) as context:
        yield context.pages[0]


@pytest.fixture
def extension(listening: Extension) -> Extension:
    """Return the extension as it is at the start."""
    listening.mood = "well"
    listening.events.clear()
    return listening


@pytest_asyncio.fixture(loop_scope="module")
async def page(tab: Page, extension: Extension, entra: SignInServer) -> AsyncIterator[Page]:
    """Return the tab with the single-page app at an address of its own, and nobody signed in."""
    del extension
    registered = entra.directory.app_named("spa")
    assert registered is not None
    await tab.context.clear_cookies()
    async with single_page_app(
        client_id=registered.client_id, authority=entra.sign_in_authority_url, scopes=ORDERS
    ) as url:
        await tab.goto(url)
        await _result(tab)
        yield tab


async def _result(page: Page) -> Any:
    """Read what the page shows, once it shows something."""
    await expect(page.locator("#result")).not_to_be_empty()
    return json.loads(await page.locator("#result").inner_text())


async def _sign_in(page: Page, name: str) -> Any:
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name=name).click()
    await page.wait_for_url("http://localhost:*/**")
    return await _result(page)


async def _renewed(page: Page) -> Any:
    await page.evaluate("window.renew()")
    return await _result(page)


async def test_both_tokens_are_enriched(page: Page, extension: Extension) -> None:
    """The id token has what the page's own policy maps, the access token what the API's policy maps."""
    result = await _sign_in(page, "Ada Sample")
    assert result["id"]["custom_roles"] == ["Writer", "Editor"]
    access = jwt.decode(result["access"], options={"verify_signature": False})
    assert access["order_roles"] == ["Writer", "Editor"]
    assert extension.audiences == ["Sample orders API", "Sample single-page app"]


@pytest.mark.parametrize(
    "mood", ["slow", *(pytest.param(mood, marks=pytest.mark.nightly) for mood in ("broken", "refusing"))]
)
async def test_failed_extension_is_a_failed_sign_in(
    page: Page, extension: Extension, entra: SignInServer, mood: Mood
) -> None:
    """The page gets Entra's error instead of a token, and the log has the code."""
    extension.mood = mood
    result = await _sign_in(page, "Ben Sample")
    assert result["error"] == "server_error", result
    assert "AADSTS1100001" in result["message"]
    codes = {callout.verdict.code for callout in entra.service.log.records[-1].callouts}
    assert codes == {{"slow": 1003005, "broken": 1003006, "refusing": 1003002}[mood]}


async def test_renewal_goes_cross_origin(page: Page, extension: Extension, entra: SignInServer) -> None:
    """MSAL.js renews from the page's origin with its refresh token, and hears of a failure."""
    await _sign_in(page, "Ada Sample")
    assert (await _renewed(page))["id"]["custom_roles"] == ["Writer", "Editor"]
    assert not entra.service.log.records[-1].interactive
    extension.mood = "refusing"
    assert (await _renewed(page))["error"] == "server_error"


async def test_second_sign_in_needs_no_page_until_logout(page: Page, entra: SignInServer) -> None:
    """The browser's session signs the user in again; after a logout the page asks."""
    await _sign_in(page, "Ada Sample")
    await page.evaluate("sessionStorage.clear()")
    await page.reload()
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_function("document.getElementById('result')?.textContent.includes('custom_roles')")
    before = len(entra.service.log.records)
    # Not awaited in the page, which is unloaded meanwhile.
    await page.evaluate("void window.leave()")
    await page.wait_for_url("http://localhost:*/?state=*")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert len(entra.service.log.records) == before


async def test_page_works_without_script_and_with_a_keyboard(page: Page) -> None:
    """The page of the emulated Entra runs no script, violates no policy, and works with the keyboard."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await page.locator("script").count() == 0
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Ada Sample")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("http://localhost:*/**")
    assert "id" in await _result(page)
    assert not [text for text in complaints if "Content Security Policy" in text]


async def test_cancel_informs_the_app(page: Page) -> None:
    """The button that cancels sends the app what Entra sends."""
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Cancel").click()
    await page.wait_for_url("http://localhost:*/**")
    result = await _result(page)
    assert (result["error"], "AADSTS65004" in result["message"]) == ("access_denied", True)

"""The playground in a real browser: by mouse, by keyboard, on a phone, in the dark, and with hostile answers."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from selftest.playground.player import SignInPlayer
from selftest.playground.server import PlaygroundServer
from selftest.signin.tenant.file import read_tenant_file
from tests.browser.chromium import heard
from tests.checkout import ROOT
from tests.selftest.failing_providers import copy_app
from tests.selftest.report.html.hostile import CONTROLS, MARKUP

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
LEAST_CONTRAST = 4.5
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SAMPLE = ROOT / "selftest" / "signin" / "tenant" / "sample.toml"


@dataclass(frozen=True)
class Place:
    """A playground that is served."""

    url: str
    app_dir: Path
    player: SignInPlayer


@asynccontextmanager
async def served(app_dir: Path, tenant_file: Path = SAMPLE) -> AsyncIterator[Place]:
    """Serve one."""
    player = SignInPlayer(read_tenant_file(tenant_file), app_dir=app_dir, settings={"Claims__BudgetMs": "1200"})
    async with player, PlaygroundServer(player) as server:
        yield Place(server.url, app_dir, player)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """Serve one with a copy of the app for all tests that leave it as it is."""
    async with served(copy_app(tmp_path_factory.mktemp("playground"))) as place:
        yield place


@asynccontextmanager
async def reading(tab: Page, url: str, *, width: int = 1280) -> AsyncIterator[Page]:
    """Open the page, with nobody signed in; what the browser complains of fails the test."""
    await tab.context.clear_cookies()
    await tab.set_viewport_size({"width": width, "height": 740})
    await tab.emulate_media(color_scheme="light")
    tab.set_default_timeout(15_000)
    with heard(tab) as (complaints, asked):
        await tab.goto(url)
        yield tab
    assert complaints == []
    assert [address for address in asked if not address.startswith(("http://127.0.0.1:", "http://localhost:"))] == []


async def sign_in(page: Page, **chosen: str) -> str:
    """Choose, press the button, and read the verdict."""
    for name, value in chosen.items():
        await page.select_option(f"select[name={name}]", value)
    before = page.url
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: url != before and "/played/" in url)
    return await page.inner_text("#result h1")


async def test_a_good_sign_in_is_shown_whole(tab: Page, place: Place) -> None:
    """Request, reply, phases against the budget, the token with its custom claims marked, and a line in the log."""
    async with reading(tab, place.url) as page:
        assert await page.locator("#log tbody tr").count() == len(place.player.log.records)
        assert await sign_in(page) == "Token minted"
        assert await page.locator("tr.endpoint th").all_inner_texts() == ["custom_roles", "DateOfBirth"]
        assert "your budget: 1200 ms" in str(await page.locator(".scale").text_content())
        legend = await page.locator(".legend").inner_text()
        assert all(phase in legend for phase in ("token", "provider", "reply", "network and host"))
        used = await page.locator(".gauge .used").bounding_box()
        track = await page.locator(".gauge .track").bounding_box()
        assert used is not None
        assert track is not None
        assert 0 < used["width"] < track["width"] / 3
        sent, came = await page.locator(".call pre[tabindex]").all_inner_texts()
        assert '"bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"' in sent
        assert '"DateOfBirth"' in came
        assert await page.locator("#log tr.current td").nth(3).inner_text() == "token minted"
        assert not re.search(r"eyJ[\w-]{8,}\.", await page.content())


#: What is chosen, and the verdict: one of each kind, and more of the kinds.
CHOICES = [
    ({"fault": "downstream:identity-down"}, "1003002"),
    ({"fault": "reply:1003007"}, "1003007"),
    ({"fault": "preset:1003021"}, "1003021"),
    ({"app": "unmapped"}, "AADSTS50146"),
    ({"user": "fay"}, "1003005"),
]
MORE_CHOICES = [
    ({"fault": "downstream:hang"}, "1003002"),
    ({"fault": "downstream:latency"}, "Token minted"),
    ({"fault": "downstream:error", "on_failure": "omit"}, "Token minted"),
    ({"fault": "downstream:key-rotation"}, "Token minted"),
    ({"fault": "reply:1003005", "app": "impatient"}, "1003005"),
    ({"fault": "reply:1003001"}, "1003001"),
    ({"fault": "reply:1003027"}, "1003027"),
    ({"fault": "reply:1003024"}, "1003024"),
    ({"app": "legacy"}, "Token minted"),
    ({"app": "legacy", "user": "cleo"}, "AADSTS50105"),
    ({"api": "orders"}, "Token minted"),
]


@pytest.mark.parametrize(
    ("chosen", "verdict"),
    [*CHOICES, *(pytest.param(*choice, marks=pytest.mark.nightly) for choice in MORE_CHOICES)],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else value,
)
async def test_each_kind_of_fault(tab: Page, place: Place, chosen: dict[str, str], verdict: str) -> None:
    """The verdict is that of the fault, with its explanation, and the log has a line."""
    async with reading(tab, place.url) as page:
        assert (await sign_in(page, **chosen)).startswith(verdict)
        row = await page.locator("#log tr.current").inner_text()
        assert (verdict in row) if verdict != "Token minted" else ("minted" in row)
        if verdict != "Token minted":
            assert await page.locator(f'section[aria-label="About {verdict}"] dd').count() >= 3


async def test_an_edited_provider_answers_the_next_sign_in(tab: Page, tmp_path: Path) -> None:
    """The new claim is in the reply; a provider that breaks is shown with its error, and works again once fixed."""
    async with served(copy_app(tmp_path)) as place, reading(tab, place.url) as page:
        provider = place.app_dir / "claims" / "providers" / "sample.py"
        text = provider.read_text()
        await sign_in(page)
        assert "Gardener" not in await page.inner_text("#result")
        provider.write_text(text.replace('"Writer"', '"Gardener"'))
        await sign_in(page)
        assert '["Gardener", "Editor"]' in await page.inner_text("tr.endpoint >> nth=0")
        provider.write_text(text.replace("return {", "return {{"))
        assert await sign_in(page) == "The app does not start"
        assert "is not valid Python" in await page.inner_text(".detail")
        assert "does not start" in await page.inner_text(".state")
        provider.write_text(text)
        assert await sign_in(page) == "Token minted"


@pytest.mark.nightly
async def test_ten_readers_at_once_while_faults_change(browser: Browser, place: Place) -> None:
    """Each page shows the outcome of what was chosen on it."""
    wanted = ["none", "downstream:error", "reply:1003007", "downstream:latency", "preset:1003021"] * 2
    verdicts = {"downstream:error": "1003002", "reply:1003007": "1003007", "preset:1003021": "1003021"}

    async def one(fault: str) -> str:
        context = await browser.new_context()
        async with reading(await context.new_page(), place.url) as page:
            return await sign_in(page, fault=fault, provider="profile_api")

    await one("none")  # the first request of a process has a smaller budget
    seen = await asyncio.gather(*map(one, wanted))
    assert [word.split()[0] for word in seen] == [verdicts.get(fault, "Token") for fault in wanted]


async def test_by_keyboard_alone(tab: Page, place: Place) -> None:
    """Tab, arrows and Enter are enough; the verdict is where the reader is afterwards, and focus can be seen."""
    async with reading(tab, place.url) as page:
        await page.keyboard.press("Tab")  # the name of the page
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == "user"
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate("document.activeElement.value") == "ben"
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(outline) != "none"
        while await page.evaluate("document.activeElement.textContent") != "Sign in":
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/played/*")
        await page.wait_for_function("document.activeElement.tagName === 'H1'")
        assert "Ben Sample to Sample portal" in await page.inner_text("#result")
        await page.go_back()
        await page.wait_for_selector(".welcome")


async def test_without_script(browser: Browser, place: Place) -> None:
    """The form is posted, and the page that comes shows what was chosen."""
    context = await browser.new_context(java_script_enabled=False)
    async with reading(await context.new_page(), place.url) as page:
        assert (await sign_in(page, user="dana", fault="reply:1003010")).startswith("1003010")
        assert await page.input_value("select[name=user]") == "dana"
        assert await page.input_value("select[name=fault]") == "reply:1003010"
    await context.close()


@pytest.mark.parametrize("fault", ["none", "reply:1003005"])
async def test_text_stands_out(tab: Page, place: Place, fault: str) -> None:
    """Every text, also in folded parts, has the contrast that WCAG asks for, in light and in dark."""
    async with reading(tab, place.url) as page:
        await sign_in(page, fault=fault, app="portal" if fault == "none" else "impatient")
        await page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            found = await page.evaluate(CONTRAST)
            assert len(found) > 40
            assert [text for text in found if text["ratio"] < LEAST_CONTRAST] == []


@pytest.mark.parametrize("chosen", [{}, {"api": "orders"}, {"fault": "reply:1003005", "app": "impatient"}], ids=str)
async def test_a_phone_shows_it_whole(tab: Page, place: Place, chosen: dict[str, str]) -> None:
    """At 360 pixels nothing sticks out, and what is pressed is large enough for a finger."""
    async with reading(tab, place.url, width=360) as page:
        await sign_in(page, **chosen)
        await page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        sizes = await page.evaluate(
            "[...document.querySelectorAll('select, button')].map(each => each.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 44


@pytest.mark.parametrize("app", ["portal", "spa", "desktop"])
async def test_the_real_sign_in_comes_back_here(tab: Page, place: Place, app: str) -> None:
    """The browser goes to the emulator, chooses a user, comes back with a code, and the page shows the tokens."""
    async with reading(tab, place.url) as page:
        await page.locator(f'.browser a[href="/browser/{app}"]').click()
        assert "127.0.0.1" in page.url
        assert place.url not in page.url
        await page.get_by_role("button", name="Ben Sample").click()
        await page.wait_for_url("**/played/*")
        assert await page.inner_text("#result h1") == "Token minted"
        assert "Ben Sample" in await page.inner_text("#result .kicker")
        assert "custom_roles" in await page.locator("tr.endpoint th").all_inner_texts()


async def test_a_real_sign_in_that_fails_comes_back_with_its_reason(tab: Page, place: Place) -> None:
    """The page shows the error that the app receives."""
    async with reading(tab, place.url) as page:
        await page.locator('.browser a[href="/browser/unmapped"]').click()
        await page.get_by_role("button", name="Ada Sample").click()
        await page.wait_for_url("**/played/*")
        assert await page.inner_text("#result h1") == "AADSTS50146"


async def test_a_canceled_sign_in_in_the_browser(tab: Page, place: Place) -> None:
    """No user signed in, so the log has no entry; the page shows the emulator's error."""
    before = len(place.player.log.records)
    await tab.context.clear_cookies()
    await tab.goto(f"{place.url}/browser/portal")
    await tab.get_by_role("button", name="Cancel").click()
    await tab.wait_for_selector("text=No user signed in")
    assert "AADSTS" in await tab.inner_text("main")
    assert len(place.player.log.records) == before


HOSTILE_PROVIDER = """
class Hostile:
    async def provide(self, event, context):
        return {{{name!r}: "x", "CustomRoles": [{value!r}, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"]}}

def create(environ):
    return Hostile()
"""


async def test_hostile_claims_inject_nothing(tab: Page, tmp_path: Path) -> None:
    """Names, values, a policy's names and a start-up error are text; a compact token in a claim is not shown."""
    hostile = MARKUP + CONTROLS.replace("\ud800", "") + "W" * 300
    app = copy_app(tmp_path)
    provider = app / "claims" / "providers" / "sample.py"
    provider.write_text(HOSTILE_PROVIDER.format(name=hostile, value=hostile))
    tenant = tmp_path / "tenant.toml"
    policy_name = "<img src=x onerror='window.pwned = 1'></script>"
    tenant.write_text(SAMPLE.read_text().replace('JwtClaimType = "custom_roles"', f'JwtClaimType = "{policy_name}"'))
    async with served(app, tenant) as place, reading(tab, place.url) as page:
        plain = await _foreign(page)
        assert await sign_in(page) == "Token minted"
        assert policy_name in await page.inner_text("tr.endpoint th")
        assert "$TOKEN" in await page.inner_text("tr.endpoint td >> nth=0")
        assert "eyJhbGciOiJub25lIn0" not in await page.content()
        assert await _foreign(page) == plain
        provider.write_text(f"raise RuntimeError({hostile!r})\n")
        assert await sign_in(page) == "The app does not start"
        assert await _foreign(page) == plain
        assert await page.evaluate("typeof window.pwned") == "undefined"
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1280


async def _foreign(page: Page) -> int:
    """Count what nobody of this page has put there."""
    return await page.locator("script, img, iframe, style, textarea, [onload], [onerror], [style]").count()


async def test_another_sites_page_can_do_nothing(tab: Page, place: Place) -> None:
    """Its form is refused, it cannot read the page, and it cannot frame it."""
    async with served_beside(place.url) as other:
        before = len(place.player.log.records)
        await tab.goto(other)
        assert await tab.evaluate("fetch(document.body.dataset.url).then(r => r.text()).catch(() => 'blocked')") == (
            "blocked"
        )
        await tab.click("button")
        await tab.wait_for_url(f"{place.url}/sign-in")
        assert "Refused" in await tab.inner_text("h1")
        assert len(place.player.log.records) == before
        await tab.goto(other)
        frame = tab.frames[1]
        assert await frame.locator("form").count() == 0


@asynccontextmanager
async def served_beside(url: str) -> AsyncIterator[str]:
    """Serve a page of somebody else's on another port, under another name."""
    html = (
        f'<body data-url="{url}"><form method=post action="{url}/sign-in"><button>Win</button></form>'
        f'<iframe src="{url}"></iframe></body>'
    )

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_rebound_name_gets_nothing(tab: Page, place: Place) -> None:
    """The browser believes that the other site is at this address; the page does not answer to its name."""
    port = place.url.rpartition(":")[2]
    # Chromium resolves every name below localhost to this computer by itself.
    response = await tab.goto(f"http://attacker.localhost:{port}/")
    assert response is not None
    assert response.status == 421
    assert await tab.locator("form").count() == 0


async def test_a_screen_reader_hears_its_order(tab: Page, place: Place) -> None:
    """Landmarks, labeled fields, the verdict, the picture's words, then request, reply and token."""
    async with reading(tab, place.url) as page:
        await sign_in(page)
        heard = await page.locator("body").aria_snapshot()
    wanted = (
        "- banner:",
        "- main:",
        'combobox "User"',
        'combobox "App"',
        'combobox "Fault"',
        'button "Sign in"',
        'heading "Token minted"',
        "ms of 2000 ms used",
        'heading "Request from Entra"',
        'heading "Response"',
        'heading "The id token for Sample portal"',
        'heading "Authentication Events"',
        "- contentinfo:",
    )
    places = [heard.find(words) for words in wanted]
    assert min(places) >= 0, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)

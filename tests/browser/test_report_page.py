"""The report in a real browser: nothing is fetched, nothing runs, and it can be read everywhere."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page

from selftest.report.compare import compare
from selftest.report.html.comparison_page import comparison_page
from selftest.report.html.page import page as report_page
from tests.browser.chromium import heard
from tests.selftest.report.html import runs
from tests.selftest.report.html.hostile import CONTROLS, MARKUP, with_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
#: WCAG 2.2, level AA, text of usual size.
LEAST_CONTRAST = 4.5
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@cache
def compared() -> str:
    """Write the page of two runs."""
    return comparison_page(compare(runs.held(), runs.failing()))


@cache
def hostile() -> str:
    """Write a page of a run whose every text wants to be something else, long and unbreakable."""
    return report_page(with_text(runs.failing(), MARKUP + CONTROLS + "W" * 300))


PAGES: dict[str, Callable[[], str]] = {name: partial(runs.written, make) for name, make in runs.ALL.items()} | {
    "compared": compared,
    "hostile": hostile,
}
every_page = pytest.mark.parametrize("write", PAGES.values(), ids=PAGES)


@asynccontextmanager
async def opened(browser: Browser, directory: Path, html: str, **how: Any) -> AsyncIterator[Page]:
    """Open a page from a file, as a reader does."""
    file = directory / "page.html"
    file.write_text(html, encoding="utf-8")
    context = await browser.new_context(**how)
    try:
        page = await context.new_page()
        page.set_default_timeout(10_000)
        await page.goto(file.as_uri())
        yield page
    finally:
        await context.close()


@every_page
async def test_the_page_fetches_nothing_and_everything_can_be_read(
    tab: Page, tmp_path: Path, write: Callable[[], str]
) -> None:
    """The one request is for the file itself, and the console stays empty.

    Every text, also in pictures and opened details, has the contrast that WCAG asks for, in light and in dark.
    On a phone of 360 pixels nothing sticks out: only tables scroll, within themselves.
    """
    file = tmp_path / "page.html"
    file.write_text(write(), encoding="utf-8")
    with heard(tab) as (said, asked):
        await tab.set_viewport_size({"width": 1280, "height": 720})
        await tab.goto(file.as_uri(), wait_until="networkidle")
        await tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        for scheme in SCHEMES:
            await tab.emulate_media(color_scheme=scheme)
            found = await tab.evaluate(CONTRAST)
            assert len(found) > 10
            assert [text for text in found if text["ratio"] < LEAST_CONTRAST] == []
        await tab.set_viewport_size({"width": 360, "height": 740})
        assert await tab.evaluate("document.documentElement.scrollWidth") == 360
        sizes = await tab.evaluate(
            "[...document.querySelectorAll('.picture text')].map(text => text.getBoundingClientRect().height)"
        )
        assert all(height >= 9 for height in sizes)
    assert said == []
    assert asked == [file.as_uri()]


async def test_dark_is_dark(browser: Browser, tmp_path: Path) -> None:
    """The scheme changes paper and ink, and the pictures with them."""
    colors = []
    for scheme in SCHEMES:
        async with opened(browser, tmp_path, runs.written(runs.held), color_scheme=scheme) as page:
            colors.append(
                await page.evaluate(
                    "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
                    " getComputedStyle(document.querySelector('.picture text')).fill]"
                )
            )
    assert all(light != dark for light, dark in zip(*colors, strict=True))


async def test_a_run_that_holds_is_two_sheets_of_paper(browser: Browser, tmp_path: Path) -> None:
    """The page that goes into a folder is two pages of A4, pictures and all."""
    async with opened(browser, tmp_path, runs.written(runs.held)) as page:
        pdf = await page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2
    assert re.search(rb"/MediaBox\s*\[0 0 59[45][\d.]* 84[12]", pdf)


@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "without its policy"])
async def test_hostile_texts_inject_nothing(browser: Browser, tmp_path: Path, *, policy: bool) -> None:
    """Escaping alone is enough; the policy of the page is the second lock."""
    html = hostile()
    plain = report_page(with_text(runs.failing(), "x"))
    if not policy:
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        plain = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", plain)
    count = "document.querySelectorAll('*').length"
    async with opened(browser, tmp_path, plain) as page:
        wanted = await page.evaluate(count)
    async with opened(browser, tmp_path, html) as page:
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        assert await page.evaluate(count) == wanted
        assert await page.evaluate("typeof window.pwned") == "undefined"
        assert await page.locator("script, img, iframe, a[href^='javascript']").count() == 0
        assert dialogs == []


async def test_it_is_read_without_script(browser: Browser, tmp_path: Path) -> None:
    """With script switched off the details open all the same, by mouse and by keyboard."""
    async with opened(browser, tmp_path, runs.written(runs.failing), java_script_enabled=False) as page:
        row = page.get_by_role("cell", name="refuses a token without a signature").first
        assert not await row.is_visible()
        summary = page.locator("summary", has_text="T token")
        await summary.click()
        assert await row.is_visible()
        await summary.press("Enter")
        assert not await row.is_visible()


async def test_a_screen_reader_hears_its_order(browser: Browser, tmp_path: Path) -> None:
    """Landmarks, headings and the names of pictures, in the order of what matters."""
    async with opened(browser, tmp_path, runs.written(runs.failing)) as page:
        heard = await page.locator("body").aria_snapshot()
    wanted = (
        "- banner:",
        'heading "FAIL 2 of 39 token attacks (level sign-in and security) were let in"',
        "2 of 39 token attacks (level sign-in and security; --strict counts every level) were let in, 4",
        "- main:",
        'heading "Findings and how to fix them"',
        'heading "Is this run valid?"',
        "img \"Entra's timeout and what was used of it. Half of the calls took",
        'img "Latency by percentile"',
        'img "Latency over time"',
        'heading "Faults of dependencies"',
        'heading "All checks"',
        'heading "Environment"',
        "- contentinfo:",
    )
    places = [heard.find(words) for words in wanted]
    assert places == sorted(places)
    assert min(places) >= 0

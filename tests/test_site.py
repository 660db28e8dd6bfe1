"""The site of the docs builds without a warning, has every page, and fetches nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import override

import pytest

from tests.checkout import ROOT
from tests.starter.commands import run
from tests.test_docs import PAGES

pytestmark = pytest.mark.nightly

_PYTHON = ROOT / ".venv-site/bin/python"
#: What a browser fetches without being asked.
_FETCHED = {"src", "srcset", "poster", "data"}


class Fetched(HTMLParser):
    """The addresses on a page that a browser fetches by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = _FETCHED | ({"href"} if tag in {"link", "use", "image"} else set())
        self.urls |= {value for name, value in attrs if name in names and value}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make site` does, elsewhere."""
    if not _PYTHON.exists():
        pytest.skip("no .venv-site here: make .venv-site")
    out = tmp_path_factory.mktemp("site")
    recipe = re.search(r"^site: .*\n\t@(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    words = recipe[1].replace("$(VENV_SITE)/bin/python", str(_PYTHON)).replace("build/site", str(out / "site")).split()
    done = run(words, ROOT)
    assert (done.returncode, done.stdout) == (0, "")
    return out / "site"


def test_every_page_is_in_the_site(site: Path) -> None:
    """And the first one is at the site's address, too."""
    made = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert {str(page.relative_to(ROOT).with_suffix(".html")) for page in PAGES} <= made
    assert (site / "index.html").read_text() == (site / "README.html").read_text()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No page, style sheet or script names another host as a resource; links for people may."""
    for page in site.rglob("*.html"):
        found = Fetched()
        found.feed(page.read_text())
        assert found.urls
        assert not {url for url in found.urls if re.match(r"(?:\w+:)?//", url)}, page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text()), sheet
    for script in site.rglob("*.js"):
        assert not re.findall(
            r"(?:fetch|import|importScripts|\.src\s*=)[\s(=\"'`]*(?:https?:)?//", script.read_text()
        ), script

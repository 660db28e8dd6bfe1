"""The page over HTTP: it answers its reader, and nobody who pretends to be."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from selftest.playground.html.home import home_values
from selftest.playground.player import SignInPlayer
from selftest.playground.server import PlaygroundServer
from selftest.signin.tenant.directory import Directory

TOKEN = re.compile(r'name="page_token" value="([^"]+)"')


@dataclass(frozen=True)
class Reader:
    """Somebody with a browser, or with less."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Ask, and follow nothing."""
        url = URL(self.url + path, encoded=True)
        async with self.session.get(url, headers=_named(headers), allow_redirects=False) as response:
            return response.status, await response.text(), dict(response.headers)

    async def post(self, form: dict[str, str], **headers: str) -> tuple[int, str, dict[str, str]]:
        """Send the form."""
        url = f"{self.url}/sign-in"
        async with self.session.post(url, data=form, headers=_named(headers), allow_redirects=False) as response:
            return response.status, await response.text(), dict(response.headers)

    async def token(self) -> str:
        """Read what a form has to bring."""
        found = TOKEN.search((await self.get("/"))[1])
        assert found is not None
        return found[1]


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
async def reader(nowhere: SignInPlayer) -> AsyncIterator[Reader]:
    """Return a reader of a page whose endpoint does not listen."""
    async with PlaygroundServer(nowhere) as server, aiohttp.ClientSession() as session:
        yield Reader(session, server.url)


async def test_a_sign_in_without_script(reader: Reader) -> None:
    """The form leads to a page of the sign-in, which can be asked for again."""
    status, _, headers = await reader.post({"page_token": await reader.token(), "fault": "reply:1003007"})
    assert status == 303
    status, text, _ = await reader.get(headers["Location"])
    assert status == 200
    assert "1003007 CustomExtensionEmptyClaims" in text or "1003007" in text
    for words in (
        "Request from Entra",
        "<h3>Response</h3>",
        "of Entra's 2000 ms",
        "AADSTS1100001",
        'aria-current="true"',
    ):
        assert words in text, words
    assert not re.search(r"eyJ[\w-]+\.", text)


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1:1", "127.0.0.1", "localhost.attacker.example", ""])
async def test_another_hosts_name_gets_nothing(reader: Reader, host: str) -> None:
    """A name that was rebound to this address is not ours (DNS rebinding), nor is our name at another port."""
    status, text, _ = await reader.get("/", Host=host)
    assert (status, "page_token" in text) == (421, False)


async def test_two_host_headers_are_refused(reader: Reader) -> None:
    """Which of them counts would be anybody's guess."""
    own = urlsplit(reader.url).netloc
    async with reader.session.get(reader.url, headers=[("Host", own), ("Host", "attacker.example")]) as response:
        assert response.status in {400, 421}


async def test_localhost_is_a_name_of_ours(reader: Reader) -> None:
    """The page is served under that name, too."""
    assert (await reader.get("/", Host=f"localhost:{urlsplit(reader.url).port}"))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    ],
)
async def test_another_sites_form_is_refused(reader: Reader, nowhere: SignInPlayer, headers: dict[str, str]) -> None:
    """Even with the right token; and nobody is signed in."""
    status, _, _ = await reader.post({"page_token": await reader.token()}, **headers)
    assert status == 403
    assert nowhere.log.records == ()


@pytest.mark.parametrize("form", [{}, {"page_token": ""}, {"page_token": "é"}, {"page_token": "x" * 43}])
async def test_a_form_without_the_token_of_this_page_is_refused(
    reader: Reader, nowhere: SignInPlayer, form: dict[str, str]
) -> None:
    """However little else there is to object to."""
    assert (await reader.post(form))[0] == 403
    assert nowhere.log.records == ()


async def test_our_own_form_is_taken_with_everything_that_a_browser_says(reader: Reader) -> None:
    """Origin and fetch metadata of our own pages are fine."""
    form = {"page_token": await reader.token(), "fault": "preset:1003021"}
    headers = {"Origin": reader.url, "Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "navigate"}
    assert (await reader.post(form, **headers))[0] == 303


async def test_another_sites_page_cannot_load_a_part_of_ours(reader: Reader) -> None:
    """A link from there is fine, an image or a script is not."""
    assert (await reader.get("/playground.js", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"))[0] == 403
    assert (await reader.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"))[0] == 200


@pytest.mark.parametrize("path", ["/", "/playground.css", "/playground.js", "/icon.svg", "/nothing", "/played/x"])
async def test_every_answer_carries_the_policy(reader: Reader, path: str) -> None:
    """Errors, too: nothing runs or loads but what is served here, nowhere else can frame or read it."""
    _, _, headers = await reader.get(path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


async def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(reader: Reader) -> None:
    """Its policy would stop it anyhow."""
    _, _, headers = await reader.post({"page_token": await reader.token(), "fault": "reply:1003025"})
    _, text, _ = await reader.get(headers["Location"])
    assert not re.search(r"\sstyle=|\son\w+=|<script>|<style", text)
    linked = re.findall(r'\b(?:src|href|action)="([^"]+)"', text)
    assert linked
    assert all(link.startswith("/") for link in linked)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/played/none", 404),
        ("/browser/nobody", 404),
        ("/browser/legacy", 404),
        ("/callback?state=guessed&code=x", 400),
        ("/?state=guessed", 400),
    ],
)
async def test_what_is_not_there_is_said(reader: Reader, path: str, status: int) -> None:
    """A page with a way on, and no traceback."""
    got, text, _ = await reader.get(path)
    assert got == status
    assert 'href="/"' in text


async def test_a_choice_that_is_not_on_offer_is_said(reader: Reader) -> None:
    """What was sent is shown as text."""
    status, text, _ = await reader.post({"page_token": await reader.token(), "user": "<img src=x>"})
    assert status == 400
    assert "&lt;img" in text
    assert "<img" not in text


async def test_a_form_that_is_too_large_is_refused(reader: Reader) -> None:
    """Nobody chooses that much."""
    assert (await reader.post({"page_token": "x" * 20_000}))[0] == 413


async def test_other_methods_are_refused(reader: Reader) -> None:
    """They have no meaning here."""
    async with reader.session.put(f"{reader.url}/sign-in") as response:
        assert response.status == 405


async def test_secrets_among_the_settings_are_not_shown(sample: Directory, app_dir: Path) -> None:
    """Their names are, and so is everything that is no secret."""
    settings = {"Claims__ClientSecret": "hush", "Claims__StaleSeconds": "77"}
    async with SignInPlayer(sample, app_dir=app_dir, settings=settings) as player:
        choice = player.options.read({"provider": "profile_api"})
        await player.environment(choice.provider, choice.on_failure)
        shown = dict(home_values(player, choice, page_token="t")["endpoint"]["settings"])
    assert shown["Claims__ClientSecret"] == shown["IDENTITY_HEADER"] == "(set)"
    assert (shown["Claims__StaleSeconds"], shown["Claims__Provider"]) == ("77", "profile_api")

"""Writes the screenshot of the playground for the docs: `python -m tests.browser.playground_picture`.

It shows a sign-in with a slow API, in which the phases are visibly different. The times are those of the machine.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from selftest.playground.player import SignInPlayer
from selftest.playground.server import PlaygroundServer
from selftest.signin.tenant.file import read_tenant_file
from tests.browser.chromium import MISSING, chromium, executable
from tests.checkout import ROOT

_PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "playground.png"
_WIDTH_PX: Final = 1200
_HEIGHT_PX: Final = 1330
_SHOWN: Final = {"fault": "downstream:latency", "provider": "profile_api"}


async def take(browser_path: str) -> None:
    """Sign in twice, so that the app is warm, and take the top of the page, in light."""
    directory = read_tenant_file(ROOT / "selftest" / "signin" / "tenant" / "sample.toml")
    async with (
        SignInPlayer(directory, app_dir=ROOT) as player,
        PlaygroundServer(player) as server,
        chromium(browser_path) as browser,
    ):
        view = await browser.new_page(
            viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX}, color_scheme="light", java_script_enabled=False
        )
        await view.goto(server.url)
        for _ in range(2):
            for name, value in _SHOWN.items():
                await view.select_option(f"select[name={name}]", value)
            await view.get_by_role("button", name="Sign in").click()
            await view.wait_for_url("**/played/*")
        await view.screenshot(path=_PICTURE)


def main() -> int:
    """Take the picture."""
    path = executable()
    if path is None:
        print(f"playground_picture: {MISSING}", file=sys.stderr)  # noqa: T201 - a command says why it cannot
        return 2
    asyncio.run(take(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The flag ``--setting``, and names of settings that an app does not read, although they are nearly one that it reads.

The app refuses those that begin as its settings do; here a misspelt beginning is found, too, and the mistake is named
before anything is started. What an app reads is what its source names, so that the provider of its owner counts.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.setting_names import PREFIXES

_NAME: Final = re.compile(rf"\b(?:{'|'.join(PREFIXES)})\w*[A-Za-z0-9]")
_ALIKE: Final = 0.85


def add_setting_argument(parser: argparse._ActionsContainer, when: str = "") -> None:
    """Add the flag; its values are pairs in ``args.settings``."""
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        type=_setting,
        dest="settings",
        metavar="NAME=VALUE",
        help=f"{when}one more setting of the local app (Claims__Provider=graph); may be repeated",
    )


def nearest_setting(app_dir: Path, name: str) -> str | None:
    """Return the setting that a name was probably meant to be; None for one that the app reads, or that is not alike.

    An app that does not read settings as this project's does is not judged.
    """
    known = {setting.casefold(): setting for setting in _names_in(app_dir)}
    near = [] if name in known.values() else get_close_matches(name.casefold(), known, n=1, cutoff=_ALIKE)
    return known[near[0]] if near else None


def require_known(app_dir: Path, names: Iterable[str]) -> None:
    """Refuse misspelt settings of ``--setting``, and warn of those that no file of the app names.

    Raises:
        CannotRun: A name is misspelt; the message has the right one.
    """
    for name in names:
        if (near := nearest_setting(app_dir, name)) is not None:
            raise CannotRun(f"--setting {name}: the app has no such setting; the nearest is {near}")
        known = _names_in(app_dir)
        if known and name not in known and name.startswith(PREFIXES):
            print(f"warning: --setting {name}: no file of the app names it, so it has no effect", file=sys.stderr)


@cache
def _names_in(app_dir: Path) -> frozenset[str]:
    texts = (path.read_text("utf-8", "replace") for path in (app_dir / "claims").rglob("*.py"))
    return frozenset(name for text in texts for name in _NAME.findall(text))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError("expected NAME=VALUE")
    return name, value

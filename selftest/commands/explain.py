"""``explain``: what a check or a code of Entra's means, and what to do about it."""

import argparse
import contextlib
import json
import shutil
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from selftest.checks import REGISTRY
from selftest.judge.explain import Explanation, UnknownIdError, as_text, everything, explain
from selftest.judge.explain_page import render, render_entry
from selftest.judge.ids_in_text import codes_in, correlation_id_in, is_pasted
from selftest.judge.statement import Statement
from selftest.tenant.doctor.statements import TENANT_STATEMENTS

_FOUND: Final = 0
_UNUSABLE: Final = 2
_MAX_WIDTH: Final = 100
#: Every statement that can be tested, in one world of ids: checks first, then what the doctor tries, whose letter is D.
STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType({**REGISTRY, **TENANT_STATEMENTS})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = "Say what a check id, a 1003xxx or an AADSTS code means, what causes it and what mends it."
    parser.epilog = "exit code: 0 explained, 2 an id that does not exist"
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="CODE",
        help="T23, 1003005, AADSTS50146, several are allowed; or a line that names one, as an error page shows it",
    )
    parser.add_argument("--list", action="store_true", help="list every id with its title")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--markdown", action="store_true", help="write Markdown; without a CODE, the whole page")


def run(args: argparse.Namespace) -> int:
    """Print the explanations and give the exit code; one unknown id prints none."""
    if args.list and (args.ids or args.markdown):
        return _refuse("--list shows all ids as text or with --json: leave codes and --markdown out")
    if not args.ids and not args.list:
        if args.markdown:
            print(render(checks=STATEMENTS), end="")
            return _FOUND
        return _refuse("give a code, such as 1003005 or T01; --list shows all")
    if args.list:
        _print_list(everything(checks=STATEMENTS), as_json=args.json)
        return _FOUND
    text = " ".join(args.ids)
    pasted = is_pasted(args.ids)
    try:
        found = _explained(text) if pasted else [explain(given, checks=STATEMENTS) for given in args.ids]
    except UnknownIdError as error:
        return _refuse(str(error))
    _print_found(found, as_json=args.json, as_markdown=args.markdown)
    if pasted and (correlation_id := correlation_id_in(text)) and not (args.json or args.markdown):
        print(f"\nnext  python -m selftest signin-log --file FILE --log FILE --correlation-id {correlation_id}")
    return _FOUND


def _explained(text: str) -> list[Explanation]:
    """Explain the codes that a pasted text names, else the checks; an unknown one is passed over beside a known one."""
    checks = [word for part in text.split() if (word := part.strip(".,:;()[]").upper()) in STATEMENTS]
    named = codes_in(text) or tuple(dict.fromkeys(checks)) or (text,)
    found: list[Explanation] = []
    for given in named:
        with contextlib.suppress(UnknownIdError):
            found.append(explain(given, checks=STATEMENTS))
    return found or [explain(named[0], checks=STATEMENTS)]


def _print_list(entries: tuple[Explanation, ...], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"kind": entry.kind, "id": entry.id, "title": entry.title} for entry in entries], indent=2))
        return
    width = max(len(entry.id) for entry in entries)
    for entry in entries:
        print(f"{entry.id:<{width}}  {entry.title}")


def _print_found(found: list[Explanation], *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        print(json.dumps([entry.as_json() for entry in found], indent=2))
        return
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    write = render_entry if as_markdown else lambda entry: as_text(entry, width=width)
    print("\n\n".join(map(write, found)))


def _refuse(message: str) -> int:
    print(f"explain: {message}", file=sys.stderr)
    return _UNUSABLE

"""``explain``: what a check or a code of Entra's means, and what to do about it."""

import argparse
import json
import shutil
import sys
from typing import Final

from selftest.checks import REGISTRY
from selftest.codes_page import render, render_entry
from selftest.explain import Explanation, UnknownIdError, as_text, everything, explain

_FOUND: Final = 0
_UNUSABLE: Final = 2
_MAX_WIDTH: Final = 100


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "explain",
        help="say what a check id, a 1003xxx or an AADSTS code means",
        description="Say what a check id, a 1003xxx or an AADSTS code means, what causes it and what mends it.",
        epilog="exit code: 0 explained, 2 an id that does not exist",
    )
    parser.add_argument("ids", nargs="*", metavar="CODE", help="T23, 1003005, AADSTS50146; several are allowed")
    parser.add_argument("--list", action="store_true", help="list every id with its title")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--markdown", action="store_true", help="write Markdown; without a CODE, the whole page")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the explanations and give the exit code; one unknown id prints none."""
    if args.list and (args.ids or args.markdown):
        return _refuse("--list shows all ids as text or with --json: leave codes and --markdown out")
    if not args.ids and not args.list:
        if args.markdown:
            print(render(checks=REGISTRY), end="")
            return _FOUND
        return _refuse("give a code, such as 1003005 or T01; --list shows all")
    if args.list:
        _print_list(everything(checks=REGISTRY), as_json=args.json)
        return _FOUND
    try:
        found = [explain(given, checks=REGISTRY) for given in args.ids]
    except UnknownIdError as error:
        return _refuse(str(error))
    _print_found(found, as_json=args.json, as_markdown=args.markdown)
    return _FOUND


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

"""``explain``: what a check or a code of Entra's means, and what to do about it."""

import argparse
import contextlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import PASSED, CannotRun
from selftest.base.program import PROGRAM
from selftest.judge.codes import CODES
from selftest.judge.explain import Explanation, UnknownIdError, as_text, everything, explain
from selftest.judge.explain_page import render, render_entry
from selftest.judge.ids_in_text import codes_in, codes_meant_by, correlation_id_in, is_pasted, outcomes_in
from selftest.judge.statement import Statement
from selftest.tenant.signin_log.outcomes import OUTCOMES, explained, is_outcome

_MAX_WIDTH: Final = 100
#: A file of the endpoint, which texts name by its path in this repository.
_OUR_FILE: Final = re.compile(r"\bclaims/[\w/]+\.py\b")


def statements() -> Mapping[str, Statement]:
    """Return every statement that can be tested, by id: checks first, then those of the doctor, whose letter is D.

    They are imported here: a code of Entra's is explained without the checks and what those import.
    """
    from selftest.checks import REGISTRY  # noqa: PLC0415 - see above
    from selftest.tenant.doctor.statements import TENANT_STATEMENTS  # noqa: PLC0415 - see above

    return {**REGISTRY, **TENANT_STATEMENTS}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Explain a check id, a 1003xxx or an AADSTS code, or an outcome in the endpoint's log: what it means, its "
        "causes and the fix."
    )
    parser.epilog = "exit code: 0 explained, 2 an id that does not exist"
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="CODE",
        help=(
            "T23, 1003005, AADSTS50146, several are allowed; or a text that names or means one, as an error page or "
            "the endpoint's log shows it; or a code of that log (provider_late, audience)"
        ),
    )
    parser.add_argument("--list", action="store_true", help="list every id with its title")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--markdown", action="store_true", help="write Markdown; without a CODE, the whole page")


def run(args: argparse.Namespace) -> int:
    """Print the explanations; one unknown id prints none."""
    if args.list and (args.ids or args.markdown):
        raise CannotRun("--list shows all ids as text or with --json: leave codes and --markdown out")
    if args.list:
        _print_list((*everything(checks=statements()), *map(explained, OUTCOMES)), as_json=args.json)
    elif args.ids:
        _explain(args)
    elif args.markdown:
        print(render(checks=statements()), end="")
    else:
        raise CannotRun("name a code, such as 1003005 or T01; --list shows all")
    return PASSED


def _explain(args: argparse.Namespace) -> None:
    text = " ".join(args.ids)
    logged = outcomes_in(args.ids, is_outcome=is_outcome)
    found = [explained(code) for code in logged]
    typed = [word for word in args.ids if word.strip().lower() not in logged]
    pasted = is_pasted(typed)
    named = codes_in(text) or (() if logged else codes_meant_by(text, CODES)) if pasted else typed
    try:
        found += [explain(given, checks={}) for given in named]
    except UnknownIdError:
        found = []
    if not found:
        checks = statements()
        found = [explained(code) for code in logged]
        found += _explain_pasted(text, checks) if pasted else [_explain_typed(given, checks) for given in typed]
    found = [_with_readers_paths(one) for one in found]
    _print_found(found, as_json=args.json, as_markdown=args.markdown)
    if pasted and (correlation_id := correlation_id_in(text)) and not (args.json or args.markdown):
        print(f"\nnext  {PROGRAM} signin-log --file FILE --log FILE --correlation-id {correlation_id}")


def _explain_pasted(text: str, checks: Mapping[str, Statement]) -> list[Explanation]:
    """Explain the codes that a pasted text names, or else the checks; unknown ones are left out next to known ones."""
    ids = [word for part in text.split() if (word := part.strip(".,:;()[]").upper()) in checks]
    named = codes_in(text) or tuple(dict.fromkeys(ids)) or (text,)
    found: list[Explanation] = []
    for given in named:
        with contextlib.suppress(UnknownIdError):
            found.append(explain(given, checks=checks))
    return found or [_explain_typed(named[0], checks)]


def _explain_typed(given: str, checks: Mapping[str, Statement]) -> Explanation:
    return explain(given, checks=checks, others=OUTCOMES)


def _with_readers_paths(found: Explanation) -> Explanation:
    """Return an explanation that names the endpoint's files where the reader has them: here, or in the tool."""

    def path(named: re.Match[str]) -> str:
        from selftest.starter.contents import repository  # noqa: PLC0415 - few explanations name a file

        elsewhere = f"{repository() / named[0]} (the reference endpoint, in Python)"
        return named[0] if Path(named[0]).is_file() else elsewhere

    sections = [replace(part, text=tuple(_OUR_FILE.sub(path, text) for text in part.text)) for part in found.sections]
    return replace(found, sections=tuple(sections))


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

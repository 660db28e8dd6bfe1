"""``explain``: what a check or a code of Entra's means, and what to do about it."""

import argparse
import contextlib
import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import COULD_NOT_RUN, PASSED, CannotRun
from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.judge.codes import CODES
from selftest.judge.explain import Explanation, UnknownIdError, as_text, everything, explain
from selftest.judge.explain_page import render, render_entry
from selftest.judge.ids_in_text import (
    codes_meant_by,
    correlation_id_in,
    ids_in,
    numbers_in,
    outcomes_in,
    plain_text,
    typed_ids,
)
from selftest.judge.statement import Statement
from selftest.tenant.signin_log.outcomes import OUTCOMES, explained, is_outcome

_MAX_WIDTH: Final = 100
#: Of one call, and more than there are: the neighbors of an id that does not exist take a millisecond.
_MAX_IDS: Final = 1000
#: A file of the endpoint, which texts name by its path in this repository.
_OUR_FILE: Final = re.compile(r"\bclaims/[\w/]+\.py\b")
#: The names of the codes that are one word, which people mistype, too.
_NAMES: Final = tuple(entry.name for entry in CODES.values() if entry.name.isidentifier())
#: The codes without their letters, as logs have them.
_NUMBERS: Final = frozenset(str(code).removeprefix("AADSTS") for code in CODES)
#: Of a text that names no code, by its words: the section of docs/troubleshooting.md, and a command to start with.
SYMPTOMS: Final = tuple(
    (re.compile(words, re.IGNORECASE), section, command)
    for words, section, command in (
        (r"\bsaml\b", "SAML error page", "signin --user saml"),
        (r"\b(?:missing|without|no|lacks?)\b.{0,40}\bclaims?\b", "Token without the claim", "signin --mapping FILE"),
        (r"\bclaims?\b.{0,40}\b(?:missing|absent)\b", "Token without the claim", "signin --mapping FILE"),
        (r"\b(?:HTTP|status)\W*40[13]\b|\bunauthorized\b|\bforbidden\b", "Called but refused", "token"),
        (r"\b(?:HTTP|status)\W*[1-5]\d\d\b", "No token and a generic error", "explain 1003002"),
        (r"\btimed? ?-?out\b|\bslow\b|\blate\b", "Slow sometimes", "explain 1003005"),
        (r"\b(?:never|not) called\b", "Endpoint never called", "doctor"),
        (r"\bsigning key\b", "Signing key of the application", "explain AADSTS50146"),
    )
)


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
    parser.epilog = (
        "exit code: 0 explained, 2 an id that does not exist (the others are explained), or a text that names none"
    )
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
    """Print the explanations, and return the exit code."""
    if args.list and (args.ids or args.markdown):
        raise CannotRun("--list shows all ids as text or with --json: leave codes and --markdown out")
    if args.list:
        _print_list((*everything(checks=statements()), *map(explained, OUTCOMES)), as_json=args.json)
    elif args.ids:
        return _explain(args)
    elif args.markdown:
        print(render(checks=statements()), end="")
    else:
        raise CannotRun("name a code, such as 1003005 or T01; --list shows all")
    return PASSED


def _explain(args: argparse.Namespace) -> int:
    """Print what is known, then name what is not: an error in a list of ids, a note under a text."""
    text = plain_text(" ".join(args.ids))
    typed = typed_ids(text, is_outcome=is_outcome)
    logged = outcomes_in(typed or text.split(), is_outcome=is_outcome)
    if typed is None:
        named, rest = ids_in(text, is_known=_NUMBERS.__contains__)
    else:
        named, rest = tuple(given for given in typed if given.lower() not in logged), ""
    known, unknown = _explained(named[:_MAX_IDS])
    if typed is None:  # "room b12" names no check, "T999" is meant as one
        unknown = [error for error in unknown if not error.given.islower()]
        if not known and not logged:
            known, rest = [explain(given, checks={}) for given in codes_meant_by(text, CODES)], ""
    found = [_with_readers_paths(one) for one in (*map(explained, logged), *known)]
    missed = [f"{error.given!r} ({error.similar})" for error in unknown]
    missed += _words_beside(found, rest.split(), logged) if len(args.ids) > 1 else []
    missed += [f"and {len(named) - _MAX_IDS} more"] if len(named) > _MAX_IDS else []
    note = f"not explained, because no check and no code is called so: {', '.join(missed)}; `explain --list` lists all"
    if not found:
        raise unknown[0] if len(unknown) == 1 else CannotRun(note if unknown else _nothing_in(text))
    _print_found(found, as_json=args.json, as_markdown=args.markdown)
    if typed is None and (correlation_id := correlation_id_in(text)) and not (args.json or args.markdown):
        print(f"\nnext  {PROGRAM} signin-log --file FILE --log FILE --correlation-id {correlation_id}")
    if missed:
        sys.stdout.flush()
        print(visible(f"explain: {note}"), file=sys.stderr)
    return COULD_NOT_RUN if typed is not None and missed else PASSED


def _words_beside(found: Sequence[Explanation], words: Iterable[str], logged: Sequence[str]) -> list[str]:
    """Return the words next to ids that may be meant as ids: more words than ids are a sentence."""
    said = " ".join([*logged, *(one.title.lower() for one in found)])
    left = [repr(word) for word in words if re.search(r"\w", word) and word.lower() not in said]
    return left if len(left) <= len(found) else []


def _explained(named: Iterable[str]) -> tuple[list[Explanation], list[UnknownIdError]]:
    """Return the explanations of ids, and the ids that do not exist, with their neighbors."""
    found: list[Explanation] = []
    unknown: list[UnknownIdError] = []
    for given in named:
        try:
            with contextlib.suppress(UnknownIdError):
                found.append(explain(given, checks={}))  # a code needs no checks, which are slow to import
                continue
            found.append(explain(given, checks=statements(), others=(*OUTCOMES, *_NAMES)))
        except UnknownIdError as error:
            unknown.append(error)
    return found, unknown


def _nothing_in(text: str) -> str:
    """Return what to do with a text that names nothing."""
    if re.fullmatch(r"[\w.-]*", text):
        return str(_explained((text,))[1][0])
    numbers = numbers_in(text, is_known=_NUMBERS.__contains__)
    ways = [f"if {number} is a code of Entra: `explain {number}`" for number in numbers]
    ways += [
        f"`{command}`, or the section {section!r} of the troubleshooting page"
        for words, section, command in SYMPTOMS
        if words.search(text)
    ][:1]
    ways += [] if ways else ["the troubleshooting page leads from a symptom to its cause"]
    return f"no check and no code is named in this text; {'; '.join(ways)}; `explain --list` lists all"


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

"""Explain one id: a check of this harness, or a code that Entra logs or shows.

Both kinds become one `Explanation`, so that the terminal, the Markdown page and JSON have the same content. Nothing is
fetched.
"""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Final, Literal

from selftest.base.cannot_run import CannotRun
from selftest.base.program import command_line
from selftest.judge.app_cause import APP_CAUSES
from selftest.judge.codes import CODES, Code, ObjectPair, ReplyPair
from selftest.judge.statement import Statement

_AADSTS: Final = "AADSTS"
_NEAR: Final = 5
_INDENT: Final = "  "
_OWN_HEADING: Final = "This endpoint's failures, by log code"
#: A terminal may report a width of 0; narrower text would be a column of single words.
_MIN_WIDTH: Final = 40
#: The subject of a check, by the first letter of its id.
SUBJECTS: Final = {
    "C": "Contract: what the endpoint answers",
    "T": "Token: whom the endpoint answers",
    "B": "Body: what the endpoint takes for an event",
    "F": "Faults: what the endpoint does when others fail",
    "L": "Load: whether the answer comes in time",
    "I": "Instances: what several instances of the app know of each other",
    "D": "Doctor: whether the tenant is set up right",
}
#: Under commands that call the endpoint at URL.
_OF_URL: Final = (
    "# URL is that of the endpoint; if it trusts the real Entra, add --deployed --token-file FILE;",
    "# if it is a function app in a folder, type --app DIR in place of --url URL",
)


class UnknownIdError(CannotRun):
    """An id is neither a check nor a code.

    Attributes:
        given: The id, shortened.
        near: Existing ids that resemble it, the closest first.
        similar: These as a text.
    """

    def __init__(self, given: str, near: tuple[str, ...]) -> None:
        self.given, self.near = given[:40], near
        self.similar = f"similar: {', '.join(near)}" if near else "nothing is similar"
        super().__init__(f"no check and no code is called {self.given!r}; {self.similar}; `explain --list` lists all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of an explanation.

    Attributes:
        key: The member in the JSON form.
        text: Paragraphs, the points of a list, the words of a row (a list on one line), or the lines of a sample.
    """

    key: str
    heading: str
    text: tuple[str, ...]
    style: Literal["text", "list", "row", "sample"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The explanation of one id.

    Attributes:
        kind: ``check``, ``code`` (of Entra) or ``outcome`` (of the endpoint's log line).
        rank: The level of a check, or the phase of the sign-in in which a code occurs.
    """

    id: str
    title: str
    kind: Literal["check", "code", "outcome"]
    rank: str
    source: str
    sections: tuple[Section, ...]

    def as_json(self) -> dict[str, object]:
        """Return every member by name; a list stays a list, everything else is text."""
        rank_key = "level" if self.kind == "check" else "phase"
        parts: dict[str, object] = {
            part.key: list(part.text) if part.style in {"list", "row"} else "\n".join(part.text)
            for part in self.sections
        }
        head: dict[str, object] = {
            "kind": self.kind,
            "id": self.id,
            "title": self.title,
            rank_key: self.rank,
            "source": self.source,
        }
        return head | parts


def explain(
    given: str,
    *,
    checks: Mapping[str, Statement],
    codes: Mapping[int | str, Code] = CODES,
    others: Iterable[str] = (),
) -> Explanation:
    """Return the explanation of an id.

    Accepted in any case: ``T23``, ``1003005``, ``AADSTS50146`` or ``50146``, and ``AADSTS1003021``, as an
    inner code sometimes appears.

    Raises:
        UnknownIdError: Neither a check nor a code has this id. The error names similar ones, also of the others.
    """
    key = given.strip().upper()
    check = checks.get(key)
    if check is not None:
        return of_check(check)
    number = key.removeprefix(_AADSTS)
    by_id = {str(code): entry for code, entry in codes.items()}
    entry = by_id.get(number) or by_id.get(f"{_AADSTS}{number}")
    if entry is not None:
        return of_code(entry)
    raise UnknownIdError(given, _near(key, (*checks, *by_id, *others)))


def of_check(check: Statement) -> Explanation:
    """Return the explanation of a check, or of a statement of the doctor."""
    sections = (
        Section(
            key="explain", heading="What is tested", text=tuple(textwrap.dedent(check.explain).strip().splitlines())
        ),
        Section(key="why", heading="Why", text=(check.why,)),
        *_sample("bad", "Breaks the rule", check.bad),
        *_sample("good", "Keeps it", check.good),
        Section(key="fix", heading="Fix", text=(check.fix,)),
    )
    return Explanation(
        id=check.id, title=check.title, kind="check", rank=check.level, source=check.source, sections=sections
    )


def of_code(code: Code) -> Explanation:
    """Return the explanation of a code of Entra."""
    own = tuple(
        f"{', '.join(f'`{name}`' for name in cause.codes)}: {cause.cause}"
        for cause in APP_CAUSES
        if cause.leads_to == code.code
    )
    sections = [
        Section(key="meaning", heading="What it means", text=(code.meaning,)),
        Section(key="seen", heading="What the app and the user see", text=(code.seen,)),
        Section(key="cause", heading="Causes, most likely first", text=code.cause, style="list"),
        *([Section(key="endpoint", heading=_OWN_HEADING, text=own, style="list")] if own else []),
        Section(key="confirm", heading="How to confirm", text=(code.confirm,)),
    ]
    if code.commands:
        lines = tuple(command_line(command) for command in code.commands)
        lines += _OF_URL if any("--url URL" in line for line in lines) else ()
        sections.append(Section(key="commands", heading="Commands that show it", text=lines, style="sample"))
    sections.append(Section(key="fix", heading="Fix", text=(code.fix,)))
    if code.steps:
        sections.append(Section(key="steps", heading="Step by step", text=code.steps, style="sample"))
    sections += _pair(code.pair)
    if code.conflict is not None:
        sections.append(Section(key="conflict", heading="Uncertain", text=(code.conflict,)))
    if code.related:
        sections.append(Section(key="related", heading="Checks that find it earlier", text=code.related, style="row"))
    return Explanation(
        id=str(code.code), title=code.name, kind="code", rank=code.phase, source=code.source, sections=tuple(sections)
    )


def everything(*, checks: Mapping[str, Statement], codes: Mapping[int | str, Code] = CODES) -> tuple[Explanation, ...]:
    """Return the explanations of all checks, by id, and then of all codes, in the order of the table."""
    ordered = sorted(checks.values(), key=lambda check: check.order)
    return tuple(chain(map(of_check, ordered), map(of_code, codes.values())))


def as_text(explanation: Explanation, *, width: int = 100) -> str:
    """Return an explanation as text for a terminal, without color. Samples are not wrapped: they can be copied."""
    lines = [f"{explanation.id}  {explanation.title}"]
    lines += _wrap(f"{explanation.rank} · {explanation.source}", _INDENT, width)
    for section in explanation.sections:
        lines += ["", section.heading]
        if section.style == "sample":
            lines += [f"{_INDENT}{line}".rstrip() for line in section.text]
            continue
        paragraphs = (", ".join(named_groups(section.text)),) if section.style == "row" else section.text
        first = f"{_INDENT}- " if section.style == "list" else _INDENT
        for paragraph in paragraphs:
            lines += _wrap(paragraph, first, width)
    return "\n".join(lines)


def named_groups(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return ids of checks for people: a letter, which stands for its group, with the group's subject."""
    return tuple(
        f"all of {name} ({SUBJECTS[name].partition(':')[0].lower()})" if name in SUBJECTS else name for name in ids
    )


def _wrap(paragraph: str, first: str, width: int) -> list[str]:
    return textwrap.wrap(
        paragraph,
        width=max(width, _MIN_WIDTH),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _pair(pair: ReplyPair | ObjectPair | None) -> tuple[Section, ...]:
    match pair:
        case ReplyPair():
            bad, good = pair.bad.lines(), pair.good.lines()
            headings = "A reply that causes this code", "A reply that Entra accepts"
        case ObjectPair():
            bad, good = pair.lines(pair.bad), pair.lines(pair.good)
            headings = "Objects with this code", "Correct objects"
        case None:
            return ()
    return (
        Section(key="bad", heading=headings[0], text=bad, style="sample"),
        Section(key="good", heading=headings[1], text=good, style="sample"),
    )


def _sample(key: str, heading: str, sample: str | None) -> tuple[Section, ...]:
    if sample is None:
        return ()
    return (Section(key=key, heading=heading, text=tuple(sample.splitlines()), style="sample"),)


def _near(key: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return ids that start with the key, because people type prefixes, and then ids that resemble it."""
    names = {name.upper(): name for name in ids}
    if key.isdigit():  # a number is near to numbers
        names = {bare: name for name in ids if (bare := name.removeprefix(_AADSTS)).isdigit()}
    starting = [name for name in names if key and name.startswith(key)]
    alike = get_close_matches(key, names, n=_NEAR, cutoff=0.5)
    return tuple(names[name] for name in dict.fromkeys(starting + alike))[:_NEAR]

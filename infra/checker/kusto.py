"""Kusto queries: brackets, operators, tables, and that every column that is read is one that is there.

Not a parser of the whole language: the pipelines of this project's queries, one statement a file.
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.checker.finding import Finding

_SIGN_IN: Final = frozenset(
    "TimeGenerated CorrelationId ResultType ResultDescription AppId UserId AppliedEventListeners".split()
)
#: The columns used here. Source: Azure Monitor's table reference (AppRequests, AppTraces, SigninLogs).
TABLES: Final[dict[str, frozenset[str]]] = {
    "AppRequests": frozenset(
        "TimeGenerated Id Name Url Source Success ResultCode DurationMs OperationId OperationName ParentId AppRoleName "
        "AppRoleInstance ItemCount Properties Measurements".split()
    ),
    "AppTraces": frozenset(
        "TimeGenerated Message SeverityLevel OperationId OperationName ParentId AppRoleName AppRoleInstance ItemCount "
        "Properties Measurements".split()
    ),
    "SigninLogs": _SIGN_IN,
    "AADNonInteractiveUserSignInLogs": _SIGN_IN,
}
_OPERATORS: Final = frozenset("where extend summarize project order top mv-expand union take distinct".split())
_FUNCTIONS: Final = frozenset(
    """
    ago avg bag_keys bag_merge bag_pack bin ceiling coalesce count countif datetime dcount dynamic iff isempty
    isnotempty make_set max min now parse_json percentile percentiles round startofday strcat sum sumif tobool
    todatetime todouble todynamic toint tolong tolower tostring typeof
    """.split()
)
_WORDS: Final = frozenset(
    """
    and asc between by contains desc endswith false first has has_any in int isfuzzy last long not nulls or real
    startswith string to true double bool datetime dynamic timespan
    """.split()
)
_TOKEN: Final = re.compile(
    r"""(?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(?P<number>\d+(?:\.\d+)?[a-z]*)|(?P<word>[A-Za-z_][\w-]*)
    |(?P<space>\s+)|(?P<sign>=~|!~|==|!=|<=|>=|\.\.|[=<>|(),.\[\]*/+{}-])|(?P<other>.)""",
    re.VERBOSE,
)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text, the line it stands on."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Query:
    """What a query is found to be.

    Attributes:
        findings: what is wrong with it.
        columns: what its rows have at the end.
    """

    findings: tuple[Finding, ...]
    columns: frozenset[str]


def read_query(path: Path) -> Query:
    """Read a file with one query; comments are lines that begin with ``//``."""
    written = path.read_text(encoding="utf-8")
    tokens = _tokens(re.sub(r"(?m)^\s*//[^\n]*", "", written))
    found = _brackets(path, tokens)
    found += [
        Finding(path, token.line, "kql", f"{token.text!r} is no part of a query")
        for token in tokens
        if token.kind == "other"
    ]
    if found:
        return Query(tuple(found), frozenset())
    stages = _stages(tokens)
    columns, found = _source(path, stages[0])
    for stage in stages[1:]:
        columns, more = _stage(path, stage, columns)
        found += more
    return Query(tuple(found), columns)


def _tokens(written: str) -> list[Token]:
    found, line = [], 1
    for match in _TOKEN.finditer(written):
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup or "", match[0], line))
        line += match[0].count("\n")
    return found


def _brackets(path: Path, tokens: list[Token]) -> list[Finding]:
    opened: list[Token] = []
    for token in tokens:
        if token.text in _PAIRS.values():
            opened.append(token)
        elif token.text in _PAIRS and (not opened or opened.pop().text != _PAIRS[token.text]):
            return [Finding(path, token.line, "kql", f"{token.text} closes nothing")]
    return [Finding(path, token.line, "kql", f"{token.text} is never closed") for token in opened]


def _stages(tokens: list[Token]) -> list[list[Token]]:
    stages: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == "|":
            stages.append([])
        else:
            stages[-1].append(token)
    return stages


def _source(path: Path, stage: list[Token]) -> tuple[frozenset[str], list[Finding]]:
    words = [token for token in stage if token.kind == "word" and token.text not in {"union", "isfuzzy", "true"}]
    unknown = [token for token in words if token.text not in TABLES]
    found = [Finding(path, token.line, "kql", f"there is no table {token.text}") for token in unknown]
    if not words:
        found.append(Finding(path, 1, "kql", "the query reads no table"))
    return frozenset().union(*(TABLES.get(token.text, frozenset()) for token in words)), found


def _stage(path: Path, stage: list[Token], columns: frozenset[str]) -> tuple[frozenset[str], list[Finding]]:
    if not stage or stage[0].text not in _OPERATORS:
        named, line = (stage[0].text, stage[0].line) if stage else ("nothing", 1)
        return columns, [Finding(path, line, "kql", f"a stage begins with {named}, which is no operator")]
    operator, rest = stage[0].text, stage[1:]
    defined = _defined(rest)
    found = []
    for before, token, after in zip([stage[0], *rest], rest, [*rest[1:], None], strict=False):
        if token.kind != "word" or before.text == "." or token.text in _WORDS:
            continue
        if after is not None and after.text == "(":
            if token.text not in _FUNCTIONS:
                found.append(Finding(path, token.line, "kql", f"there is no function {token.text}"))
        elif token.text not in columns | defined:
            found.append(Finding(path, token.line, "kql", f"there is no column {token.text} at this point"))
    return _columns_after(operator, rest, columns, defined), found


def _defined(tokens: list[Token]) -> frozenset[str]:
    pairs = itertools.pairwise(tokens)
    return frozenset(token.text for token, after in pairs if token.kind == "word" and after.text == "=")


def _columns_after(
    operator: str, rest: list[Token], columns: frozenset[str], defined: frozenset[str]
) -> frozenset[str]:
    if operator not in {"summarize", "project", "distinct"}:
        return columns | defined
    names = [token.text for token in rest]
    start = names.index("by") if operator == "summarize" and "by" in names else -1
    tokens = rest if operator != "summarize" else rest[start:] if start >= 0 else []
    kept = {token.text for position, token in enumerate(tokens) if _is_kept(tokens, position)}
    return defined | (kept & columns) | _percentiles(rest)


def _is_kept(tokens: list[Token], position: int) -> bool:
    """Say whether a word stands for a column of the rows to come: alone, or as what ``bin`` cuts into steps."""
    before = [token.text for token in tokens[max(0, position - 2) : position]]
    alone = not before or before[-1] in {",", "by"}
    return tokens[position].kind == "word" and (alone or before == ["bin", "("])


def _percentiles(rest: list[Token]) -> set[str]:
    """Name what ``percentiles(x, 50, 95)`` calls its columns, where they are not named."""
    names = [token.text for token in rest]
    if "percentiles" not in names:
        return set()
    start = names.index("percentiles")
    inside = names[start + 2 : names.index(")", start)]
    return {f"percentile_{inside[0]}_{number}" for number in inside[1:] if number.isdigit()}

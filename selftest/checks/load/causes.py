"""What first calls of a load run missed by, as Entra would log it, and what to do about each."""

from collections.abc import Iterator, Mapping
from typing import Final

from selftest.judge.codes import CODES
from selftest.report.load_result import LoadResult

#: What a code means under load, where the general advice is about the configuration.
_UNDER_LOAD: Final[Mapping[int, str]] = {
    1003001: "the answer broke off or was no HTTP: look for a worker or a proxy that ends",
    1003005: "too slow: look at the phases of the slowest calls in the report. A source that is sometimes slow needs a "
    "cache, a plan that scales in needs warm instances, and the work a limit below the timeout",
    1003027: "the connection was refused or broke before an answer, which is not slowness: look whether the endpoint "
    "still runs, and for limits of connections in front of it",
    1003002: "a status that is not 200: look for the failure or the overload in the endpoint's log",
}
_MOST: Final = 3


def missed_by_code(load: LoadResult) -> str:
    """Return the codes of the first calls that missed, the most frequent first, each with its name and number."""
    return ", ".join(f"{code} {CODES[code].name}: {calls:,}" for code, calls in _codes(load))


def fix_by_code(load: LoadResult) -> str | None:
    """Return what to do about the most frequent codes; None if none was logged."""
    fixes = [f"{code}: {_UNDER_LOAD.get(code, CODES[code].fix)}" for code, _ in list(_codes(load))[:_MOST]]
    return ". ".join(fix.removesuffix(".") for fix in fixes) + "." if fixes else None


def _codes(load: LoadResult) -> Iterator[tuple[int, int]]:
    for name, calls in load.outcomes.items():
        if name.isascii() and name.isdecimal() and int(name) in CODES:
            yield int(name), calls

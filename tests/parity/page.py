"""``docs/host.md``, made from the tables: ``python -m tests.parity.page > docs/host.md``."""

from collections.abc import Iterator
from typing import Final

from tests.parity.differences import DIFFERENCES, IMITATED, NOT_IMITATED

_HEAD: Final = """# The local host and Microsoft's

`python -m selftest host` serves an app through Microsoft's worker library behind an imitation of the Functions host,
which is called the local host here. Where Microsoft's own host is on the machine, `make parity` serves one app with
both, sends both the same requests, and compares the answers, the log lines, failed starts, crashes, timeouts and the
end of the process. This page is made from its tables. A row number stands for one group of measurements on Microsoft's
host 4.1037.0 with the classic Python worker 4.34.0.
"""


def page() -> str:
    """Return the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Imitated\n"
    yield "| row | what Microsoft's host does |\n|---|---|"
    yield from (f"| {row} | {what} |" for row, what in IMITATED)
    yield "\n## Known differences\n"
    yield "The parity tests run each of them, and fail when one no longer differs.\n"
    yield "| row | Microsoft's host | the local host | why |\n|---|---|---|---|"
    yield from (f"| {each.row} | {each.microsoft} | {each.stand_in} | {each.reason} |" for each in DIFFERENCES)
    yield "\n## Not imitated\n"
    yield "| row | Microsoft's host | why not |\n|---|---|---|"
    yield from (f"| {row} | {what} | {why} |" for row, what, why in NOT_IMITATED)
    yield ""


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 (the page is the result)

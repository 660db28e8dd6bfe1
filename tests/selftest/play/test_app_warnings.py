"""What the log of a good sign-in warns of."""

import json
from collections.abc import Sequence

import pytest

from selftest.judge.app_line import LOOP_BLOCKED
from selftest.play.app_warnings import app_warnings

ID = "66666666-6666-4666-8666-666666666666"
_NOTE = {"event": LOOP_BLOCKED, "detail": "at claims/providers/mine.py:7"}


def _line(**more: object) -> str:
    return json.dumps({"correlationId": ID, "status": 200, "outcome": "claims", "total_ms": 1.0, **more})


@pytest.mark.parametrize(
    ("lines", "kinds", "parts"),
    [
        ([_line()], [], ()),
        ([_line(dropped_claims=[])], [], ()),
        ([_line(dropped_claims=["nope", "Cost\x1b"])], ["no-value"], ("'nope', 'Cost", "is None, too")),
        ([_line(loop_stalled_ms=99)], [], ()),
        ([_line(loop_stalled_ms=130)], ["blocked-loop"], ("blocked for 130 ms", "busy machine", "asyncio.to_thread")),
        (
            [json.dumps(_NOTE), json.dumps({**_NOTE, "total_ms": 400}), _line(loop_stalled_ms=390)],
            ["blocked-loop"],
            ("blocked at claims/providers/mine.py:7 for 390 ms",),
        ),
        ([json.dumps({**_NOTE, "total_ms": 400}), _line()], [], ()),
    ],
)
async def test_what_a_good_line_warns_of(lines: Sequence[str], kinds: list[str], parts: tuple[str, ...]) -> None:
    """Claims without a value, and a blocked loop with its place if the host saw it."""
    found = await app_warnings(lambda: lines, ID, before=0)
    assert [warning.kind for warning in found] == kinds
    for part in parts:
        assert part in found[0].message
    assert not any("\x1b" in warning.message for warning in found)

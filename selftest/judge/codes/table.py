"""Reads the codes from the TOML files of this folder: one file a phase of the sign-in, one table a code.

A code's ``reply`` or ``object`` is its pair of samples. Where a reply's table has no good one, the sample of
Microsoft's reference is meant, ``good_reply.json``.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

from selftest.judge.codes.entry import Code, CodePhase, ObjectPair, ReplyPair, ReplySample

_FOLDER: Final = Path(__file__).parent
_GOOD: Final = ReplySample(body=(_FOLDER / "good_reply.json").read_text(encoding="utf-8").rstrip("\n"))


def read_codes(name: str) -> list[Code]:
    """Return the codes of one file, in its order."""
    document = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return [_code(row, document["phase"]) for row in document["code"]]


def _code(row: dict[str, Any], phase: CodePhase) -> Code:
    pair = _pair(row.pop("reply", None), row.pop("object", None))
    members: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Code(**members, phase=phase, pair=pair)


def _pair(reply: dict[str, Any] | None, graph_object: dict[str, Any] | None) -> ReplyPair | ObjectPair | None:
    if reply is not None:
        return ReplyPair(bad=_sample(reply["bad"]), good=_sample(reply["good"]) if "good" in reply else _GOOD)
    return None if graph_object is None else ObjectPair(**{"bad": None, **graph_object})


def _sample(row: dict[str, Any]) -> ReplySample:
    return ReplySample(**row) if "failure" not in row else ReplySample(status=None, content_type=None, **row)

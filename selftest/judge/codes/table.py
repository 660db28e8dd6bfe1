"""Reads the codes from the TOML files of this folder: one file a phase of the sign-in, one table a code.

A code's ``reply`` or ``object`` is its pair of samples. Where a reply's table has no good one, the sample of
Microsoft's reference is meant, ``good_reply.json``.
"""

from math import inf
from pathlib import Path
from typing import Any, Final

from selftest.judge.codes.entry import Code, ObjectPair, ReplyPair, ReplySample
from selftest.judge.texts import read_texts

_FOLDER: Final = Path(__file__).parent
_GOOD: Final = ReplySample(body=(_FOLDER / "good_reply.json").read_text(encoding="utf-8").rstrip("\n"))


def read_codes() -> list[Code]:
    """Return all codes: by number, and then those with letters in the order of their file."""
    codes = [_code(int(code) if code.isdigit() else code, row) for code, row in read_texts(_FOLDER).items()]
    return sorted(codes, key=lambda each: each.code if isinstance(each.code, int) else inf)


def _code(code: int | str, row: dict[str, Any]) -> Code:
    pair = _pair(row.pop("reply", None), row.pop("object", None))
    row["steps"] = row.get("steps", "").strip().splitlines()
    members: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Code(code=code, **members, pair=pair)


def _pair(reply: dict[str, Any] | None, graph_object: dict[str, Any] | None) -> ReplyPair | ObjectPair | None:
    if reply is not None:
        return ReplyPair(bad=_sample(reply["bad"]), good=_sample(reply["good"]) if "good" in reply else _GOOD)
    return None if graph_object is None else ObjectPair(**{"bad": None, **graph_object})


def _sample(row: dict[str, Any]) -> ReplySample:
    return ReplySample(**row) if "failure" not in row else ReplySample(status=None, content_type=None, **row)

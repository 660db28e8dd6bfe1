"""The locustfile repeats parts of the harness, because it is uploaded without it; these tests compare both."""

import ast
import base64
import json
import subprocess
import sys

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge
from selftest.play.caller import encode_event
from tests.locust.endpoints import GOOD
from tests.locust.runs import EXECUTABLE, LOCUSTFILE, needs_locust

_NIL = "00000000-0000-4000-8000-000000000000"
_JSON = "application/json"
_ACTION = json.loads(GOOD)["data"]["actions"][0]
_TYPE = json.loads(GOOD)["data"]["@odata.type"]

#: Imported in Locust's own Python: here it would patch the standard library under the other tests.
_JUDGE_THERE = """
import base64, json, sys
sys.path.insert(0, sys.argv[1])
import locustfile
codes = []
for status, content_type, body in json.load(sys.stdin):
    try:
        locustfile.judge(status, content_type, base64.b64decode(body))
        codes.append(None)
    except locustfile.Missed as missed:
        codes.append(int(str(missed).split()[0]))
pace = [locustfile.users_and_pace(*case) for case in ((20, 2000, 1), (1000, 2000, 0), (0.1, 200, 0))]
print(json.dumps({"codes": codes, "pace": pace}))
"""


def _reply(data: object) -> tuple[int, str, bytes]:
    return 200, _JSON, json.dumps({"data": data}).encode()


def _actions(*actions: object) -> tuple[int, str, bytes]:
    return _reply({"@odata.type": _TYPE, "actions": list(actions)})


CLAIMS: tuple[object, ...] = (None, [], "x", 7)
REPLIES: list[tuple[int, str, bytes]] = [
    (200, _JSON, GOOD.encode()),
    (200, "Application/JSON ; charset=utf-8", GOOD.encode()),
    _actions({**_ACTION, "claims": {}}),
    *((status, _JSON, GOOD.encode()) for status in (201, 204, 302, 401, 500, 503)),
    (200, "text/json", GOOD.encode()),
    (200, "", GOOD.encode()),
    *((200, _JSON, body) for body in (b"", b"  ", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b"{}")),
    *map(_reply, (None, [], "x", {}, {"@odata.type": _TYPE}, {"@odata.type": "other", "actions": [_ACTION]})),
    _reply({"@odata.type": _TYPE, "actions": {"0": _ACTION}}),
    _reply({"@odata.type": _TYPE, "actions": None}),
    _actions(),
    _actions(_ACTION, _ACTION),
    _actions("x"),
    _actions({}),
    _actions({**_ACTION, "@odata.type": "microsoft.graph.other"}),
    *(_actions({**_ACTION, "claims": claims}) for claims in CLAIMS),
    _actions({"@odata.type": _ACTION["@odata.type"]}),
]


@needs_locust
def test_verdicts_and_sizes() -> None:
    """Both judges return the same code for the same response; the users suffice for the longest sign-ins."""
    python = EXECUTABLE.with_name("python")
    replies = [(status, content_type, base64.b64encode(body).decode()) for status, content_type, body in REPLIES]
    said = subprocess.run(  # noqa: S603 - the interpreter beside Locust, and a script of ours
        [python, "-c", _JUDGE_THERE, LOCUSTFILE.parent],
        input=json.dumps(replies),
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    there = json.loads(said.stdout)
    here = [judge(ReceivedReply(status=status, content_type=kind, body=body)).code for status, kind, body in REPLIES]
    assert there["codes"] == here
    assert len(set(here)) > 7, "the answers differ in what is wrong with them"
    assert there["pace"] == [[85, 4.25], [2250, 2.25], [1, 10.0]]


def test_events_are_those_of_the_harness() -> None:
    """The file has every documented kind of sign-in, as the emulated tenant sends it."""
    wanted = [encode_event(variety.build(DEFAULT_TENANT, _NIL)).decode() for variety in VARIETIES]
    text = LOCUSTFILE.with_name("load-events.jsonl").read_text(encoding="utf-8")
    assert text.splitlines() == wanted, (
        "write it anew: python -m tests.locust.test_stands_alone >selftest/load/load-events.jsonl"
    )


def test_imports_nothing_that_is_not_there() -> None:
    """The locustfile needs only Locust, gevent and the standard library."""
    tree = ast.parse(LOCUSTFILE.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"locust", "gevent"}


def test_syntax_is_old_enough() -> None:
    """Azure Load Testing does not document its Python version, so the syntax is that of Python 3.10."""
    ast.parse(LOCUSTFILE.read_text(), feature_version=(3, 10))


if __name__ == "__main__":
    for each in VARIETIES:
        sys.stdout.write(encode_event(each.build(DEFAULT_TENANT, _NIL)).decode() + "\n")

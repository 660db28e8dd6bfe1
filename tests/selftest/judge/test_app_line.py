"""What is shown of the app's log lines, and the cause that they name."""

import ast
import re
from collections.abc import Iterator

import pytest

from claims.settings.settings import DEFAULT_BUDGET_MS
from selftest.judge.app_cause import APP_CAUSES, cause_of, cause_of_code, explained
from selftest.judge.app_line import LOOP_BLOCKED, WORKER_ENDED, AppLine, app_line
from selftest.judge.codes import CODES
from tests.checkout import ROOT

RAISED = {
    "outcome": "provider_error",
    "status": 503,
    "detail": "AttributeError at mine.py:7",
    "total_ms": 3.21,
    "phases": {"token": 1.9, "provider": 0.4},
}


def test_the_line_says_what_failed_and_where() -> None:
    """Outcome, exception and place, time and phases, in one line."""
    shown = str(app_line(RAISED))
    assert shown == "503 provider_error: AttributeError at mine.py:7, 3.2 ms (token 1.9, provider 0.4)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "stale", "status": 200, "failure": "provider_late"}, "200 stale because of provider_late: "),
        ({"joined": True}, "joined the earlier attempt"),
        ({"loop_stalled_ms": 3000}, "event loop blocked for 3,000 ms"),
    ],
)
def test_what_else_the_line_tells(changes: dict[str, object], words: str) -> None:
    """A fallback, a joined delivery and a blocked event loop are named."""
    assert words in str(app_line(RAISED | changes))


def test_a_short_stall_is_not_shown() -> None:
    """Every app has some."""
    assert "blocked" not in str(app_line(RAISED | {"loop_stalled_ms": 60}))


def test_any_app_may_write_anything() -> None:
    """No token, address or control character is shown, and a line of the wrong form is no error."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln"
    hostile = {
        "outcome": "a\x1b[2J" * 40,
        "status": True,
        "detail": f"{token} for megan@contoso.com\x1b[2J\nand more" + "x" * 1000,
        "total_ms": float("nan"),
        "loop_stalled_ms": "long",
        "phases": {f"p{number}": 1.0 for number in range(100)} | {"bad": "x", "negative": -1},
        "claims": {"Salary": "100000"},
    }
    line = app_line(hostile)
    text = str(line)
    assert token not in text
    assert "contoso" not in text
    assert "Salary" not in text
    assert "\x1b" not in text
    assert "\n" not in text
    assert (line.status, line.total_ms, line.loop_stalled_ms) == (None, None, 0.0)
    assert len(line.outcome) <= 64
    assert len(line.phases_ms) <= 24
    assert app_line({"status": 200}).outcome == "no outcome"
    assert app_line({"status": 200, "phases": [1]}).phases_ms == {}


def test_the_hosts_notes_are_sentences() -> None:
    """What the host says is no line of the app, and whether it is over is told."""
    blocked = AppLine(outcome=LOOP_BLOCKED, status=None, detail="at mine.py:7")
    over = AppLine(outcome=LOOP_BLOCKED, status=None, detail="at mine.py:7", total_ms=2900)
    assert str(blocked) == "the event loop is blocked at mine.py:7, and had not run again when this was read"
    assert str(over) == "the event loop was blocked at mine.py:7 for 2,900 ms"
    assert explained([over])[0] == ("host", str(over))
    assert (
        str(AppLine(outcome=WORKER_ENDED, status=None, detail="exit code 3")) == "the app's process ended (exit code 3)"
    )


def _codes_of_503() -> Iterator[str]:
    """Yield each code with which the endpoint's source raises or returns an error of status 503."""
    kinds = {"Unavailable", "KeysUnavailable", "ProviderFailed", "TokenUnavailable", "ProviderLate", "Overloaded"}
    for path in (ROOT / "claims").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value)


def test_every_503_of_the_endpoint_has_a_cause() -> None:
    """A code that is added to the endpoint must be explained."""
    codes = set(_codes_of_503())
    assert {"provider_error", "provider_late", "overloaded", "keys_not_loaded", "claims_size"} <= codes
    assert not {code for code in codes if cause_of_code(code) is None}
    assert {cause.leads_to for cause in APP_CAUSES} <= set(CODES)


def test_the_budgets_of_the_text_are_those_of_the_code() -> None:
    """The default, and the one until a process has answered: of function_app.py, which starts an app when imported."""
    late = cause_of_code("provider_late")
    first = re.search(r"^FIRST_BUDGET_MS: Final = ([\d_]+)", (ROOT / "function_app.py").read_text(), re.MULTILINE)
    assert late is not None
    assert first is not None
    assert f"{DEFAULT_BUDGET_MS} ms by default" in late.cause
    assert f"at most {int(first[1])} ms until the process has answered a request" in late.cause


def test_the_blocked_loop_leads() -> None:
    """What was late, was late by it; an exception is not. A short stall is no cause, and an unknown code has none."""
    blocked = cause_of_code(LOOP_BLOCKED)
    late = {"status": 503, "outcome": "provider_late", "loop_stalled_ms": 3000}
    assert cause_of([app_line(late)]) is blocked
    assert cause_of([app_line(RAISED | {"loop_stalled_ms": 3000})]) is cause_of_code("provider_error")
    assert cause_of([app_line({"status": 200, "outcome": "claims", "loop_stalled_ms": 3000})]) is blocked
    raised = cause_of([app_line(RAISED | {"loop_stalled_ms": 60})])
    assert raised is not None
    assert raised.cause == "the provider raised an exception"
    assert cause_of([app_line({"status": 401, "outcome": "audience"})]) is None
    assert cause_of([]) is None


def test_the_failure_behind_a_fallback_is_the_cause() -> None:
    """Where other claims were sent, the line's failure says why."""
    line = app_line({"outcome": "omitted", "status": 200, "failure": "provider_late"})
    assert explained([line], fix=False)[-1][1].startswith("the provider did not return within the budget")

"""``signin`` at an endpoint that runs elsewhere: a library that refuses while it reads the keys is called again."""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.base.serve import serve
from selftest.cli import main
from selftest.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.testing.loop_thread import LoopThread
from tests.foreign.running import free_port

_ACTION = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": {"a": "b"}}
_REPLY = {"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [_ACTION]}}

#: Returns the status of the n-th call, from 1.
type Statuses = Callable[[int], int]


@contextmanager
def _endpoint(status: Statuses, *, reads_from: int | None) -> Iterator[tuple[str, list[str]]]:
    """Serve an endpoint in a thread of its own, which reads the keys of an authority's port after it refused a call."""
    calls: list[str] = []
    keys = f"http://127.0.0.1:{reads_from}/{DEFAULT_TENANT.tenant_id}/discovery/v2.0/keys"

    async def call(request: web.Request) -> web.Response:
        calls.append(request.path)
        answer = status(len(calls))
        if answer == 401 and reads_from is not None:
            await asyncio.to_thread(lambda: urllib.request.urlopen(keys).read())
        return web.Response(status=answer, text=json.dumps(_REPLY), content_type="application/json")

    app, loop = web.Application(), LoopThread()
    app.router.add_post("/{path:.*}", call)
    runner, port = loop.run(serve(app, 0))
    yield f"http://127.0.0.1:{port}/x", calls
    loop.run(runner.cleanup())
    loop.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftest.commands.signin._TAKE_UP_S", 0.0)


def _first_refused(call: int) -> int:
    return 401 if call == 1 else 200


def test_a_refusal_while_the_keys_are_read_is_followed_by_a_second_call(capsys: pytest.CaptureFixture[str]) -> None:
    """The second call counts, and that there was a first one is said."""
    port = free_port()
    with _endpoint(_first_refused, reads_from=port) as (url, calls):
        assert main(["signin", "--url", url, "--authority-port", str(port)]) == 0
        assert len(calls) == 2
    captured = capsys.readouterr()
    assert "token minted with 1 custom claim" in captured.out
    assert "only after it refused the first call" in captured.err


def test_it_is_called_again_once(capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint that goes on to refuse gets one more token, of the other version, and no more."""
    port = free_port()
    with _endpoint(lambda _: 401, reads_from=port) as (url, calls):
        assert main(["signin", "--url", url, "--authority-port", str(port)]) == 1
        assert len(calls) == 3
    assert "actual HTTP 401 after the endpoint read the keys\nfix    Compare audience" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "says", "fix"),
    [
        (401, "HTTP 401, and the endpoint asked neither for metadata nor for keys", "`check --deployed --url URL`"),
        (404, "HTTP 404: no endpoint answers POST at this path", "Give --url the whole path"),
    ],
)
def test_a_refusal_is_read_as_check_reads_it(
    capsys: pytest.CaptureFixture[str], status: int, says: str, fix: str
) -> None:
    """In the same words, and without settings of this project, which another endpoint does not have."""
    with _endpoint(lambda _: status, reads_from=None) as (url, _):
        assert main(["signin", "--url", url, "--authority-port", "0"]) == 1
    err = capsys.readouterr().err
    assert f"actual {says}\n" in err
    assert fix in err
    assert "AuthenticationEvents" not in err


@pytest.mark.parametrize("more", [(), ("--new-keys",)])
def test_a_refusal_without_a_read_is_final(more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has changed for the endpoint; where the keys are new, the pause of its library is explained."""
    with _endpoint(_first_refused, reads_from=None) as (url, calls):
        assert main(["signin", "--url", url, "--authority-port", "0", *more]) == 1
        assert len(calls) == 3  # the second one with the other version
    assert ("from 30 s (jose)" in capsys.readouterr().err) == bool(more)


def test_the_line_of_an_earlier_refusal_in_the_same_minute_is_quoted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The endpoint writes one line a minute for each code, and somebody who types the command twice has none."""
    log = tmp_path / "app.log"
    record = {"event": "onTokenIssuanceStart", "outcome": "token_audience", "status": 401, "total_ms": 1.5}
    log.write_text(f"{json.dumps(record)}\n")
    with _endpoint(lambda _: 401, reads_from=None) as (url, _):
        assert main(["signin", "--url", url, "--authority-port", "0", "--app-log", str(log)]) == 1
    assert "401 token_audience" in capsys.readouterr().out

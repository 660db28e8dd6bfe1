"""The API that answers as configured."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from selftest.testing.loopback_api import API_FAULTS, LoopbackApi


def asked(api: LoopbackApi, path: str = "/users/1?select=a", *, timeout_s: float = 5.0) -> tuple[int, Any]:
    """Return the status and the JSON, or the bytes, of an answer."""
    request = urllib.request.Request(api.url + path, headers={"Authorization": "Bearer x"})  # noqa: S310 (loopback)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310 (loopback)
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body


def test_document_is_sent_as_json_and_bytes_as_they_are(loopback_api: LoopbackApi) -> None:
    """The request is remembered, with what it asked for."""
    loopback_api.answers({"Department": "Sales"})
    assert asked(loopback_api) == (200, {"Department": "Sales"})
    loopback_api.answers(b"<html>", status=502, headers={"Retry-After": "1"})
    assert asked(loopback_api) == (502, b"<html>")
    first, _ = loopback_api.requests
    assert (first.method, first.path, dict(first.query)) == ("GET", "/users/1", {"select": "a"})
    assert first.headers["authorization"] == "Bearer x"


def test_what_was_told_last_comes_first_as_often_as_it_was_told(loopback_api: LoopbackApi) -> None:
    """So a refusal once is told after the good answer."""
    loopback_api.answers({"a": "b"})
    loopback_api.fails("unauthorized", times=1)
    assert [asked(loopback_api)[0] for _ in range(3)] == [401, 200, 200]


def test_paths_have_answers_of_their_own(loopback_api: LoopbackApi) -> None:
    """A request without a configured answer gets 501, so that a test notices it."""
    loopback_api.answers({"id": "1"}, path="/users/*")
    assert asked(loopback_api) == (200, {"id": "1"})
    status, document = asked(loopback_api, "/groups")
    assert (status, document["error"]) == (501, "no answer is configured for GET /groups")


def test_answer_can_take_time(loopback_api: LoopbackApi) -> None:
    """In seconds."""
    loopback_api.answers({}, after_s=0.2)
    begin_s = time.monotonic()
    asked(loopback_api)
    assert time.monotonic() - begin_s > 0.19


@pytest.mark.parametrize(
    ("fault", "status"),
    [("error", 500), ("unavailable", 503), ("throttled", 429), ("forbidden", 403), ("malformed", 200)],
)
def test_faults_with_an_answer(loopback_api: LoopbackApi, fault: str, status: int) -> None:
    """They are those of the emulated downstream."""
    loopback_api.fails(fault)
    assert asked(loopback_api)[0] == status


@pytest.mark.parametrize("fault", ["reset", "hang", "truncated"])
def test_faults_without_a_whole_answer(loopback_api: LoopbackApi, fault: str) -> None:
    """The connection breaks, or nothing comes."""
    loopback_api.answers({"a": "b"})
    loopback_api.fails(fault)
    with pytest.raises((OSError, http.client.HTTPException, AssertionError)):
        assert asked(loopback_api, timeout_s=0.3)[1] == b"never"


def test_unknown_fault_is_named_with_the_known_ones(loopback_api: LoopbackApi) -> None:
    """A misspelled one fails the test and not the sign-in."""
    with pytest.raises(ValueError, match="unknown fault 'eror'; the known ones are latency, "):
        loopback_api.fails("eror")
    assert "token-refused" not in API_FAULTS


def test_each_test_begins_with_a_silent_api(loopback_api: LoopbackApi) -> None:
    """What another test told is forgotten."""
    assert not loopback_api.requests
    assert asked(loopback_api)[0] == 501

"""Reads one answer of Graph: strict JSON of a bounded length, and errors as `GraphError`.

The body is read to a limit whatever its headers promise. A duplicate member, ``NaN`` and anything but an object are
refused: Graph sends no ambiguous answers.

Source: RFC 8259 section 4; RFC 9110 sections 10.2.3 and 15.4; microsoft-graph-docs ``concepts/errors.md``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Never

from azure.core.exceptions import ODataV4Format
from azure.core.rest import AsyncHttpResponse

from selftest.tenant.graph.errors import (
    AnswerUnusable,
    GraphError,
    NotSignedIn,
    ObjectNotFound,
    RequestRefused,
    Unreachable,
    safe_text,
)

#: 8 MiB. The longest answer that is expected, Graph's service principal with all its roles, is under 1 MiB.
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024

#: The directory's refusal, besides "not found", that disappears when its replicas agree.
_LAG_DETAIL: Final = "NoBackingApplicationObject"
_NOT_GRAPH: Final = "Check the address of Graph, and whether a proxy answers in its place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A successful answer.

    Attributes:
        status: 200 to 299.
    """

    status: int
    body: dict[str, Any] | None = field(repr=False)


async def read_answer(response: AsyncHttpResponse, what: str, wall_clock: Callable[[], float]) -> Received:
    """Read an answer.

    Args:
        response: With its body unread.
        what: Method and path, for messages.
        wall_clock: Seconds since 1970, for a ``Retry-After`` that is a date.

    Raises:
        GraphError: The answer is an error, or not Graph's; 403 is `RequestRefused`, for the caller to explain.
    """
    status, request_id = response.status_code, response.headers.get("request-id", "")[:64] or None
    if 300 <= status < 400:
        raise AnswerUnusable(
            f"{what}: Graph answered with a redirect ({status})",
            f"Redirects are not followed, because they would send the token along. {_NOT_GRAPH}",
            status=status,
            request_id=request_id,
        )
    raw = await _read(response, what)
    if status >= 400:
        retry_after_s = _seconds(response.headers.get("Retry-After", ""), wall_clock)
        raise _error(status, raw, what, {"request_id": request_id, "retry_after_s": retry_after_s})
    return Received(status=status, body=_object(raw, what) if raw else None)


def is_replication_lag(error: GraphError) -> bool:
    """Whether the error disappears if the object that it is about was created a moment ago."""
    return isinstance(error, ObjectNotFound) or error.detail == _LAG_DETAIL


async def _read(response: AsyncHttpResponse, what: str) -> bytes:
    raw = bytearray()
    async for chunk in response.iter_raw():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            reason = f"{what}: the answer is longer than {MAX_ANSWER_BYTES} bytes"
            raise AnswerUnusable(reason, f"Request less with $select. {_NOT_GRAPH}", status=response.status_code)
    return bytes(raw)


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = _parse(raw)
    except (ValueError, RecursionError) as error:
        raise AnswerUnusable(f"{what}: the answer is not strict JSON", _NOT_GRAPH) from error
    if not isinstance(value, dict):
        raise AnswerUnusable(f"{what}: the answer is not a JSON object", _NOT_GRAPH)
    return value


def _error(status: int, raw: bytes, what: str, facts: dict[str, Any]) -> GraphError:
    """Return the error that fits the status and the code of an answer."""
    code, detail, message = _parsed_error(raw)
    reason = f"{what}: {status}{f' {code}' if code else ''}{f', {message}' if message else ''}".rstrip(".")
    kind: type[GraphError]
    if status == 401:
        kind, advice = NotSignedIn, "Sign in again, to the intended tenant"
    elif status == 429 or status >= 500:
        kind, advice = Unreachable, "Graph is busy or has a problem: try again later"
    elif status == 404 or code == "Request_ResourceNotFound":
        kind, advice = ObjectNotFound, "Check the id; a new object may take some seconds to appear"
    else:
        kind, advice = RequestRefused, "Change the request as the reason says"
    return kind(reason, advice, status=status, code=code, detail=detail, **facts)


def _parsed_error(raw: bytes) -> tuple[str | None, str | None, str]:
    """Return an error's code, the code of its first detail, and its message; an error page has none of them."""
    try:
        error = ODataV4Format(_parse(raw))
        detail = error.details[0].code if error.details else None
        code = str(error.code)[:100] if error.code else None
        return code, str(detail)[:100] if detail else None, safe_text(str(error.message or ""))
    except (ValueError, RecursionError, TypeError, AttributeError):
        return None, None, ""


def _seconds(retry_after: str, wall_clock: Callable[[], float]) -> float | None:
    """Return the seconds of a ``Retry-After``, which has seconds or a date."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - wall_clock())
    except (ValueError, OverflowError):
        return None


def _parse(raw: bytes) -> Any:
    return json.loads(raw.decode(), object_pairs_hook=_members, parse_constant=_no_constant)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is duplicated")
    return members


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")

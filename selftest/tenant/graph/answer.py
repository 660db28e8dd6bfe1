"""One answer of Graph, read with care: strict JSON of a bounded length, and errors turned into ours.

The body is read to a limit whatever its headers promise. A member twice, ``NaN`` and what is no object are refused: an
answer with two meanings is not Graph's.

Source: RFC 8259 section 4; RFC 9110 sections 10.2.3 and 15.4; microsoft-graph-docs ``concepts/errors.md``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Never

import aiohttp

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
#: The directory's refusals that go away by themselves when its replicas agree, besides "not found".
LAG_DETAILS: Final = frozenset({"NoBackingApplicationObject"})

_NOT_GRAPH: Final = "Check the address of Graph, and whether a proxy answers in its place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A good answer.

    Attributes:
        status: 200 to 299.
        body: a JSON object; None without one.
        request_id: Graph's.
    """

    status: int
    body: dict[str, Any] | None = field(repr=False)
    request_id: str | None


async def read_answer(response: aiohttp.ClientResponse, what: str, wall_clock: Callable[[], float]) -> Received:
    """Read an answer.

    Args:
        response: with its body unread.
        what: was asked, for messages: method and path.
        wall_clock: seconds since 1970, for a ``Retry-After`` that is a date.

    Raises:
        GraphError: it is an error, or none of Graph's; 403 comes as `RequestRefused`, for the caller to explain.
    """
    request_id = response.headers.get("request-id", "")[:64] or None
    if 300 <= response.status < 400:
        raise AnswerUnusable(
            f"{what}: Graph answered with a redirect ({response.status})",
            f"Redirects are not followed: the token would go along. {_NOT_GRAPH}.",
            status=response.status,
            request_id=request_id,
        )
    raw = await _read(response, what)
    if response.status >= 400:
        raise _error(response, raw, what, request_id, wall_clock)
    return Received(status=response.status, body=_object(raw, what) if raw else None, request_id=request_id)


async def _read(response: aiohttp.ClientResponse, what: str) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            reason = f"{what}: the answer is longer than {MAX_ANSWER_BYTES} bytes"
            raise AnswerUnusable(reason, f"Ask for less with $select. {_NOT_GRAPH}.", status=response.status)
    return bytes(raw)


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = _parse(raw)
    except (ValueError, RecursionError) as error:
        raise AnswerUnusable(f"{what}: the answer is no strict JSON", f"{_NOT_GRAPH}.") from error
    if not isinstance(value, dict):
        raise AnswerUnusable(f"{what}: the answer is no JSON object", f"{_NOT_GRAPH}.")
    return value


def _error(
    response: aiohttp.ClientResponse, raw: bytes, what: str, request_id: str | None, wall_clock: Callable[[], float]
) -> GraphError:
    """Choose the error of an answer."""
    code, detail, message = _told(raw)
    status = response.status
    reason = f"{what}: {status}{f' {code}' if code else ''}{f', {message}' if message else ''}".rstrip(".")
    facts: dict[str, Any] = {"status": status, "code": code, "detail": detail, "request_id": request_id}
    if status == 401:
        return NotSignedIn(reason, "Sign in again, to the tenant that is meant", **facts)
    if status == 429 or status >= 500:
        retry_after_s = _seconds(response.headers.get("Retry-After", ""), wall_clock)
        return Unreachable(reason, "Graph is busy or unwell: try again later", **facts, retry_after_s=retry_after_s)
    if status == 404 or code == "Request_ResourceNotFound":
        return ObjectNotFound(reason, "Check the id; what was just made may take some seconds to be there", **facts)
    return RequestRefused(reason, "Change what is asked for as the reason says", **facts)


def _told(raw: bytes) -> tuple[str | None, str | None, str]:
    """Read code, the first detail's code and message of an error; an error page has none."""
    try:
        error = _parse(raw)["error"]
        details = error.get("details") or [{}]
        code, detail = str(error["code"])[:100], details[0].get("code")
        return code, str(detail)[:100] if detail else None, safe_text(str(error.get("message") or ""))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None, None, ""


def _seconds(retry_after: str, wall_clock: Callable[[], float]) -> float | None:
    """Read a ``Retry-After``: seconds or a date."""
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
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")

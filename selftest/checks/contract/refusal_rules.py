"""Requests that must be refused, and rules of the refusal: each rule returns what is wrong, or None.

The mark is placed where careless code would quote it.
"""

import re
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.contract.reply_rules import content_type
from selftest.checks.expectations import read_json
from selftest.checks.forged_tokens import TokenForge

#: A text that no endpoint writes by itself: if the response contains it, the endpoint quoted the request.
_MARK: Final = "zq7markzq7"
#: Stack traces of the languages in which endpoints are written.
_STACK: Final = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line \d+|\n\s+at [\w.$<>]+ ?\("
    r"|[\w.]+(?:Exception|Error)\b:|goroutine \d+ \["
)


def no_token(env: CheckEnvironment) -> RawRequest:
    """Return the event without an Authorization header."""
    return env.request()


def expired(env: CheckEnvironment) -> RawRequest:
    """Return a request with a token that expired an hour ago."""
    forge = TokenForge(env)
    return env.request(forge.with_claims(exp=forge.now_s - 3600))


def marked_token(env: CheckEnvironment) -> RawRequest:
    """Return a request with the mark as audience, issuer, caller and key id."""
    forge = TokenForge(env)
    payload = forge.claims(aud=_MARK, iss=_MARK, azp=_MARK)
    return env.request(forge.signed(header=forge.header(kid=_MARK), payload=payload))


def marked_audience(env: CheckEnvironment) -> RawRequest:
    """Return a request with the mark as audience under a valid signature, so that the claim rules see it."""
    return env.request(TokenForge(env).with_claims(aud=_MARK))


def marked_body(env: CheckEnvironment) -> RawRequest:
    """Return a request with the mark as the event's type."""
    return env.good_request({**env.event(), "type": _MARK})


def marked_garbage(env: CheckEnvironment) -> RawRequest:
    """Return a request with the mark in a body that is not JSON."""
    return env.good_request().with_body(f"{_MARK} {{".encode())


def other_tenant(env: CheckEnvironment) -> RawRequest:
    """Return a request with a valid token and an event of another tenant."""
    event = env.event()
    event["data"]["tenantId"] = env.tenant.other_tenant_id
    return env.good_request(event)


def has_stack(response: RawResponse) -> str | None:
    """Report a stack trace."""
    found = _STACK.search(response.body.decode(errors="replace"))
    return f"the body holds {found[0].strip()[:40]!r}" if found else None


def echoes(response: RawResponse) -> str | None:
    """Report the mark in the body or in a header."""
    head = " ".join(f"{name}: {value}" for name, value in response.headers)
    return "the response quotes the request" if _MARK in head or _MARK.encode() in response.body else None


def error_json(response: RawResponse) -> str | None:
    """Report a body without the form of all errors."""
    error = read_json(response).get("error")
    named = isinstance(error, dict) and isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return content_type(response) or (None if named else "the body has no error.code and error.message")


def not_stored(response: RawResponse) -> str | None:
    """Report a response that a cache may store."""
    value = response.header("Cache-Control") or "absent"
    directives = {directive.strip().lower() for directive in value.split(",")}
    return None if "no-store" in directives else f"Cache-Control: {value}"

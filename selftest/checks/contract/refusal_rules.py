"""Requests that must be refused, and what must not be in the refusal.

A rule returns a complaint, or None. The mark is put where careless code would quote it back.
"""

import re
from collections.abc import Callable
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.contract.reply_rules import content_type
from selftest.checks.expectations import read_json
from selftest.checks.forged_tokens import TokenForge

#: A mark that no endpoint says by itself; where it comes back, what was sent came back.
_MARK: Final = "zq7markzq7"
#: What runtimes print when they fail, in the languages that endpoints are written in.
_STACK: Final = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line \d+|\n\s+at [\w.$<>]+ ?\("
    r"|[\w.]+(?:Exception|Error)\b:|goroutine \d+ \["
)
type RequestMaker = Callable[[CheckEnvironment], RawRequest]


def no_token(env: CheckEnvironment) -> RawRequest:
    """Send the event without an Authorization header."""
    return env.request()


def expired(env: CheckEnvironment) -> RawRequest:
    """Send a token that was good an hour ago."""
    forge = TokenForge(env)
    return env.request(forge.with_claims(exp=forge.now_s - 3600))


def marked_token(env: CheckEnvironment) -> RawRequest:
    """Put the mark where a validator's message would show it: into audience, issuer and key id."""
    forge = TokenForge(env)
    payload = forge.claims(aud=_MARK, iss=_MARK, azp=_MARK)
    return env.request(forge.signed(header=forge.header(kid=_MARK), payload=payload))


def marked_audience(env: CheckEnvironment) -> RawRequest:
    """Mark the audience alone, under a good signature: the claim checks see it."""
    return env.request(TokenForge(env).with_claims(aud=_MARK))


def marked_body(env: CheckEnvironment) -> RawRequest:
    """Mark a member whose value decides."""
    return env.good_request({**env.event(), "type": _MARK})


def marked_garbage(env: CheckEnvironment) -> RawRequest:
    """Mark what no parser can read."""
    return env.good_request().with_body(f"{_MARK} {{".encode())


def other_tenant(env: CheckEnvironment) -> RawRequest:
    """Ask for another tenant with a good token."""
    event = env.event()
    event["data"]["tenantId"] = env.tenant.other_tenant_id
    return env.good_request(event)


def has_stack(response: RawResponse) -> str | None:
    """Complain of the traces of a runtime."""
    found = _STACK.search(response.body.decode(errors="replace"))
    return f"the body holds {found[0].strip()[:40]!r}" if found else None


def echoes(response: RawResponse) -> str | None:
    """Complain of the mark, in the body or in a header."""
    head = " ".join(f"{name}: {value}" for name, value in response.headers)
    return "what was sent came back" if _MARK in head or _MARK.encode() in response.body else None


def error_json(response: RawResponse) -> str | None:
    """Complain of another form than the one that all errors have."""
    error = read_json(response).get("error")
    named = isinstance(error, dict) and isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return content_type(response) or (None if named else "the body has no error.code and error.message")


def not_stored(response: RawResponse) -> str | None:
    """Complain where a cache may keep the answer."""
    value = response.header("Cache-Control") or "absent"
    directives = {directive.strip().lower() for directive in value.split(",")}
    return None if "no-store" in directives else f"Cache-Control: {value}"

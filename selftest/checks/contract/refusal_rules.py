"""Requests that must be refused, and what must not be in the refusal.

A rule returns a complaint, or None. The mark is put where careless code would quote it back.
"""

import re
from collections.abc import Callable
from typing import Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Answer, Request
from selftest.checks.contract.reply_rules import content_type
from selftest.checks.expectations import read_json
from selftest.checks.forged_tokens import Forge

#: A mark that no endpoint says by itself; where it comes back, what was sent came back.
_MARK: Final = "zq7markzq7"
#: What runtimes print when they fail, in the languages that endpoints are written in.
_STACK: Final = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line \d+|\n\s+at [\w.$<>]+ ?\("
    r"|[\w.]+(?:Exception|Error)\b:|goroutine \d+ \["
)
type RequestMaker = Callable[[Bench], Request]


def no_token(bench: Bench) -> Request:
    """Send the event without an Authorization header."""
    return bench.request()


def expired(bench: Bench) -> Request:
    """Send a token that was good an hour ago."""
    forge = Forge(bench)
    return bench.request(forge.with_claims(exp=forge.now_s - 3600))


def marked_token(bench: Bench) -> Request:
    """Put the mark where a validator's message would show it: into audience, issuer and key id."""
    forge = Forge(bench)
    payload = forge.claims(aud=_MARK, iss=_MARK, azp=_MARK)
    return bench.request(forge.signed(header=forge.header(kid=_MARK), payload=payload))


def marked_audience(bench: Bench) -> Request:
    """Mark the audience alone, under a good signature: the claim checks see it."""
    return bench.request(Forge(bench).with_claims(aud=_MARK))


def marked_body(bench: Bench) -> Request:
    """Mark a member whose value decides."""
    return bench.good_request({**bench.event(), "type": _MARK})


def marked_garbage(bench: Bench) -> Request:
    """Mark what no parser can read."""
    return bench.good_request().with_body(f"{_MARK} {{".encode())


def other_tenant(bench: Bench) -> Request:
    """Ask for another tenant with a good token."""
    event = bench.event()
    event["data"]["tenantId"] = bench.tenant.other_tenant_id
    return bench.good_request(event)


def has_stack(answer: Answer) -> str | None:
    """Complain of the traces of a runtime."""
    found = _STACK.search(answer.body.decode(errors="replace"))
    return f"the body holds {found[0].strip()[:40]!r}" if found else None


def echoes(answer: Answer) -> str | None:
    """Complain of the mark, in the body or in a header."""
    head = " ".join(f"{name}: {value}" for name, value in answer.headers)
    return "what was sent came back" if _MARK in head or _MARK.encode() in answer.body else None


def error_json(answer: Answer) -> str | None:
    """Complain of another form than the one that all errors have."""
    error = read_json(answer).get("error")
    named = isinstance(error, dict) and isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return content_type(answer) or (None if named else "the body has no error.code and error.message")


def not_stored(answer: Answer) -> str | None:
    """Complain where a cache may keep the answer."""
    value = answer.header("Cache-Control") or "absent"
    directives = {directive.strip().lower() for directive in value.split(",")}
    return None if "no-store" in directives else f"Cache-Control: {value}"

"""Write a sign-in as text for a terminal and as JSON, without the bearer token and without secrets of the URL.

The endpoint's reply is shown, but never raw: control characters would act on the reader's terminal, so they are
escaped.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from selftest.base.compact_token import decoded_token
from selftest.base.printable import printable, redacted, shown_url, visible
from selftest.base.program import PROGRAM
from selftest.entra.app_token import is_saml
from selftest.judge.app_cause import explained
from selftest.judge.mapping import entry_for
from selftest.judge.warnings import shown
from selftest.play.attempt_text import timing
from selftest.play.call_verdict import whole_ms
from selftest.play.caller import Attempt
from selftest.play.sign_in import SignIn

SCHEMA_VERSION: Final = 1

_MAX_SHOWN_CHARACTERS: Final = 6000
#: The kind of the warning about an array with an item that is not text; those about single values end alike.
_ITEM: Final = "array-item"
_SHOWN_HEADERS: Final = ("Content-Type", "Content-Encoding", "Location", "Server-Timing", "WWW-Authenticate")


def as_lines(sign_in: SignIn, url: str, *, timeout_ms: int, answered_by: str | None = None) -> Iterator[str]:
    """Return the verdict, what the app logged where it is not good, then the call from the event to the token.

    Args:
        sign_in: The sign-in.
        url: The endpoint.
        timeout_ms: Entra's for one attempt.
        answered_by: The app's provider, if it is known.
    """
    header, claims = decoded_token(sign_in.token)
    yield verdict_line(sign_in)
    yield from (f"  {label:<6} {visible(text)}" for label, text in explained(sign_in.app_lines))
    for warning in sign_in.verdict.warnings:
        yield f"warning  {printable(warning.message)}"
    if answered_by is not None:
        yield f"answered by  {printable(answered_by)}"
    yield ""
    yield f"{sign_in.variety.id}: {sign_in.variety.title}"
    yield ""
    yield f"sent  POST {shown_url(url)}"
    yield "  Content-Type: application/json"
    yield "  Authorization: Bearer <header>.<claims>.<signature>"
    yield f"    header  {_compact(header)}"
    yield f"    claims  {_compact(claims)}"
    yield from _indented(sign_in.event)
    yield ""
    yield "came back"
    for number, attempt in enumerate(sign_in.call.attempts, start=1):
        yield f"  attempt {number}  {timing(attempt, timeout_ms=timeout_ms)}"
    yield from _answer(sign_in.call.attempts[-1])
    yield ""
    if sign_in.token_claims is not None:
        yield "the token that the app gets"
        yield from _indented(sign_in.token_claims)
        condition = ", with each mapped under its own name (no policy was given)" if sign_in.policy_assumed else ""
        yield (
            f"of these from the endpoint{condition}" if sign_in.custom_claims else "none of these is from the endpoint"
        )
        yield from _indented(sign_in.custom_claims) if sign_in.custom_claims else ()
        for name in sign_in.needs_renaming:
            entry = entry_for(name, "saml" if is_saml(sign_in.event) else "jwt")
            yield f"not in the token: {shown(name)}, a restricted name; a policy's entry can rename it: {entry}"


def as_json(sign_in: SignIn, url: str, *, timeout_ms: int, provider: str | None = None) -> dict[str, Any]:
    """Return the sign-in as one JSON object in which every number names its unit."""
    header, claims = decoded_token(sign_in.token)
    last = sign_in.call.attempts[-1]
    document = {
        "schema_version": SCHEMA_VERSION,
        "variety": sign_in.variety.id,
        "url": shown_url(url),
        "timeout_ms": timeout_ms,
        "provider": provider,
        "callout_token": {"header": header, "claims": claims},
        "event": sign_in.event,
        "attempts": [_attempt_json(attempt) for attempt in sign_in.call.attempts],
        "reply": {
            "status": last.status,
            "content_type": last.header("Content-Type"),
            "body": last.body.decode("utf-8", "backslashreplace")[:_MAX_SHOWN_CHARACTERS],
        },
        "verdict": sign_in.verdict.as_json(),
        "custom_claims": dict(sign_in.custom_claims),
        "needs_renaming": list(sign_in.needs_renaming),
        "token_claims": sign_in.token_claims,
        "app_lines": [asdict(line) for line in sign_in.app_lines],
    }
    # An endpoint may have sent the token back inside a claim.
    shown: dict[str, Any] = json.loads(redacted(json.dumps(document, default=str)))
    return shown


def verdict_line(sign_in: SignIn) -> str:
    """Return the verdict on the sign-in in one line."""
    verdict = sign_in.verdict
    if verdict.minted:
        count, returned = len(sign_in.custom_claims), len(verdict.claims or {})
        lost = f" of the {returned} that the endpoint returned" if returned and not count else ""
        first, doubts = len(sign_in.call.attempts) == 1, "".join(_doubts(sign_in))
        sure = "WARN" if lost or doubts else "PASS"
        minted = f"{sure}  token minted" if first else "WARN  token minted by the retry alone,"
        claims = f"{count} custom claim{'' if count == 1 else 's'}{lost}"
        return f"{minted} with {claims}, in {whole_ms(sign_in.call):,.0f} ms{doubts}"
    tries = len(sign_in.call.attempts)
    after = "" if tries == 1 else f" after {tries} attempts"
    return (
        f"FAIL  no token{after}: {verdict.code} {verdict.name}: {printable(verdict.reason)}"
        f" ({PROGRAM} explain {verdict.code})"
    )


def _doubts(sign_in: SignIn) -> Iterator[str]:
    """Yield what the number of claims hides: claims that are lost, and values that `check` fails."""
    if lost := sign_in.needs_renaming:
        names = ", ".join(map(shown, lost))
        yield f"; not in it, because the name is restricted: {printable(names)}"
    odd = (warning for warning in sign_in.verdict.warnings if warning.kind.endswith("-value") or warning.kind == _ITEM)
    if names := ", ".join(shown(warning.claim) for warning in odd if warning.claim is not None):
        yield f"; whether Entra takes a value that is not text is not documented, and check fails it (C07): {names}"


def _answer(attempt: Attempt) -> Iterator[str]:
    for name in _SHOWN_HEADERS:
        value = attempt.header(name)
        if value is not None:
            yield f"  {name}: {printable(value)}"
    if not attempt.body:
        return
    try:
        yield from _indented(json.loads(attempt.body))
    except (ValueError, RecursionError):
        yield from _cut(attempt.body.decode("utf-8", "backslashreplace"))


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    headers_ms = None if attempt.headers_s is None else round((attempt.headers_s - attempt.due_s) * 1000, 3)
    return {
        "status": attempt.status,
        "failure": attempt.failure,
        "detail": attempt.detail,
        "headers_ms": headers_ms,
        "latency_ms": round(attempt.latency_ms, 3),
    }


def _compact(value: Mapping[str, Any]) -> str:
    return printable(json.dumps(dict(value), ensure_ascii=False))


def _indented(value: object) -> Iterator[str]:
    yield from _cut(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _cut(text: str) -> Iterator[str]:
    shown = printable(text[:_MAX_SHOWN_CHARACTERS])
    for line in shown.split("\n"):
        yield f"  {line}"
    if len(text) > _MAX_SHOWN_CHARACTERS:
        yield f"  ... and {len(text) - _MAX_SHOWN_CHARACTERS} characters more"

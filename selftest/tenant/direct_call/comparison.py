"""The token compared with what the endpoint expects: one row a claim, with the reason and the fix for a difference.

The rules are the endpoint's (``claims/token/rules.py``), written for people: what is compared with what, and which
setting it is. No person is named: of a user's token that was used by mistake only the kind is shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeIs

from selftest.base.printable import printable
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.judge.texts import own_table
from selftest.tenant.direct_call.expectations import Expectations
from selftest.tenant.direct_call.published import Published
from selftest.tenant.direct_call.token_text import DecodedToken

type ClaimState = Literal["ok", "differs", "note", "unknown"]

#: The endpoint's own tolerance for clocks, in seconds.
LEEWAY_S: Final = 60
_MAX_SHOWN_CHARACTERS: Final = 100
_TEXTS: Final = own_table(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedClaim:
    """One row of the comparison.

    Attributes:
        state: ``note``: different from Entra's own token, and as it must be in this test; ``unknown``: nothing to
            compare with.
        why: The consequence of the difference; empty without one.
        fix: What to do about it; empty where there is nothing to do.
    """

    name: str
    got: str
    expected: str
    state: ClaimState
    why: str = ""
    fix: str = ""


def compare(
    token: DecodedToken, expected: Expectations, published: Sequence[Published], now_s: float
) -> tuple[ComparedClaim, ...]:
    """Compare a token with what the endpoint expects, in the endpoint's order."""
    return (
        *_header(token, published),
        _version(token),
        _issuer(token, expected, published),
        _audience(token, expected),
        _tenant(token, expected),
        _caller(token, expected),
        _kind(token),
        _times(token, now_s),
    )


def _row(name: str, got: object, state: ClaimState, text: str, **values: object) -> ComparedClaim:
    """Return a row with one of the texts in ``comparison.toml``."""
    texts = {member: written.format(**values) for member, written in _TEXTS[text].items()}
    return ComparedClaim(name=name, got=_shown(got), state=state, **texts)


def _checked(name: str, got: object, *, good: bool, text: str | None = None, **values: object) -> ComparedClaim:
    """Return the row of a claim that is right or differs; why and fix are for a difference."""
    row = _row(name, got, "ok" if good else "differs", text or name, **values)
    return replace(row, why="", fix="") if good else row


def _header(token: DecodedToken, published: Sequence[Published]) -> Iterator[ComparedClaim]:
    algorithm, kid = token.header.get("alg"), token.header.get("kid")
    yield _checked("alg", algorithm, good=algorithm == "RS256")
    readable = [document for document in published if not document.problem]
    keys = [document.keys[kid] for document in readable if isinstance(kid, str) and kid in document.keys]
    if not readable:
        problems = "; ".join(f"{document.url}: {document.problem}" for document in published)
        yield _row("kid", kid, "unknown", "kid-unreadable", problems=problems)
    elif keys:
        yield _checked("kid", kid, good=any(map(token.signed_with, keys)))
    else:
        yield _row("kid", kid, "differs", "kid-unpublished", count=sum(len(document.keys) for document in readable))


def _version(token: DecodedToken) -> ComparedClaim:
    version = token.text("ver")
    return (
        _row("ver", version, "note", "ver-1") if version == "1.0" else _checked("ver", version, good=version == "2.0")
    )


def _issuer(token: DecodedToken, expected: Expectations, published: Sequence[Published]) -> ComparedClaim:
    issuer = token.text("iss")
    issuers = [document.issuer for document in published if document.issuer is not None]
    if not issuers:
        return _row("iss", issuer, "unknown", "iss-unreadable")
    text = "iss-external" if expected.external else "iss"
    return _checked("iss", issuer, good=issuer in issuers, text=text, issuers=" or ".join(dict.fromkeys(issuers)))


def _audience(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    audience = token.text("aud")
    uri_counts = token.text("ver") == "1.0"
    wanted = [expected.audience_app_id, *([expected.application_id_uri] if uri_counts else [])]
    text = "aud-uri" if uri_counts and (audience or "").startswith("api://") else "aud"
    return _checked("aud", audience, good=audience in wanted, text=text, wanted=" or ".join(dict.fromkeys(wanted)))


def _tenant(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    tenant = token.text("tid")
    return _checked("tid", tenant, good=tenant == expected.tenant_id, wanted=expected.tenant_id)


def _caller(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    name = token.caller_claim
    caller = token.text(name)
    wanted = " or ".join(sorted(expected.caller_app_ids))
    if caller == EVENT_SERVICE_APP_ID:
        return _row(name, caller, "ok", "caller-entra", wanted=wanted)
    if caller in expected.caller_app_ids:
        return _row(name, caller, "ok", "caller-allowed", wanted=wanted)
    if caller is None:
        return _row(name, caller, "differs", "caller-absent", wanted=wanted)
    return _row(name, caller, "note", "caller", wanted=wanted, caller=_shown(caller))


def _kind(token: DecodedToken) -> ComparedClaim:
    if scope := next((name for name in ("scp", "nonce", "at_hash") if name in token.claims), None):
        return _row("idtyp", f"a user's token (it has {scope})", "differs", "idtyp-user")
    kind = token.claims.get("idtyp")
    return _checked("idtyp", "absent" if kind is None else kind, good=kind is None or kind == "app")


def _times(token: DecodedToken, now_s: float) -> ComparedClaim:
    expiry, start = token.claims.get("exp"), token.claims.get("nbf")
    if not _is_time(expiry) or not _is_time(start):
        return _row("exp", "no number", "differs", "exp-malformed")
    left_s = float(expiry) - now_s
    shown = f"{abs(left_s) / 60:.0f} min {'left' if left_s > 0 else 'ago'}"
    good = left_s + LEEWAY_S > 0 and now_s + LEEWAY_S >= float(start)
    return _checked("exp", shown, good=good, leeway_s=LEEWAY_S)


def _is_time(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _shown(value: object) -> str:
    """Return an id or a URL of a token for output; these claims name applications and tenants, never people."""
    if value is None:
        return "nothing"
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    return printable(value).replace("\n", "\\n")[:_MAX_SHOWN_CHARACTERS]

"""The token compared with what the endpoint expects: one row a claim, with the reason and the fix for a difference.

The rules are the endpoint's (``claims/token/rules.py``), written for people: what is compared with what, and which
setting it is. No person is named: of a user's token that was used by mistake only the kind is shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeIs

from selftest.base.printable import printable
from selftest.base.setting_names import (
    ADDITIONAL_AUTHORITY_URLS,
    ADDITIONAL_CALLER_APP_IDS,
    APPLICATION_ID_URI,
    AUDIENCE_APP_ID,
    AUTHORITY_URL,
)
from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.direct_call.expectations import Expectations
from selftest.tenant.direct_call.published import Published
from selftest.tenant.direct_call.token_text import DecodedToken

type ClaimState = Literal["ok", "differs", "note", "unknown"]

#: The endpoint's own tolerance for clocks, in seconds.
LEEWAY_S: Final = 60
_MAX_SHOWN_CHARACTERS: Final = 100
_CONFLICT: Final = (
    "External ID: sources disagree whether keys and issuer are those of ciamlogin.com or of login.microsoftonline.com; "
    f"name the other document in {ADDITIONAL_AUTHORITY_URLS}"
)


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


def _row(name: str, got: object, expected: str, *, good: bool, why: str = "", fix: str = "") -> ComparedClaim:
    """Return a row; why and fix are for a difference."""
    if good:
        return ComparedClaim(name=name, got=_shown(got), expected=expected, state="ok")
    return ComparedClaim(name=name, got=_shown(got), expected=expected, state="differs", why=why, fix=fix)


def _header(token: DecodedToken, published: Sequence[Published]) -> Iterator[ComparedClaim]:
    algorithm, kid = token.header.get("alg"), token.header.get("kid")
    why = "Entra signs access tokens with RS256, and the endpoint accepts nothing else"
    yield _row("alg", algorithm, "RS256", good=algorithm == "RS256", why=why)
    readable = [document for document in published if not document.problem]
    if not readable:
        problems = "; ".join(f"{document.url}: {document.problem}" for document in published)
        yield ComparedClaim(name="kid", got=_shown(kid), expected="a published key", state="unknown", why=problems)
        return
    keys = [document.keys[kid] for document in readable if isinstance(kid, str) and kid in document.keys]
    if keys:
        yield _row(
            "kid",
            kid,
            "a published key, and its signature",
            good=any(map(token.signed_with, keys)),
            why="the key is published and did not sign this token: the token was changed or cut",
            fix="get the token again",
        )
    else:
        yield _row(
            "kid",
            kid,
            f"one of {sum(len(document.keys) for document in readable)} published keys",
            good=False,
            why=f"another tenant's token, or keys that changed minutes ago. {_CONFLICT}",
            fix=f"compare {AUTHORITY_URL} with iss",
        )


def _version(token: DecodedToken) -> ComparedClaim:
    version = token.text("ver")
    if version == "1.0":
        return ComparedClaim(
            name="ver",
            got="1.0",
            expected="2.0",
            state="note",
            why="the API's app registration requests version 1: the endpoint accepts it with other iss, aud, caller",
            fix="set api.requestedAccessTokenVersion of the API's registration to 2, in one request with its URI",
        )
    return _row("ver", version, "2.0", good=version == "2.0", why="it is not an access token of Entra")


def _issuer(token: DecodedToken, expected: Expectations, published: Sequence[Published]) -> ComparedClaim:
    issuer = token.text("iss")
    issuers = [document.issuer for document in published if document.issuer is not None]
    if not issuers:
        return ComparedClaim(name="iss", got=_shown(issuer), expected="the issuer in the metadata", state="unknown")
    return _row(
        "iss",
        issuer,
        " or ".join(dict.fromkeys(issuers)),
        good=issuer in issuers,
        why=f"the endpoint answers 401, issuer. {_CONFLICT if expected.external else ''}".strip(),
        fix=f"set {AUTHORITY_URL} to the authority of this tenant",
    )


def _audience(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    audience = token.text("aud")
    uri_counts = token.text("ver") == "1.0"
    wanted = [expected.audience_app_id, *([expected.application_id_uri] if uri_counts else [])]
    fix = f"set {AUDIENCE_APP_ID} to the client id of the app registration that the extension's resourceId names"
    if uri_counts and (audience or "").startswith("api://"):
        fix = f"set {APPLICATION_ID_URI} to this URI, or requestedAccessTokenVersion to 2"
    why = "the endpoint answers 401, audience: the token is for another API"
    return _row("aud", audience, " or ".join(dict.fromkeys(wanted)), good=audience in wanted, why=why, fix=fix)


def _tenant(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    tenant = token.text("tid")
    fix = f"set {AUTHORITY_URL} to the authority of this tenant"
    why = "the endpoint answers 401, tenant"
    return _row("tid", tenant, expected.tenant_id, good=tenant == expected.tenant_id, why=why, fix=fix)


def _caller(token: DecodedToken, expected: Expectations) -> ComparedClaim:
    name = token.caller_claim
    caller = token.text(name)
    wanted = " or ".join(sorted(expected.caller_app_ids))
    if caller == EVENT_SERVICE_APP_ID or caller in expected.caller_app_ids:
        note = "" if caller == EVENT_SERVICE_APP_ID else f"{ADDITIONAL_CALLER_APP_IDS} allows it: for tests only"
        return ComparedClaim(name=name, got=_shown(caller), expected=wanted, state="ok", why=note)
    if caller is None:
        return _row(name, None, wanted, good=False, why="it is not an app's access token")
    return ComparedClaim(
        name=name,
        got=_shown(caller),
        expected=wanted,
        state="note",
        why="this token's caller is the app itself, not Entra's event service: a correct endpoint refuses this token",
        fix=f"for a test of the reply start the endpoint with {ADDITIONAL_CALLER_APP_IDS}={_shown(caller)}",
    )


def _kind(token: DecodedToken) -> ComparedClaim:
    wanted, why = "absent, or app", "the endpoint answers 401, not_an_app_token"
    if scope := next((name for name in ("scp", "nonce", "at_hash") if name in token.claims), None):
        return _row(
            "idtyp",
            f"a user's token (it has {scope})",
            wanted,
            good=False,
            why=f"{why}: Entra calls as an application",
            fix="use a secret, a certificate or a managed identity; a signed-in user's token is never accepted",
        )
    kind = token.claims.get("idtyp")
    return _row("idtyp", "absent" if kind is None else kind, wanted, good=kind is None or kind == "app", why=why)


def _times(token: DecodedToken, now_s: float) -> ComparedClaim:
    expiry, start = token.claims.get("exp"), token.claims.get("nbf")
    if not _is_time(expiry) or not _is_time(start):
        why = "it is not a token of Entra"
        return _row("exp", "no number", "nbf and exp as numbers", good=False, why=why)
    left_s = float(expiry) - now_s
    return _row(
        "exp",
        f"{abs(left_s) / 60:.0f} min {'left' if left_s > 0 else 'ago'}",
        f"valid now, within {LEEWAY_S} s",
        good=left_s + LEEWAY_S > 0 and now_s + LEEWAY_S >= float(start),
        why="the endpoint answers 401, expired or not_yet_valid",
        fix="get a new token; when it is new, compare this machine's clock and the app's",
    )


def _is_time(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _shown(value: object) -> str:
    """Return an id or a URL of a token for output; these claims name applications and tenants, never people."""
    if value is None:
        return "nothing"
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    return printable(value).replace("\n", "\\n")[:_MAX_SHOWN_CHARACTERS]

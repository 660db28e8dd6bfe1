"""Headers, key sets and metadata documents that must be refused or read with care, as calls to try.

Each call's outcome (its return value, or the code that it raises) is the same before and after a change of the code,
unless the change took a check away: see `test_validator_mutants.py`.
"""

import json
from collections.abc import Callable
from typing import Any

from claims.header import MAX_TOKEN_BYTES, bearer_token, require_json
from claims.settings.authority import Authority, parse_metadata
from claims.token.jwks import MAX_EXPONENT_BITS, MAX_KEY_BITS, parse_key_set
from selftest.base.base64url import encode_base64url
from selftest.entra.signing import generate_signing_key
from tests.claims.site import AUTHORITY, ISSUERS, KEYS_V2, TENANT_ID

AUTHORIZATION = [
    "",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "Bearer a,b",
    "Bearer a, Bearer b",
    "Bearer a b",
    "Bearera",
    "Bearer " + "a" * (MAX_TOKEN_BYTES + 1),
]
CONTENT_HEADERS: list[dict[str, str]] = [
    {},
    {"content-type": ""},
    {"content-type": "text/json"},
    {"content-type": "application/json-patch+json"},
    {"content-type": "application/json; charset=latin-1"},
    {"content-type": 'application/json; charset="utf-8'},
    {"content-type": 'application/json; charset=utf-8"'},
    {"content-type": "application/json; charset = utf-8"},
    {"content-type": "application/json", "content-encoding": "gzip"},
    {"content-type": "application/json", "content-encoding": "identity"},
]
HOSTILE_HEADERS: list[Callable[[], object]] = [
    lambda: bearer_token({}),
    *(lambda value=value: bearer_token({"authorization": value}) for value in AUTHORIZATION),
    *(lambda headers=headers: require_json(headers) for headers in CONTENT_HEADERS),
]

GOOD_JWK: dict[str, Any] = generate_signing_key().jwk()
OTHER_JWK: dict[str, Any] = generate_signing_key().jwk()


def _rsa(bits: int) -> dict[str, Any]:
    """A public key of this many bits; no one has to have its private half."""
    return {"n": encode_base64url(((1 << bits) - 1).to_bytes(bits // 8)), "e": "AQAB"}


#: Each is added to a set with one good key, which must stay usable.
BAD_JWKS: list[Any] = [
    None,
    "a key",
    [],
    {},
    {**OTHER_JWK, "kty": "EC"},
    {**OTHER_JWK, "kty": "oct", "k": "c2VjcmV0"},
    {**OTHER_JWK, "kty": ["RSA"]},
    {**OTHER_JWK, "use": "enc"},
    {**OTHER_JWK, "use": ["sig"]},
    {**OTHER_JWK, "use": {"sig": True}},
    {**OTHER_JWK, "alg": "RS512"},
    {**OTHER_JWK, "alg": ["RS256"]},
    {**OTHER_JWK, "key_ops": ["encrypt"]},
    {**OTHER_JWK, "key_ops": ["verify"]},  # the one that may sign
    {**OTHER_JWK, "key_ops": "verify"},
    {**OTHER_JWK, "key_ops": 7},
    {**OTHER_JWK, "kid": None},
    {**OTHER_JWK, "kid": ""},
    {**OTHER_JWK, "kid": 7},
    {**OTHER_JWK, "kid": ["a"]},
    {**OTHER_JWK, "issuer": 7},
    {**OTHER_JWK, "n": None},
    {**OTHER_JWK, "n": "é"},
    {**OTHER_JWK, "e": ""},
    {**OTHER_JWK, "e": encode_base64url(((1 << MAX_EXPONENT_BITS) + 1).to_bytes(8))},
    {name: value for name, value in OTHER_JWK.items() if name != "n"},
    {**OTHER_JWK, **_rsa(1024)},
    {**OTHER_JWK, **_rsa(2040)},
    {**OTHER_JWK, **_rsa(MAX_KEY_BITS + 8)},
    {**OTHER_JWK, "kid": GOOD_JWK["kid"], "use": "enc"},
]
#: Sets that are no sets, and one in which two keys claim one name.
BAD_SETS: list[Any] = [
    [],
    {},
    {"keys": None},
    {"keys": {}},
    {"keys": [GOOD_JWK, {**OTHER_JWK, "kid": GOOD_JWK["kid"]}]},
]


def usable_kids(keys: list[Any]) -> list[str]:
    """Return the ids of a set's keys that may sign."""
    return list(parse_key_set(json.dumps({"keys": keys}).encode()).keys)


HOSTILE_JWKS: list[Callable[[], object]] = [
    *(lambda bad=bad: usable_kids([bad, GOOD_JWK]) for bad in BAD_JWKS),
    *(lambda bad=bad: list(parse_key_set(json.dumps(bad).encode()).keys) for bad in BAD_SETS),
]

_KEYS = AUTHORITY + KEYS_V2
_CIAM = Authority(f"https://contoso.ciamlogin.com/{TENANT_ID}", TENANT_ID)
_WORKFORCE = Authority(AUTHORITY, TENANT_ID)
#: (authority, document): all but the External ID one with keys on its twin host must be refused.
METADATA: list[tuple[Authority, Any]] = [
    (_WORKFORCE, []),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"]}),
    (_WORKFORCE, {"jwks_uri": _KEYS}),
    (_WORKFORCE, {"issuer": 7, "jwks_uri": _KEYS}),
    (_WORKFORCE, {"issuer": [], "jwks_uri": _KEYS}),
    (_WORKFORCE, {"issuer": ISSUERS["1.0"], "jwks_uri": _KEYS}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"].replace("1", "9"), "jwks_uri": _KEYS}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": 7}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": _KEYS.replace("https", "http")}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": "https://attacker.example/keys"}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": f"https://{TENANT_ID}.ciamlogin.com/keys"}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": "https://login.microsoftonline.com:x/keys"}),
    (_WORKFORCE, {"issuer": ISSUERS["2.0"], "jwks_uri": _KEYS + "é"}),
    (_CIAM, {"issuer": f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0", "jwks_uri": "https://x.ciamlogin.com/k"}),
    (
        _CIAM,
        {
            "issuer": f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0",
            "jwks_uri": f"https://{TENANT_ID}.ciamlogin.com/k",
        },
    ),
    (
        _CIAM,
        {"issuer": f"https://contoso.ciamlogin.com/{TENANT_ID}/v2.0", "jwks_uri": "https://contoso.ciamlogin.com/k"},
    ),
]


def _read(authority: Authority, document: Any) -> Callable[[], object]:
    return lambda: parse_metadata(json.dumps(document).encode(), authority, "2.0")


HOSTILE_METADATA: list[Callable[[], object]] = [_read(authority, document) for authority, document in METADATA]

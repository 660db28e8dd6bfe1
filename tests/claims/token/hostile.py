"""Tokens that must be refused, each beside the code that refuses it.

The table serves twice: `test_validator.py` shows that each is refused by the rule meant, and
`test_validator_mutants.py` that no rule of the validator can be taken out without one of them getting through.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from claims.token.rules import LEEWAY_S
from selftest.base.base64url import encode_base64url
from selftest.entra.signing import KeySet, generate_signing_key, sign_compact
from tests.claims.site import APPLICATION_ID_URI, AUDIENCE, NOW_S, good_token, token_header, token_payload

OTHER = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
NOW = int(NOW_S)


@dataclass(frozen=True)
class Hostile:
    """A token, why it is hostile, and the code of the rule that refuses it."""

    name: str
    code: str
    forge: Callable[[KeySet], str]


def _header(name: str, code: str, /, **changes: object) -> Hostile:
    return Hostile(name, code, lambda keys: sign_compact(token_header(keys, **changes), token_payload(), keys.current))


def _claims(name: str, code: str, version: str = "2.0", /, **changes: object) -> Hostile:
    return Hostile(name, code, lambda keys: good_token(keys, version, **changes))


def _text(name: str, code: str, change: Callable[[str], str]) -> Hostile:
    return Hostile(name, code, lambda keys: change(good_token(keys)))


def _payload(name: str, code: str, payload: bytes) -> Hostile:
    return Hostile(name, code, lambda keys: sign_compact(token_header(keys), payload, keys.current))


def _with_last(token: str, step: int) -> str:
    """Change the unused trailing bits of the signature's last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + step]


def _swap_signature(keys: KeySet) -> str:
    mine, other = good_token(keys), good_token(keys, exp=NOW + 7200)
    return mine.rpartition(".")[0] + "." + other.rpartition(".")[2]


def _two_members(name: str) -> bytes:
    text = json.dumps(token_payload())
    return (text[:-1] + f', "{name}": {json.dumps(token_payload()[name])}}}').encode()


_FOREIGN = generate_signing_key()


def _key_of_another_issuer(keys: KeySet) -> str:
    keys.published.append({**_FOREIGN.jwk(), "issuer": f"https://login.microsoftonline.com/{OTHER}/v2.0"})
    return sign_compact(token_header(keys, kid=_FOREIGN.kid), token_payload(), _FOREIGN)


def token_of_a_bound_key(keys: KeySet) -> str:
    """Sign a good token with a key that names its issuer, with a placeholder for the tenant."""
    bound = generate_signing_key()
    keys.published.append({**bound.jwk(), "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})
    return sign_compact(token_header(keys, kid=bound.kid), token_payload(), bound)


FORM = [
    _text("one segment", "token_segments", lambda token: token.replace(".", "")),
    _text("two segments", "token_segments", lambda token: token.rpartition(".")[0]),
    _text("four segments", "token_segments", lambda token: token + ".AAAA"),
    _text("five segments, as in a JWE", "token_segments", lambda token: token + ".AAAA.AAAA"),
    _text("padding", "token_alphabet", lambda token: token + "=="),
    _text("the standard alphabet", "token_alphabet", lambda token: token[:-2] + "+/"),
    _text("a line break", "token_alphabet", lambda token: token + "\n"),
    _text("a character beyond ASCII", "token_alphabet", lambda token: token + "é"),
    _text("a length that no bytes have", "token_base64", lambda token: token + "AAA"),
    _text("trailing bits", "token_not_canonical", lambda token: _with_last(token, 1)),
    Hostile("header not JSON", "token_header", lambda k: sign_compact(b"{", token_payload(), k.current)),
    Hostile("header a list", "token_header", lambda k: sign_compact(b"[]", token_payload(), k.current)),
    Hostile(
        "alg twice",
        "token_header",
        lambda k: sign_compact(
            f'{{"alg":"none","alg":"RS256","kid":"{k.current.kid}"}}'.encode(), token_payload(), k.current
        ),
    ),
    _payload("payload not JSON", "token_payload", b"not JSON"),
    _payload("payload a string", "token_payload", b'"aud"'),
    _payload("payload not UTF-8", "token_payload", b'{"aud":"\xff"}'),
    _payload("audience twice", "token_payload", _two_members("aud")),
    _payload("NaN", "token_payload", json.dumps({**token_payload(), "exp": float("nan")}).encode()),
    _payload(
        "exp 1e999", "token_payload", json.dumps(token_payload(exp=7)).replace('"exp": 7', '"exp": 1e999').encode()
    ),
]

HEADER = [
    _header("alg none", "algorithm", alg="none"),
    _header("alg missing", "algorithm", alg=None),
    _header("alg in lower case", "algorithm", alg="rs256"),
    _header("alg a list", "algorithm", alg=["RS256"]),
    _header("alg HS256", "algorithm", alg="HS256"),
    _header("alg PS256", "algorithm", alg="PS256"),
    _header("alg RS512 said", "algorithm", alg="RS512"),
    _header("typ dpop+jwt", "token_type", typ="dpop+jwt"),
    _header("typ a number", "token_type", typ=1),
    _header("crit", "header_crit", crit=["exp"]),
    _header("crit empty", "header_crit", crit=[]),
    _header("b64 false", "header_b64", b64=False),
    _header("zip", "header_zip", zip="DEF"),
    _header("jku", "header_jku", jku="https://attacker.example/keys"),
    _header("jwk", "header_jwk", jwk={"kty": "RSA"}),
    _header("x5u", "header_x5u", x5u="https://attacker.example/cert"),
    _header("x5c", "header_x5c", x5c=["MIIB"]),
    _header("kid missing", "key_id", kid=None),
    _header("kid empty", "key_id", kid=""),
    _header("kid a number", "key_id", kid=1),
    _header("kid unknown", "key_unknown", kid="unknown"),
    _claims("ver missing", "version", ver=None),
    _claims("ver 3.0", "version", ver="3.0"),
    _claims("ver a number", "version", ver=2.0),
]

SIGNATURE = [
    Hostile(
        "another key", "signature", lambda k: sign_compact(token_header(k), token_payload(), generate_signing_key())
    ),
    Hostile("no signature", "signature", lambda k: good_token(k).rpartition(".")[0] + "."),
    Hostile("the signature of another token", "signature", _swap_signature),
    Hostile(
        "payload changed after signing",
        "signature",
        lambda k: ".".join(
            [good_token(k).split(".")[0], encode_base64url(json.dumps(token_payload(exp=NOW + 9)).encode()), "AAAA"]
        ),
    ),
    Hostile(
        "RS512 behind RS256", "signature", lambda k: sign_compact(token_header(k), token_payload(), k.current, "RS512")
    ),
    Hostile(
        "PS256 behind RS256", "signature", lambda k: sign_compact(token_header(k), token_payload(), k.current, "PS256")
    ),
]

CLAIMS = [
    Hostile("a key of another issuer", "key_issuer", _key_of_another_issuer),
    _claims("issuer missing", "issuer", iss=None),
    _claims("issuer of another tenant", "issuer", iss=f"https://login.microsoftonline.com/{OTHER}/v2.0"),
    _claims("issuer with a slash", "issuer", iss=token_payload()["iss"] + "/"),
    _claims("issuer in upper case", "issuer", iss=token_payload()["iss"].upper()),
    _claims("issuer in a list", "issuer", iss=[token_payload()["iss"]]),
    _claims("v1.0 issuer in v2.0", "issuer", iss=token_payload("1.0")["iss"]),
    _claims("v2.0 issuer in v1.0", "issuer", "1.0", iss=token_payload()["iss"]),
    _claims("audience missing", "audience", aud=None),
    _claims("audience another app", "audience", aud=OTHER),
    _claims("audience in a list", "audience", aud=[AUDIENCE]),
    _claims("audience URI in upper case", "audience", "1.0", aud=APPLICATION_ID_URI.upper()),
    _claims("audience URI in v2.0", "audience", aud=APPLICATION_ID_URI),
    _claims("tenant missing", "tenant", tid=None),
    _claims("tenant another", "tenant", tid=OTHER),
    _claims("azp missing", "caller", azp=None),
    _claims("azp another app", "caller", azp=OTHER),
    _claims("azp a list", "caller", azp=[token_payload()["azp"]]),
    _claims("appid instead of azp", "caller", azp=None, appid=token_payload()["azp"]),
    _claims("azp instead of appid", "caller", "1.0", appid=None, azp=token_payload()["azp"]),
    _claims("a user's token", "not_an_app_token", scp="user_impersonation"),
    _claims("an empty scp", "not_an_app_token", scp=""),
    _claims("an id token", "not_an_app_token", nonce="n"),
    _claims("an id token with at_hash", "not_an_app_token", at_hash="h"),
    _claims("an id token with c_hash", "not_an_app_token", c_hash="h"),
    _claims("a key-bound token", "not_an_app_token", cnf={"jkt": "k"}),
    _claims("idtyp user", "not_an_app_token", idtyp="user"),
    _claims("expired", "expired", exp=NOW - LEEWAY_S),
    _claims("not yet valid", "not_yet_valid", nbf=NOW + LEEWAY_S + 1),
    _claims("issued in the future", "issued_in_future", iat=NOW + LEEWAY_S + 1),
    *(_claims(f"{name} missing", f"{name}_malformed", "2.0", **{name: None}) for name in ("exp", "nbf", "iat")),
    *(_claims(f"{name} a string", f"{name}_malformed", "2.0", **{name: str(NOW)}) for name in ("exp", "nbf", "iat")),
    _claims("exp a boolean", "exp_malformed", exp=True),
    _claims("nbf false", "nbf_malformed", nbf=False),
    _claims("iat negative", "iat_malformed", iat=-1),
    _claims("exp beyond a double", "exp_malformed", exp=10**400),
]

HOSTILE = [*FORM, *HEADER, *SIGNATURE, *CLAIMS]

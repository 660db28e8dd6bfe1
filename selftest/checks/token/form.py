"""T01 to T29: the Authorization header and the compact serialization, before the token's contents are read."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from selftest.base.base64url import encode_base64url
from selftest.checks.bench.probe import RawRequest
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_OVER_16_KIB: Final = 13_000
_FIX_HEADER: Final = (
    "Read exactly one Authorization header of the form `Bearer <token>`; answer anything else with 401 "
    "before the body is read. See claims/header.py."
)
_FIX_STRICT: Final = (
    "Split at the dots, require three segments, and compare each decoded segment, encoded again, with the"
    " original. See claims/token/jws.py."
)


def _authorization(value: Callable[[str], str]) -> Callable[[RawRequest], RawRequest]:
    """Return a function that replaces the header's value by one made from the valid token."""
    return lambda good: good.with_header("Authorization", value(_token_of(good)))


def _token_of(good: RawRequest) -> str:
    return dict(good.headers)["Authorization"].removeprefix("Bearer ")


def _in_query(good: RawRequest) -> RawRequest:
    return replace(good, url=f"{good.url}?access_token={_token_of(good)}").without("Authorization")


def _standard_alphabet(forge: TokenForge) -> str:
    """Write a valid token with + and / in place of - and _; most signatures contain one."""
    while True:
        token = forge.with_claims()
        if "-" in token or "_" in token:
            return token.replace("-", "+").replace("_", "/")


def _trailing_bits(forge: TokenForge) -> str:
    """Set unused bits of the last character: another text of the same signature.

    The last character of a 256-byte signature has four unused bits.
    """
    token = forge.with_claims()
    return token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) | 1]


_header_attack = partial(attack, source="RFC 6750 sections 2.1 and 3; RFC 9110 section 11.4", fix=_FIX_HEADER)
_header_attack(
    "T01",
    "refuses a request without a token",
    level="security",
    sends="the valid event without an Authorization header",
    why="Anyone who finds the URL could read every user's claims.",
    request=lambda good: good.without("Authorization"),
    needs=ANYWHERE,
    bad="(no Authorization header)",
    good="Authorization: Bearer eyJ…",
)
_header_attack(
    "T02",
    "refuses an empty bearer credential",
    level="security",
    sends="`Authorization: Bearer` with nothing after it",
    why="An empty string that is accepted as a token bypasses every check.",
    request=_authorization(lambda _: "Bearer"),
    needs=ANYWHERE,
    bad="Authorization: Bearer",
)
_header_attack(
    "T03",
    "refuses the Basic scheme",
    level="hardening",
    sends="a valid token with the scheme Basic",
    why="A parser that drops the first word without reading it accepts any scheme as Bearer.",
    request=_authorization(lambda token: f"Basic {token}"),
    needs=ANYWHERE,
    bad="Authorization: Basic eyJ…",
)
_header_attack(
    "T04",
    "refuses a repeated Authorization header",
    level="hardening",
    sends="two Authorization headers, each with a valid token",
    why="Two components may use different headers, so that the checked token is not the one that is used.",
    request=lambda good: replace(good, headers=(good.headers[0], *good.headers)),
    needs=ANYWHERE,
    source="RFC 9110 section 5.3: a field that is not a list must not repeat",
)
_header_attack(
    "T05",
    "refuses two credentials joined by a comma",
    level="hardening",
    sends="one Authorization header with two valid credentials joined by a comma, as proxies join repeated headers",
    why="The host joins repeated headers in this form; using the first or the last is a guess.",
    request=_authorization(lambda token: f"Bearer {token}, Bearer {token}"),
    needs=ANYWHERE,
    source="RFC 9110 section 5.3: a field that is not a list must not repeat",
)
_header_attack(
    "T06",
    "refuses a token in the query string",
    level="hardening",
    sends="a valid token as ?access_token= and no Authorization header",
    why="URLs, and the tokens in them, are written to the logs of every component on the way.",
    request=_in_query,
    needs=ANYWHERE,
    source="RFC 6750 section 5.3: bearer tokens do not belong in page URLs; RFC 9700 section 4.3.2",
)
_header_attack(
    "T07",
    "refuses a token without a scheme",
    level="hardening",
    sends="a valid token as the whole value of the Authorization header",
    why="The scheme defines how to read the rest; without it the value is not a credential.",
    request=_authorization(lambda token: token),
    needs=ANYWHERE,
    bad="Authorization: eyJ…",
)


_compact_attack = partial(attack, source="RFC 7515 sections 3.1 and 7.1", fix=_FIX_STRICT)
_compact_attack(
    "T10",
    "refuses garbage in place of a token",
    level="security",
    sends="the bearer credential `not-a-token`",
    why="Unparsable input must end in a refusal, not in a server error.",
    request=_authorization(lambda _: "Bearer not-a-token"),
    needs=ANYWHERE,
)
_compact_attack(
    "T11",
    "refuses a token of two segments",
    level="security",
    sends="a valid token without its signature and the preceding dot",
    why="A parser that stops after the payload has nothing to verify.",
    token=lambda forge: forge.with_claims().rpartition(".")[0],
    needs=ANYWHERE,
)
_compact_attack(
    "T12",
    "refuses a token of four segments",
    level="hardening",
    sends="a valid token with one additional segment",
    why="Data after the signature is not signed, and no serialization has four segments.",
    token=lambda forge: f"{forge.with_claims()}.{encode_base64url(b'{}')}",
)
_compact_attack(
    "T13",
    "refuses a token of five segments",
    level="hardening",
    sends="a valid token with two additional segments, the form of an encrypted token",
    why="Entra does not send encrypted tokens; code that reads them would never be tested.",
    token=lambda forge: f"{forge.with_claims()}.{encode_base64url(b'{}')}.{encode_base64url(b'{}')}",
)
_compact_attack(
    "T14",
    "refuses base64 padding in a token",
    level="hardening",
    sends="a valid token with == after the signature",
    why="Two encodings of one token defeat every list, cache or log that compares tokens as text.",
    token=lambda forge: f"{forge.with_claims()}==",
    source="RFC 7515 section 2: base64url with all trailing = left out",
)
_compact_attack(
    "T15",
    "refuses the standard base64 alphabet in a token",
    level="hardening",
    sends="a valid token with + and / where base64url has - and _",
    why="A lenient decoder gives a token a second encoding.",
    token=_standard_alphabet,
    source="RFC 7515 section 2; RFC 4648 section 5",
)
_compact_attack(
    "T16",
    "refuses a space inside a token",
    level="hardening",
    sends="a valid token with a space in its payload segment",
    why="Many decoders skip spaces; a token then has any number of encodings.",
    token=lambda forge: forge.with_claims().replace(".", ". ", 1),
    source="RFC 7515 section 2: no line breaks, whitespace, or other additional characters",
)
_compact_attack(
    "T17",
    "refuses non-zero unused bits in a token's last character",
    level="hardening",
    sends="a valid token whose last character has a bit set beyond the signature's last byte",
    why="The same bytes have another text, so that a revoked or logged token is not recognized.",
    token=_trailing_bits,
    source="RFC 4648 section 3.5: canonical encoding",
)
_compact_attack(
    "T18",
    "refuses a token over 16 KiB",
    level="hardening",
    sends="a token of 17 KiB with a correct signature",
    why="Parsing costs time before the sender is authenticated; Entra's tokens have about 1.5 kB.",
    token=lambda forge: forge.with_claims(padding="x" * _OVER_16_KIB),
    source="ours: ten times the size of Entra's tokens; 400 or 431 (RFC 6585) if a front end refuses first",
    fix="Compare the header's length with a limit before anything else. See claims/header.py.",
)

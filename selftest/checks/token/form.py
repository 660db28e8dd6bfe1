"""T01 to T29: the Authorization header and the compact serialization, before the token's contents are read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from selftest.base.base64url import encode_base64url
from selftest.checks.bench.probe import RawRequest
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack, header_attack

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_OVER_16_KIB: Final = 13_000


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


header_attack("T01", lambda good: good.without("Authorization"))
header_attack("T02", _authorization(lambda _: "Bearer"))
header_attack("T03", _authorization(lambda token: f"Basic {token}"))
header_attack("T04", lambda good: replace(good, headers=(good.headers[0], *good.headers)))
header_attack("T05", _authorization(lambda token: f"Bearer {token}, Bearer {token}"))
header_attack("T06", _in_query)
header_attack("T07", _authorization(lambda token: token))

header_attack("T10", _authorization(lambda _: "Bearer not-a-token"))
attack("T11", lambda forge: forge.with_claims().rpartition(".")[0], needs=ANYWHERE)
attack("T12", lambda forge: f"{forge.with_claims()}.{encode_base64url(b'{}')}")
attack("T13", lambda forge: f"{forge.with_claims()}.{encode_base64url(b'{}')}.{encode_base64url(b'{}')}")
attack("T14", lambda forge: f"{forge.with_claims()}==")
attack("T15", _standard_alphabet)
attack("T16", lambda forge: forge.with_claims().replace(".", ". ", 1))
attack("T17", _trailing_bits)
attack("T18", lambda forge: forge.with_claims(padding="x" * _OVER_16_KIB))

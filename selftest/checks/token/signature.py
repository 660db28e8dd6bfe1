"""T60 to T69: the signature over exactly these bytes, with the tenant's key."""

from functools import partial
from typing import Final

from selftest.base.base64url import decode_base64url, encode_base64url
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack
from selftest.entra.hostile_keys import attacker_key

_FIX: Final = (
    "Verify the signature over the two segments as received, with the key that kid identifies, before any"
    " claim is used. See claims/token/validator.py."
)
_UNVERIFIED: Final = "An endpoint that decodes without verifying accepts any claim."


def _parts(forge: TokenForge) -> tuple[str, str, str]:
    header, payload, signature = forge.with_claims().split(".")
    return header, payload, signature


def _bit_flipped(forge: TokenForge) -> str:
    header, payload, signature = _parts(forge)
    octets = bytearray(decode_base64url(signature))
    octets[-1] ^= 1
    return f"{header}.{payload}.{encode_base64url(bytes(octets))}"


def _truncated(forge: TokenForge) -> str:
    header, payload, signature = _parts(forge)
    return f"{header}.{payload}.{encode_base64url(decode_base64url(signature)[:-16])}"


def _payload_altered(forge: TokenForge) -> str:
    header, _, signature = _parts(forge)
    return f"{header}.{encode_base64url(encode(forge.claims(exp=forge.now_s + 365 * 86_400)))}.{signature}"


def _header_altered(forge: TokenForge) -> str:
    _, payload, signature = _parts(forge)
    return f"{encode_base64url(encode(forge.header(note='added')))}.{payload}.{signature}"


def _others_signature(forge: TokenForge) -> str:
    header, payload, _ = _parts(forge)
    return f"{header}.{payload}.{_parts(forge)[2]}"


_attack = partial(attack, source="RFC 7515 section 5.2; RFC 7518 section 3.3", fix=_FIX)
_attack(
    "T60",
    "refuses a signature with one bit changed",
    level="security",
    sends="a valid token with the last bit of its signature flipped",
    why=_UNVERIFIED,
    token=_bit_flipped,
)
_attack(
    "T61",
    "refuses an empty signature under RS256",
    level="security",
    sends="a valid token whose third segment is empty",
    why="A verifier that skips an empty signature accepts every token unsigned (CVE-2020-28042).",
    token=lambda forge: ".".join((*_parts(forge)[:2], "")),
    needs=ANYWHERE,
)
_attack(
    "T62",
    "refuses the signature of another token",
    level="security",
    sends="a valid token with the signature of another valid token",
    why="A single signature from a log or a proxy would sign any token.",
    token=_others_signature,
)
_attack(
    "T63",
    "refuses a truncated signature",
    level="security",
    sends="a valid token with the last 16 bytes of its signature cut off",
    why="A comparison over the shorter length leaves fewer bits to guess.",
    token=_truncated,
    source="RFC 8017 section 8.2.2 step 1: the signature has the length of the modulus",
)
_attack(
    "T64",
    "refuses modified claims with an old signature",
    level="security",
    sends="a valid token's header and signature with claims that expire a year later",
    why=_UNVERIFIED,
    token=_payload_altered,
)
_attack(
    "T65",
    "refuses a modified header with an old signature",
    level="security",
    sends="a valid token with an additional header member",
    why="The signature covers the header; a verifier that covers only the claims lets the sender change it.",
    token=_header_altered,
)
_attack(
    "T66",
    "refuses the attacker's signature under the tenant's key id",
    level="security",
    sends="valid claims signed with the attacker's RSA key under the key id of the tenant's key",
    why=_UNVERIFIED,
    token=lambda forge: forge.by_attacker(),
    needs=ANYWHERE,
)
_attack(
    "T67",
    "refuses the attacker's signature under the attacker's key id",
    level="security",
    sends="valid claims signed with the attacker's RSA key under that key's id",
    why="A key that the tenant does not publish proves nothing, even if its signature is correct.",
    token=lambda forge: forge.by_attacker(kid=attacker_key().kid),
    needs=ANYWHERE,
)

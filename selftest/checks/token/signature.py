"""T60 to T69: the signature over exactly these bytes, with the tenant's key."""

from selftest.base.base64url import decode_base64url, encode_base64url
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import attack
from selftest.entra.hostile_keys import attacker_key


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


attack("T60", _bit_flipped)
attack("T61", lambda forge: ".".join((*_parts(forge)[:2], "")), needs=ANYWHERE)
attack("T62", _others_signature)
attack("T63", _truncated)
attack("T64", _payload_altered)
attack("T65", _header_altered)
attack("T66", lambda forge: forge.by_attacker(), needs=ANYWHERE)
attack("T67", lambda forge: forge.by_attacker(kid=attacker_key().kid), needs=ANYWHERE)

"""T20 to T29: the JSON inside the token. Two parsers must never read one token differently."""

from functools import partial
from typing import Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.token.refused import attack

_FIX_JSON: Final = (
    "Parse header and payload with a strict parser: UTF-8, one object, no duplicate members, no NaN. See "
    "claims/wire/strict_json.py."
)
_DUPLICATES: Final = "RFC 7515 section 4 and RFC 7519 section 4: names within an object must be unique"

_attack = partial(attack, source="RFC 7515 section 5.2; RFC 7519 section 7.2; RFC 8725 section 2.6", fix=_FIX_JSON)
_attack(
    "T20",
    "refuses a token whose header is not JSON",
    level="hardening",
    sends="a token whose header is the text `alg=RS256`, signed with the tenant's key",
    why="Unparsable input must end in a refusal, not in a server error.",
    token=lambda forge: forge.signed(header=b"alg=RS256"),
)
_attack(
    "T21",
    "refuses a token whose header is a list",
    level="hardening",
    sends="a token whose header is a list that contains the valid header",
    why="Code that expects an object fails on a list, and the server error reveals that to the sender.",
    token=lambda forge: forge.signed(header=encode([forge.header()])),
    bad='[{"alg":"RS256"}]',
    good='{"alg":"RS256"}',
)
_attack(
    "T22",
    "refuses a token whose header names its algorithm twice",
    level="hardening",
    sends='a token whose header has "alg" first as "none" and then as "RS256"',
    why=(
        "One parser uses the first member, another the last, so the value that is checked may not be the "
        "value that is used."
    ),
    token=lambda forge: forge.signed(header=twice(forge.header(), "alg", "none")),
    source=_DUPLICATES,
    bad='{"alg":"none","alg":"RS256"}',
    good='{"alg":"RS256"}',
)
_attack(
    "T23",
    "refuses a token whose header is not UTF-8",
    level="hardening",
    sends="a token whose header has a member with the byte FF",
    why="A decoder that replaces invalid bytes verifies a text other than the one it uses.",
    token=lambda forge: forge.signed(header=encode(forge.header(note="?")).replace(b"?", b"\xff")),
)
_attack(
    "T24",
    "refuses a token whose payload is not JSON",
    level="hardening",
    sends="a token with the payload `aud=me`, signed with the tenant's key",
    why="A valid signature does not imply readable claims.",
    token=lambda forge: forge.signed(payload=b"aud=me"),
)
_attack(
    "T25",
    "refuses a token whose payload is a list",
    level="hardening",
    sends="a token whose payload is a list that contains the valid claims",
    why="Code that expects an object fails on a list, and the server error reveals that to the sender.",
    token=lambda forge: forge.signed(payload=encode([forge.claims()])),
)
_attack(
    "T26",
    "refuses a token with a duplicate aud",
    level="hardening",
    sends='a token whose payload has "aud" twice, first another app\'s and then ours',
    why="Two parsers on the way may select different values.",
    token=lambda forge: forge.signed(payload=twice(forge.claims(), "aud", forge.env.tenant.other_resource.app_id)),
    source=_DUPLICATES,
    bad='{"aud":"<other>","aud":"<ours>"}',
    good='{"aud":"<ours>"}',
)
_attack(
    "T27",
    "refuses a token with a duplicate exp",
    level="hardening",
    sends='a token whose payload has "exp" twice, first in the past and then in the future',
    why="Two parsers on the way may select different values, and for one of them the token is expired.",
    token=lambda forge: forge.signed(payload=twice(forge.claims(), "exp", forge.now_s - 86_400)),
    source=_DUPLICATES,
)
_attack(
    "T28",
    "refuses a token that contains NaN",
    level="hardening",
    sends="a token with NaN as the value of an unused claim",
    why="NaN is not JSON; every comparison with it is false.",
    token=lambda forge: forge.signed(payload=spell(forge.claims(), "weight", "NaN")),
    source="RFC 8259 section 6: NaN and Infinity are not permitted",
    bad='{"weight":NaN}',
)

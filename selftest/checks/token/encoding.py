"""T20 to T29: the JSON inside the token. Two readers must never understand one token differently."""

from functools import partial
from typing import Final

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.token.refused import attack

_FIX_JSON: Final = (
    "Parse header and payload with a strict reader: UTF-8, one object, no member twice, no NaN. "
    "claims/wire/strict_json.py shows it."
)
_DUPLICATES: Final = "RFC 7515 section 4 and RFC 7519 section 4: names within an object must be unique"

_attack = partial(attack, source="RFC 7515 section 5.2; RFC 7519 section 7.2; RFC 8725 section 2.6", fix=_FIX_JSON)
_attack(
    "T20",
    "refuses a token whose header is not JSON",
    sends="a token whose header is the text `alg=RS256`, signed with the tenant's key",
    why="What a parser cannot read must end as a refusal and not as an error of the server.",
    token=lambda forge: forge.signed(header=b"alg=RS256"),
)
_attack(
    "T21",
    "refuses a token whose header is a list",
    sends="a token whose header is a list that holds the good header",
    why="Code that expects members trips over a list, and an error of the server tells the sender so.",
    token=lambda forge: forge.signed(header=encode([forge.header()])),
    bad='[{"alg":"RS256"}]',
    good='{"alg":"RS256"}',
)
_attack(
    "T22",
    "refuses a token whose header names its algorithm twice",
    sends='a token whose header has "alg" first as "none" and then as "RS256"',
    why="One reader takes the first, the next the last: a check by one says nothing about the other.",
    token=lambda forge: forge.signed(header=twice(forge.header(), "alg", "none")),
    source=_DUPLICATES,
    bad='{"alg":"none","alg":"RS256"}',
    good='{"alg":"RS256"}',
)
_attack(
    "T23",
    "refuses a token whose header is not UTF-8",
    sends="a token whose header has a member with the byte FF",
    why="A decoder that replaces what it cannot read verifies other text than it uses.",
    token=lambda forge: forge.signed(header=encode(forge.header(note="?")).replace(b"?", b"\xff")),
)
_attack(
    "T24",
    "refuses a token whose payload is not JSON",
    sends="a token over the text `aud=me`, signed with the tenant's key",
    why="A good signature does not make readable claims.",
    token=lambda forge: forge.signed(payload=b"aud=me"),
)
_attack(
    "T25",
    "refuses a token whose payload is a list",
    sends="a token over a list that holds the good claims",
    why="Code that expects claims trips over a list, and an error of the server tells the sender so.",
    token=lambda forge: forge.signed(payload=encode([forge.claims()])),
)
_attack(
    "T26",
    "refuses a token with two audiences by repetition",
    sends='a token whose payload has "aud" twice, first another app\'s and then ours',
    why="Two readers on the way may pick different ones.",
    token=lambda forge: forge.signed(payload=twice(forge.claims(), "aud", forge.env.tenant.other_resource.app_id)),
    source=_DUPLICATES,
    bad='{"aud":"<other>","aud":"<ours>"}',
    good='{"aud":"<ours>"}',
)
_attack(
    "T27",
    "refuses a token with two expiry times",
    sends='a token whose payload has "exp" twice, first past and then to come',
    why="Two readers on the way may pick different ones, and one of them holds the token for expired.",
    token=lambda forge: forge.signed(payload=twice(forge.claims(), "exp", forge.now_s - 86_400)),
    source=_DUPLICATES,
)
_attack(
    "T28",
    "refuses a token with NaN in it",
    sends="a token with a claim of the value NaN that nothing reads",
    why="NaN is not JSON; where it reaches a comparison, the comparison is false both ways.",
    token=lambda forge: forge.signed(payload=spell(forge.claims(), "weight", "NaN")),
    source="RFC 8259 section 6: NaN and Infinity are not permitted",
    bad='{"weight":NaN}',
)

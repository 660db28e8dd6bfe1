"""T20 to T29: the JSON inside the token. Two parsers must never read one token differently."""

from selftest.checks.bench.raw_bytes import encode, spell, twice
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.token.refused import attack


def _for_another_and_us(forge: TokenForge) -> str:
    return forge.signed(payload=twice(forge.claims(), "aud", forge.env.tenant.other_resource.app_id))


attack("T20", lambda forge: forge.signed(header=b"alg=RS256"))
attack("T21", lambda forge: forge.signed(header=encode([forge.header()])))
attack("T22", lambda forge: forge.signed(header=twice(forge.header(), "alg", "none")))
attack("T23", lambda forge: forge.signed(header=encode(forge.header(note="?")).replace(b"?", b"\xff")))
attack("T24", lambda forge: forge.signed(payload=b"aud=me"))
attack("T25", lambda forge: forge.signed(payload=encode([forge.claims()])))
attack("T26", _for_another_and_us)
attack("T27", lambda forge: forge.signed(payload=twice(forge.claims(), "exp", forge.now_s - 86_400)))
attack("T28", lambda forge: forge.signed(payload=spell(forge.claims(), "weight", "NaN")))

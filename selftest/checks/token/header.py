"""T45 to T59: the other members of the token's header, of which only ``kid`` may select anything."""

from functools import partial
from typing import Final

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.registry import ANYWHERE
from selftest.checks.token.refused import FIX_VALIDATION, attack
from selftest.entra.hostile_keys import attacker_key

_FIX_KID: Final = (
    "Look up `kid` as a string in a dictionary of the loaded keys; refuse an unknown id after at most one"
    " refresh. See claims/token/keys.py."
)
_FIX_KEYS: Final = "Take keys only from the tenant's jwks_uri. See claims/token/validator.py."
_OWN_KEY: Final = "The sender of a key can sign anything with it (CVE-2018-0114)."
_FIX_CRIT: Final = (
    "Refuse any token with a crit member, because no extension is implemented. See claims/token/validator.py."
)


def _with_attackers_jwk(forge: TokenForge) -> str:
    jwk = attacker_key().jwk()
    return forge.by_attacker(jwk=jwk, kid=jwk["kid"])


_key_id_attack = partial(
    attack, source="entra-docs access-tokens.md: kid names the key in the metadata's key document", fix=_FIX_KID
)
_key_id_attack(
    "T45",
    "refuses a token without a key id",
    level="hardening",
    sends="a token signed with the tenant's key, without kid",
    why="Trying every key lets the sender select one, and costs one verification per key.",
    token=lambda forge: forge.with_header(kid=ABSENT),
    bad='{"alg":"RS256"}',
    good='{"alg":"RS256","kid":"…"}',
)
_key_id_attack(
    "T46",
    "refuses an unknown key id",
    level="hardening",
    sends="a token signed with the tenant's key under a key id that is not published",
    why="A fallback to another key makes the key id meaningless, also for withdrawn keys.",
    token=lambda forge: forge.with_header(kid="not-published"),
)
_key_id_attack(
    "T47",
    "refuses a key id that is not a string",
    level="hardening",
    sends="a token signed with the tenant's key whose kid is a list that contains the right id",
    why="A list cannot be a dictionary key: the lookup raises, and a server error is not a refusal.",
    token=lambda forge: forge.with_header(kid=[forge.env.entra.keys.current.kid]),
    source="RFC 7515 section 4.1.4: kid must be a string",
)
_key_id_attack(
    "T48",
    "refuses a key id that is a path",
    level="security",
    sends="a token signed with an empty secret (HS256) under kid ../../../../dev/null",
    why="If the id is used as a file name, an empty file is a secret that everyone knows.",
    token=lambda forge: forge.signed(
        header=forge.header(alg="HS256", kid="../../../../dev/null"), key=b"", alg="HS256"
    ),
    needs=ANYWHERE,
    source="RFC 8725 section 3.10: do not trust received claims as lookup keys",
)
_key_id_attack(
    "T49",
    "refuses a thumbprint in place of a key id",
    level="hardening",
    sends="a token signed with the tenant's key, with its thumbprint in x5t and without kid",
    why="Entra identifies its keys by kid in both versions; a second method is not needed.",
    token=lambda forge: forge.with_header(kid=ABSENT, x5t=forge.env.entra.keys.current.kid),
    source="entra-docs access-tokens.md: kid identifies the key; x5t is kept for compatibility in v1.0 tokens",
)


_brought_keys_attack = partial(
    attack, source="RFC 8725 section 3.10: do not follow jku, x5u or a key in the header", fix=_FIX_KEYS
)
_brought_keys_attack(
    "T51",
    "refuses a token that contains its own key (jwk)",
    level="security",
    sends="a token signed with the attacker's key, with that key in the header's jwk",
    why=_OWN_KEY,
    token=_with_attackers_jwk,
    needs=ANYWHERE,
    bad='{"alg":"RS256","jwk":{…}}',
)
_brought_keys_attack(
    "T52",
    "refuses a token that points to a key set (jku), and fetches nothing",
    level="security",
    sends="a token signed with the attacker's key, with the URL of the attacker's key set in jku",
    why=(
        "The sender of a key can sign anything with it (CVE-2018-0114). Fetching the URL is a network request"
        " on the sender's behalf (SSRF)."
    ),
    token=lambda forge: forge.by_attacker(jku=forge.attacker_url(), kid=attacker_key().kid),
    needs=ANYWHERE,
    bad='{"alg":"RS256","jku":"https://attacker.example/keys"}',
)
_brought_keys_attack(
    "T53",
    "refuses a token that points to a certificate (x5u), and fetches nothing",
    level="security",
    sends="a token signed with the attacker's key, with a URL of the attacker's in x5u",
    why=(
        "The sender of a key can sign anything with it (CVE-2018-0114). Fetching the URL is a network request"
        " on the sender's behalf (SSRF)."
    ),
    token=lambda forge: forge.by_attacker(x5u=forge.attacker_url(), kid=attacker_key().kid),
    needs=ANYWHERE,
)
_brought_keys_attack(
    "T54",
    "refuses a token that contains its own certificate (x5c)",
    level="security",
    sends="a token signed with the attacker's key, with its self-signed certificate in x5c",
    why=(
        "The sender of a key can sign anything with it (CVE-2018-0114). A self-signed certificate proves "
        "nothing about its owner."
    ),
    token=lambda forge: forge.by_attacker(x5c=[attacker_key().certificate], kid=attacker_key().kid),
    needs=ANYWHERE,
)


_extensions_attack = partial(attack, source="RFC 7515 section 5.2", fix=_FIX_CRIT)
_extensions_attack(
    "T55",
    "refuses a critical extension that it does not implement (crit)",
    level="hardening",
    sends="a token signed with the tenant's key whose crit names an extension that does not exist",
    why="An implementation that does not understand an extension in crit must refuse the token (GHSA-752w-5fwx-jx9f).",
    token=lambda forge: forge.with_header(crit=["urn:example:limit"], **{"urn:example:limit": 1}),
    source="RFC 7515 section 4.1.11",
    bad='{"crit":["urn:example:limit"],"urn:example:limit":1}',
)
_extensions_attack(
    "T56",
    "refuses an empty crit",
    level="hardening",
    sends="a token signed with the tenant's key, with an empty list as crit",
    why="The list must not be empty; an endpoint that accepts it does not read crit at all.",
    token=lambda forge: forge.with_header(crit=[]),
    source="RFC 7515 section 4.1.11: producers must not use the empty list",
)
_extensions_attack(
    "T57",
    "refuses an unencoded payload (b64 false)",
    level="hardening",
    sends="a token signed with the tenant's key, with b64 false and crit naming it",
    why="The signed bytes then differ from the decoded ones.",
    token=lambda forge: forge.with_header(b64=False, crit=["b64"]),
    source="RFC 7797 sections 6 and 7: not for JWTs",
)
_extensions_attack(
    "T50",
    "refuses an unencoded payload without crit",
    level="hardening",
    sends="a token signed with the tenant's key, with b64 false and without crit",
    why=(
        "An endpoint that ignores b64 decodes a payload that the signer did not encode; this is why the "
        "standard requires crit."
    ),
    token=lambda forge: forge.with_header(b64=False),
    source="RFC 7797 section 6: crit must name b64",
    fix=FIX_VALIDATION,
)
_extensions_attack(
    "T58",
    "refuses a token marked as compressed (zip)",
    level="hardening",
    sends="a token signed with the tenant's key, with zip DEF",
    why=(
        "zip is defined for encrypted tokens only; a parser that decompresses can be made to produce very large output."
    ),
    token=lambda forge: forge.with_header(zip="DEF"),
    source="RFC 7516 section 4.1.3; RFC 8725 section 3.6",
    fix=FIX_VALIDATION,
)
_extensions_attack(
    "T59",
    "refuses a token of another type",
    level="hardening",
    sends="a token signed with the tenant's key, with typ dpop+jwt",
    why="A token made for another purpose must not be accepted as an access token because the same key signs both.",
    token=lambda forge: forge.with_header(typ="dpop+jwt"),
    source="RFC 8725 section 3.11: explicit typing",
    bad='{"typ":"dpop+jwt"}',
    good='{"typ":"JWT"}',
    fix="Accept only typ JWT or at+jwt. See claims/token/validator.py.",
)

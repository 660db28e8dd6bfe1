"""The claim types that a claims mapping policy may not emit: one list for JSON Web Tokens, one for SAML assertions.

They restrict a policy's target (``JwtClaimType``, ``SamlClaimType``). A custom claims provider may return a claim of
any name: in the policy that name is the ``ID``, and the target renames it.

Source: entra-docs ``reference-claims-customization.md``: restricted claim sets, exceptions and restrictions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

type TokenFormat = Literal["jwt", "saml"]
type Restriction = Literal["restricted", "needs-signing-key"]

#: The subject of a SAML assertion, as a policy names it. A custom claims provider's attribute may not be its source.
NAME_ID_CLAIM_TYPE: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

JWT_PREFIXES: Final = ("xms_", "extn.")


def _lists() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the lists of the text file, which are easier to hold against the page than in quotes."""
    text = Path(__file__).with_name("restricted_claims.txt").read_text(encoding="ascii")
    for part in text.split("[")[1:]:
        name, _, words = part.partition("]")
        yield name, frozenset(words.split())


_LISTS: Final = dict(_lists())
JWT_CLAIM_TYPES: Final = _LISTS["jwt"]
SAML_CLAIM_TYPES: Final = _LISTS["saml"]
#: Restricted unless the application has a custom signing key. The page lists ``role`` and ``upn`` under both rules.
SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY: Final = _LISTS["saml-without-signing-key"]


def restriction(claim_type: str, token: TokenFormat) -> Restriction | None:
    """Return why a policy may not emit a claim type, or None where it may."""
    if token == "jwt":  # noqa: S105 - a format, not a secret
        jwt = claim_type in JWT_CLAIM_TYPES or claim_type.startswith(JWT_PREFIXES)
        return "restricted" if jwt else None
    if claim_type in SAML_CLAIM_TYPES:
        return "restricted"
    return "needs-signing-key" if claim_type in SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY else None

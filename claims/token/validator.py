"""The token: is this Entra's event service, calling this endpoint for this tenant?

The order is deliberate. Structure first, because it is cheap; then the header, which the sender chose and which may
choose nothing but one of our keys; then the signature; and only then the claims, which prove nothing before. Two
claims are read before the signature: ``ver`` and ``iss`` choose the metadata document, as in Microsoft's own validator,
and the signature then proves them, since only a key of that document is accepted.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from claims.errors import TokenRefused, shorten
from claims.measurements import Measurements
from claims.settings.authority import TokenVersion
from claims.settings.settings import Settings
from claims.token.accepted_tokens import AcceptedToken, AcceptedTokens
from claims.token.jwks import SigningKey
from claims.token.jws import CompactToken, parse_compact
from claims.token.keys import NamedKey, SigningKeys
from claims.token.rules import LEEWAY_S, check_claims

#: RS256 (RFC 7518 section 3.3). PyJWT would call the same, after an import that every cold start would wait for.
_RS256: Final = (PKCS1v15(), SHA256())
_TYPES: Final = frozenset({"jwt", "at+jwt"})
#: Header parameters that change what is verified, or bring a key.
_REFUSED: Final = ("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c")


class TokenValidator:
    """Validates the access token of one request.

    There is no switch that turns a check off.
    """

    def __init__(self, settings: Settings, keys: SigningKeys, *, wall_clock: Callable[[], float]) -> None:
        self._settings = settings
        self._keys = keys
        self._wall_clock = wall_clock
        self._accepted = AcceptedTokens(wall_clock)

    async def validate(self, token: str, measured: Measurements) -> None:
        """Validate a compact token.

        Args:
            token: As in the header, at most `claims.header.MAX_TOKEN_BYTES`.
            measured: Measures the phases; a load of signing keys is waited for within its budget.

        Raises:
            TokenRefused: A check failed; the code names it.
            KeysUnavailable: The token cannot be judged, because the keys of its issuer are not loaded.

        Source: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725 section 3; entra-docs ``access-tokens.md``.
        """
        measured.begin("token")
        accepted = self._accepted.get(token)
        compact = None
        if accepted is None:
            compact = parse_compact(token)
            named = named_key(compact)
        else:
            named = accepted.named
        measured.begin("keys")
        measured.cache_hits["keys"] = False  # also where there is no such key
        key, measured.cache_hits["keys"] = await self._keys.find(*named, wait_s=measured.remaining_s())
        measured.begin("token")
        seen = accepted is not None and accepted.key is key
        measured.cache_hits["signature"] = seen
        if not seen:
            self._judge(token, compact or parse_compact(token), AcceptedToken(named, key))

    def _judge(self, token: str, compact: CompactToken, accepted: AcceptedToken) -> None:
        """Verify the signature, check the claims, and remember the token until it expires."""
        version, key = accepted.named.version, accepted.key
        verify_signature(compact, key)
        expires_s = check_claims(
            compact.payload, version=version, key=key, settings=self._settings, now_s=self._wall_clock()
        )
        self._accepted.put(token, accepted, until_s=expires_s + LEEWAY_S)


def named_key(compact: CompactToken) -> NamedKey:
    """Return the key that a token says it was signed with, once its header may be followed.

    Raises:
        TokenRefused: The header, ``ver`` or ``iss`` is not acceptable.
    """
    check_header(compact.header)
    return NamedKey(token_version(compact.payload), token_issuer(compact.payload), compact.header["kid"])


def check_header(header: Mapping[str, Any]) -> None:
    """Require RS256 with a key id; the header may choose nothing else.

    ``jku``, ``jwk``, ``x5u`` and ``x5c`` point to keys that the sender chose: they are never followed, and a token that
    carries one is not Entra's. Members without meaning here are ignored, so that a new one does not stop sign-ins.

    Raises:
        TokenRefused: Another algorithm or type, an extension that must be understood, or a key in the header.

    Source: RFC 8725 sections 3.1, 3.10 and 3.11; RFC 7515 sections 4.1.2 to 4.1.11; RFC 7797 section 3.
    """
    if header.get("alg") != "RS256":
        raise TokenRefused("algorithm", f"expected 'RS256', got {shorten(header.get('alg'))}")
    token_type = header.get("typ", "JWT")
    if not isinstance(token_type, str) or token_type.lower() not in _TYPES:
        raise TokenRefused("token_type", f"expected 'JWT', got {shorten(token_type)}")
    if not header.keys().isdisjoint(_REFUSED):
        raise TokenRefused(f"header_{next(filter(header.__contains__, _REFUSED))}", "expected none")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRefused("key_id", f"expected a key id, got {shorten(kid)}")


def token_version(payload: Mapping[str, Any]) -> TokenVersion:
    """Return ``ver``, which chooses the metadata document and the claim that names the caller.

    Raises:
        TokenRefused: It is neither ``"1.0"`` nor ``"2.0"``.
    """
    match payload.get("ver"):
        case "2.0":
            return "2.0"
        case "1.0":
            return "1.0"
        case other:
            raise TokenRefused("version", f"expected '1.0' or '2.0', got {shorten(other)}")


def token_issuer(payload: Mapping[str, Any]) -> str:
    """Return ``iss``, which chooses the metadata document.

    Raises:
        TokenRefused: It is not a string.
    """
    issuer = payload.get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("issuer", f"expected an issuer's URL, got {shorten(issuer)}")
    return issuer


def verify_signature(compact: CompactToken, key: SigningKey) -> None:
    """Verify the RS256 signature.

    Raises:
        TokenRefused: It is not this key's signature over this header and payload.

    Source: RFC 7515 section 5.2, RFC 7518 section 3.3.
    """
    try:
        key.public_key.verify(compact.signature, compact.signing_input, *_RS256)
    except InvalidSignature:
        raise TokenRefused("signature", "expected the signature of the named key") from None

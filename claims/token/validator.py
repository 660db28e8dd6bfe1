"""The token: is this Entra's event service, calling this endpoint for this tenant?

The order is deliberate. Structure first, because it is cheap; then the header, which the sender chose and which may
choose nothing but one of our keys; then the signature; and only then the claims, which say something only now. One
claim is read before the signature: ``ver`` picks the metadata document, as Microsoft's own validator does.

A caller uses one token for many calls. A signature over the same bytes by the same key is not verified again; the
claims are checked every time, for time goes by, and so is the key, for it may have been withdrawn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache
from jwt.algorithms import RSAAlgorithm

from claims.errors import TokenRefused, shorten
from claims.measurements import Measurements
from claims.settings.authority import TokenVersion
from claims.settings.settings import Settings
from claims.token.jwks import SigningKey
from claims.token.jws import CompactToken, parse_compact
from claims.token.keys import LOAD_TIMEOUT_S, SigningKeys
from claims.token.rules import check_claims

_RS256: Final = RSAAlgorithm(RSAAlgorithm.SHA256)
_TYPES: Final = frozenset({"jwt", "at+jwt"})
#: Tokens whose signature is remembered: at most a megabyte. Entra needs one for each of its instances at the most.
MAX_VERIFIED: Final = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called, proved.

    Attributes:
        app_id: the calling application, one of `Settings.caller_app_ids`.
        tenant_id: the tenant that issued the token, always `Settings.tenant_id`.
        version: the token's version.
    """

    app_id: str
    tenant_id: str
    version: TokenVersion


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature was verified with this key; its claims are not checked yet."""

    payload: dict[str, Any]
    version: TokenVersion
    key: SigningKey


class TokenValidator:
    """Validates the access token of one request.

    There is no switch that turns a check off.

    Args:
        settings: whom to believe.
        keys: the signing keys.
        wall_clock: seconds since the epoch, for ``exp``, ``nbf`` and ``iat``.
    """

    def __init__(self, settings: Settings, keys: SigningKeys, *, wall_clock: Callable[[], float]) -> None:
        self._settings = settings
        self._keys = keys
        self._wall_clock = wall_clock
        self._verified: LRUCache[str, Verified] = LRUCache(MAX_VERIFIED)

    async def validate(self, token: str, record: Measurements) -> Caller:
        """Validate a compact token and say who sent it.

        Args:
            token: as it stood in the header, at most `claims.header.MAX_TOKEN_BYTES`.
            record: measures the phases; a load of signing keys is waited for within its budget.

        Raises:
            TokenRefused: any check failed; the code names it.
            KeysUnavailable: it cannot be judged, because no keys are loaded.

        Source: RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725 section 3; entra-docs ``access-tokens.md``.
        """
        verified = self._seen(token)
        record.cache_hit("signature", verified is not None)
        if verified is None:
            verified = await self._verify(token, record)
        with record.phase("token"):
            app_id = check_claims(
                verified.payload,
                version=verified.version,
                key=verified.key,
                issuers=self._keys.issuers(verified.version),
                settings=self._settings,
                now_s=self._wall_clock(),
            )
        # Only what passed: nobody else's good tokens can crowd out Entra's.
        self._verified[token] = verified
        return Caller(app_id=app_id, tenant_id=self._settings.tenant_id, version=verified.version)

    def _seen(self, token: str) -> Verified | None:
        """Give a token whose signature is known to be good, while its key is still one of the published."""
        verified = self._verified.get(token)
        if verified is None or self._keys.lookup(verified.version, verified.key.kid) is not verified.key:
            return None
        return verified

    async def _verify(self, token: str, record: Measurements) -> Verified:
        with record.phase("token"):
            compact = parse_compact(token)
            check_header(compact.header)
            version = token_version(compact.payload)
        with record.phase("keys"):
            kid = compact.header["kid"]
            key = self._keys.lookup(version, kid)
            record.cache_hit("keys", key is not None)
            if key is None:
                key = await self._keys.find(version, kid, wait_s=min(LOAD_TIMEOUT_S, record.remaining_s()))
        with record.phase("token"):
            verify_signature(compact, key)
        return Verified(compact.payload, version, key)


def check_header(header: dict[str, Any]) -> None:
    """Accept RS256 with a key id, and let the header choose nothing else.

    ``jku``, ``jwk``, ``x5u`` and ``x5c`` point to keys that the sender chose: they are never followed, and a token that
    carries one is not Entra's. Members without meaning here are ignored, so that a new one does not stop sign-ins.

    Raises:
        TokenRefused: another algorithm or type, an extension that must be understood, or a key brought along.

    Source: RFC 8725 sections 3.1, 3.10 and 3.11; RFC 7515 sections 4.1.2 to 4.1.11; RFC 7797 section 3.
    """
    if header.get("alg") != "RS256":
        raise TokenRefused("algorithm", f"expected 'RS256', got {shorten(header.get('alg'))}")
    token_type = header.get("typ", "JWT")
    if not isinstance(token_type, str) or token_type.lower() not in _TYPES:
        raise TokenRefused("token_type", f"expected 'JWT', got {shorten(token_type)}")
    for name in ("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"):
        if name in header:
            raise TokenRefused(f"header_{name}", "expected none")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRefused("key_id", f"expected a key id, got {shorten(kid)}")


def token_version(payload: dict[str, Any]) -> TokenVersion:
    """Read ``ver``, which chooses the metadata document and the claim that names the caller.

    Raises:
        TokenRefused: neither ``"1.0"`` nor ``"2.0"``.
    """
    match payload.get("ver"):
        case "2.0":
            return "2.0"
        case "1.0":
            return "1.0"
        case other:
            raise TokenRefused("version", f"expected '1.0' or '2.0', got {shorten(other)}")


def verify_signature(compact: CompactToken, key: SigningKey) -> None:
    """Verify the RS256 signature.

    Raises:
        TokenRefused: it is not this key's signature over this header and payload.

    Source: RFC 7515 section 5.2, RFC 7518 section 3.3.
    """
    if not _RS256.verify(compact.signing_input, key.public_key, compact.signature):
        raise TokenRefused("signature", "expected the signature of the named key")

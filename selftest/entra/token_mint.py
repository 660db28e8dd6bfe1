"""The tokens of the emulated tenant: the callout's token, and tokens that an endpoint must distinguish from it.

Source: entra-docs ``custom-extension-overview.md`` (caller, issuer), ``access-token-claims-reference.md`` (claims by
version), ``access-tokens.md`` (the sample tokens there live 3900 s).
"""

import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Final, Literal

from selftest.base.base64url import encode_base64url
from selftest.base.sample_tenant import Tenant
from selftest.entra.signing import KeySet, sign_compact

#: The version of Entra's endpoints and of the tokens that they issue.
type EntraVersion = Literal["1.0", "2.0"]

#: As the value of a change: omits the claim.
ABSENT: Final = object()

#: The published sample tokens expire 3900 s after ``nbf``: an hour, and five minutes for clocks that differ.
_BACKDATED_S: Final = 300
_LIFETIME_S: Final = 3900

#: The user of the user tokens: a made-up member of the emulated tenant.
_USER_OBJECT_ID: Final = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


class TokenMint:
    """Mint the tokens of one tenant with its current key.

    Args:
        tenant: The tenant.
        authority_url: ``<host>/<tenantId>``, the root of the v2.0 issuer.
        keys: The key set that signs; a rotation takes effect at the next token.
        clock: Wall-clock seconds since 1970.
        rng: Random bytes for the ids that are unique per token.
        issuer_v2: The v2.0 issuer where it is not ``<authority_url>/v2.0``: an External ID tenant names ciamlogin.com.
    """

    def __init__(
        self,
        tenant: Tenant,
        authority_url: str,
        keys: KeySet,
        clock: Callable[[], float],
        *,
        rng: Callable[[int], bytes] = secrets.token_bytes,
        issuer_v2: str | None = None,
    ) -> None:
        self.tenant = tenant
        self.authority_url = authority_url
        self.keys = keys
        self._clock = clock
        self._rng = rng
        self._issuer_v2 = issuer_v2 or f"{authority_url}/v2.0"

    def issuer(self, version: EntraVersion) -> str:
        """Return the issuer in the metadata document of this version."""
        if version == "1.0":
            return f"https://sts.windows.net/{self.tenant.tenant_id}/"
        return self._issuer_v2

    def header(self, version: EntraVersion = "2.0") -> dict[str, object]:
        """Return the header of a valid token. Only v1.0 tokens carry ``x5t``."""
        kid = self.keys.current.kid
        thumbprint = {"x5t": kid} if version == "1.0" else {}
        return {"typ": "JWT", "alg": "RS256", **thumbprint, "kid": kid}

    def claims(self, version: EntraVersion = "2.0") -> dict[str, object]:
        """Return the claims of the callout's token.

        It is a client-credentials token of the event service: without ``scp`` and, because Microsoft's setup assigns no
        role, without ``roles``. ``azpacr`` states that the caller authenticated with a certificate; the value for this
        caller is undocumented.
        """
        return self.app_claims(self.tenant.caller_app_id, self.tenant.caller_object_id, version=version)

    def app_claims(
        self, app_id: str, object_id: str, *, version: EntraVersion = "2.0", audience: str | None = None
    ) -> dict[str, object]:
        """Return the claims of any app's client-credentials token, by default for the endpoint."""
        legacy = version == "1.0"
        issuer = self.issuer(version)
        return {
            "aud": self.tenant.audience_app_id if audience is None else audience,
            "iss": issuer,
            **self.lifetime(),
            "aio": encode_base64url(self._rng(24)),
            "appid" if legacy else "azp": app_id,
            "appidacr" if legacy else "azpacr": "2",
            **({"idp": issuer} if legacy else {}),
            "oid": object_id,
            "rh": f"1.{encode_base64url(self._rng(24))}.",
            "sub": object_id,
            "tid": self.tenant.tenant_id,
            "uti": encode_base64url(self._rng(16)),
            "ver": version,
        }

    def callout_token(self, version: EntraVersion = "2.0", **changes: object) -> str:
        """Mint the callout's token; changes replace claims by name, ``ABSENT`` omits one."""
        return self.sign({**self.claims(version), **changes}, version=version)

    def client_credentials_token(
        self, app_id: str, *, version: EntraVersion = "2.0", audience: str | None = None, **changes: object
    ) -> str:
        """Mint the token that an app gets for itself at the token endpoint: its own id is the authorized party.

        The object id is derived from the app id, so an app always has the same service principal.
        """
        object_id = str(uuid.uuid5(uuid.UUID(self.tenant.tenant_id), app_id))
        claims = self.app_claims(app_id, object_id, version=version, audience=audience)
        return self.sign({**claims, **changes}, version=version)

    def user_token(self, version: EntraVersion = "2.0", **changes: object) -> str:
        """Mint a signed-in user's access token for the endpoint: it is delegated, so it carries ``scp``."""
        claims = self.app_claims(self.tenant.client.app_id, _USER_OBJECT_ID, version=version)
        claims |= {**self._user_claims(), "scp": "access_as_user"}
        return self.sign({**claims, **changes}, version=version)

    def id_token(self, version: EntraVersion = "2.0", **changes: object) -> str:
        """Mint an id token for the endpoint's own app: it has the right audience but authorizes no caller."""
        claims = {
            "aud": self.tenant.audience_app_id,
            "iss": self.issuer(version),
            **self.lifetime(),
            "nonce": encode_base64url(self._rng(16)),
            **self._user_claims(),
            "tid": self.tenant.tenant_id,
            "uti": encode_base64url(self._rng(16)),
            "ver": version,
        }
        return self.sign({**claims, **changes}, version=version)

    def sign(self, claims: Mapping[str, object], *, version: EntraVersion = "2.0") -> str:
        """Sign these claims with the current key, without those whose value is ``ABSENT``."""
        kept = {name: value for name, value in claims.items() if value is not ABSENT}
        return sign_compact(self.header(version), kept, self.keys.current)

    def unique(self, size_bytes: int = 16) -> str:
        """Return an id that no other token has."""
        return encode_base64url(self._rng(size_bytes))

    def lifetime(self) -> dict[str, object]:
        """Return ``iat``, ``nbf`` and ``exp`` of a token minted now, in seconds since 1970."""
        issued_at = int(self._clock()) - _BACKDATED_S
        return {"iat": issued_at, "nbf": issued_at, "exp": issued_at + _LIFETIME_S}

    def _user_claims(self) -> dict[str, object]:
        return {
            "name": "Ada Sample",
            "oid": _USER_OBJECT_ID,
            "preferred_username": f"ada@{self.tenant.domain}",
            # Pairwise at Entra: another value for every app, and never the object id.
            "sub": encode_base64url(self._rng(32)),
        }

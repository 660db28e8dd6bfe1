"""The sign-in desk of one emulated tenant: what its endpoints share, and sign-ins played without a browser.

``Desk.play`` is for whoever wants to see a sign-in whole (a page, a test): it asks the extensions, judges, maps and
mints exactly as the endpoints do, and gives the record that the log keeps.
"""

import json
import uuid
from collections.abc import Callable, Mapping

from selftest.base.base64url import encode_base64url
from selftest.entra.oauth_error import Trace
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.play.caller import Caller
from selftest.signin.authorization_codes import CodeStore
from selftest.signin.browser_sessions import Sessions
from selftest.signin.issuance import Issuance, Issuer
from selftest.signin.refresh_tokens import RefreshTokens
from selftest.signin.saml.attribute_statement import AttributeStatement, attribute_statement
from selftest.signin.scopes import Scopes, read_scopes
from selftest.signin.sign_in_log import EventsLog, SignInRecord
from selftest.signin.tenant.directory import App, Directory, Person
from selftest.signin.user_tokens import Grant, access_token, id_token


class Desk:
    """Everything that is issued and remembered for one tenant.

    Args:
        directory: The tenant.
        mint: Gives the mint of the callout's token, once the server listens.
        caller: Calls the extensions.
        clock: Wall-clock seconds since 1970.
        new_id: Gives an id that nobody can guess.

    Attributes:
        log: The sign-ins that happened.
        new_id: The same.
    """

    def __init__(
        self,
        directory: Directory,
        mint: Callable[[], TokenMint],
        caller: Caller,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.log = EventsLog()
        self.issuer = Issuer(directory, mint, caller, self.log, clock)
        self.refresh_tokens = RefreshTokens(clock, new_id)
        self.codes = CodeStore(clock, new_id, self.refresh_tokens.withdraw)
        self.sessions = Sessions(new_id)
        self.new_id = new_id
        self._clock = clock

    @property
    def directory(self) -> Directory:
        """Give the tenant."""
        return self.issuer.directory

    def aim_at(self, target_url: str) -> None:
        """Move every extension's endpoint: an endpoint's address is often known only after its authority's."""
        self.issuer.directory = self.issuer.directory.aimed_at(target_url)

    def trace(self, correlation_id: str) -> Trace:
        """Give what an error carries so that it can be found; an empty correlation id stands for a new one."""
        known = correlation_id or str(uuid.uuid4())
        return Trace(trace_id=str(uuid.uuid4()), correlation_id=known, at_s=self._clock())

    async def play(
        self, mint: TokenMint, person: Person, client: App, *, scope: str = "openid profile", nonce: str | None = None
    ) -> SignInRecord:
        """Sign a user in to an app, as the code flow would with this scope, and mint the tokens.

        The record has the calls with their times and verdicts, and the claims of every token; with a ``refusal`` there
        are none.

        Raises:
            OAuthError: The scope names something that is not there.
        """
        saml = client.protocol == "saml"
        scopes = read_scopes(self.directory, scope)
        record = await self.issuer.issue(
            Issuance(
                person=person,
                client=client,
                scopes=None if saml else scopes,
                id_token=scopes.id_token,
                access_token=not saml,
                correlation_id=str(uuid.uuid4()),
            )
        )
        if record.refusal is None and saml:
            self.note_statement(record)
        elif record.refusal is None:
            grant = self.grant(record, scopes, "2.0", session_id=self.new_id(), nonce=nonce)
            if scopes.id_token:
                self.sign_id_token(mint, grant, record)
            self.sign_access_token(mint, grant, record)
        return record

    def grant(
        self, record: SignInRecord, scopes: Scopes, version: EntraVersion, *, session_id: str, nonce: str | None
    ) -> Grant:
        """Give what a sign-in that was not refused gives a right to.

        Raises:
            OAuthError: It was refused.
        """
        if record.refusal is not None:
            raise record.refusal
        return Grant(
            person=record.person,
            client=record.client,
            scopes=scopes,
            version=version,
            session_id=session_id,
            nonce=nonce,
            id_claims=record.custom_claims.get("id_token", {}),
            access_claims=record.custom_claims.get("access_token", {}),
        )

    def sign_id_token(self, mint: TokenMint, grant: Grant, record: SignInRecord, *, code: str | None = None) -> str:
        """Mint the id token, and note its claims."""
        claims = id_token(mint, grant, code=code)
        return _sign(mint, "id_token", claims, grant.version, record)

    def sign_access_token(self, mint: TokenMint, grant: Grant, record: SignInRecord) -> str:
        """Mint the access token, and note its claims."""
        claims = access_token(mint, grant)
        return _sign(mint, "access_token", claims, grant.scopes.resource.access_version, record)

    def note_statement(self, record: SignInRecord) -> AttributeStatement:
        """Build the attribute statement of a SAML sign-in, and note it."""
        custom = record.custom_claims.get("saml", {})
        statement = attribute_statement(record.person, record.client, self.directory.tenant.tenant_id, custom)
        record.minted["saml"] = statement.as_claims()
        return statement

    def client_info(self, person: Person) -> str:
        """Name the account as Microsoft's libraries want it: object id and tenant id."""
        account = {"uid": person.id, "utid": self.directory.tenant.tenant_id}
        return encode_base64url(json.dumps(account, separators=(",", ":")).encode())


def _sign(mint: TokenMint, kind: str, claims: Mapping[str, object], version: EntraVersion, record: SignInRecord) -> str:
    record.minted[kind] = claims
    return mint.sign(claims, version=version)

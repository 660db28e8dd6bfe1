"""The sign-ins of one emulated tenant: what its endpoints share, and sign-ins without a browser.

``SignInService.sign_in`` is for callers that need a complete sign-in (a page, a test): it calls the extensions, judges,
maps and mints exactly as the endpoints do, and returns the record of the log.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from selftest.base.base64url import encode_base64url
from selftest.entra.oauth_error import Trace
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.play.caller import Caller
from selftest.signin.browser_sessions import BrowserSession, BrowserSessions, set_form_cookie
from selftest.signin.issuance import Issuance, Issuer
from selftest.signin.oidc.authorization_codes import CodeStore
from selftest.signin.oidc.refresh_tokens import RefreshTokens
from selftest.signin.oidc.scopes import Scopes, read_scopes
from selftest.signin.pages import user_page
from selftest.signin.saml.attribute_statement import AttributeStatement, attribute_statement
from selftest.signin.sign_in_log import EmulatedSignInLog, SignInRecord
from selftest.signin.tenant.directory import App, Directory, Person
from selftest.signin.user_tokens import Grant, access_token, id_token

#: The target of the page's form, relative to the endpoint that shows the page.
USER_PATH: Final = "/user"


class SignInService:
    """Issues and stores everything for the sign-ins of one tenant.

    Args:
        mint: Returns the mint of the callout's token, once the server listens.
        new_id: Returns an unguessable id.

    Attributes:
        new_id: The argument.
    """

    def __init__(
        self,
        directory: Directory,
        mint: Callable[[], TokenMint],
        caller: Caller,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.log = EmulatedSignInLog()
        self.issuer = Issuer(directory, mint, caller, self.log, clock)
        self.refresh_tokens = RefreshTokens(clock, new_id)
        self.codes = CodeStore(clock, new_id, self.refresh_tokens.withdraw)
        self.sessions = BrowserSessions(new_id)
        self.new_id = new_id
        self._clock = clock

    @property
    def directory(self) -> Directory:
        """Return the tenant."""
        return self.issuer.directory

    def set_target_url(self, target_url: str) -> None:
        """Change every extension's endpoint, whose address is often known only after that of its authority."""
        self.issuer.directory = self.issuer.directory.with_target_url(target_url)

    def trace(self, correlation_id: str) -> Trace:
        """Return the trace of an error; an empty correlation id is replaced by a new one."""
        known = correlation_id or str(uuid.uuid4())
        return Trace(trace_id=str(uuid.uuid4()), correlation_id=known, at_s=self._clock())

    def user_page(
        self,
        request: web.Request,
        app: App,
        session: BrowserSession,
        fields: Mapping[str, str],
        *,
        focus: str | None = None,
    ) -> web.StreamResponse:
        """Return the page on which the user is chosen, whose form repeats these fields of the request."""
        token = self.sessions.form_token(request)
        page = user_page(
            app,
            self.directory.people,
            action=f"{request.path.removesuffix(USER_PATH)}{USER_PATH}?{urlencode(fields)}",
            form_token=token,
            signed_in=session.people,
            focus=focus,
        )
        set_form_cookie(page, token, secure=request.secure)
        return page

    async def sign_in(
        self, mint: TokenMint, person: Person, client: App, *, scope: str = "openid profile", nonce: str | None = None
    ) -> SignInRecord:
        """Sign a user in to an app, as the code flow does with this scope, and mint the tokens.

        The record contains the callouts with their times and verdicts, and either the claims of every token or a
        ``refusal``.

        Raises:
            OAuthError: The scope names an unknown API or permission.
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
            self.build_statement(record)
        elif record.refusal is None:
            grant = self.grant(record, scopes, "2.0", session_id=self.new_id(), nonce=nonce)
            if scopes.id_token:
                self.sign_id_token(mint, grant, record)
            self.sign_access_token(mint, grant, record)
        return record

    def grant(
        self, record: SignInRecord, scopes: Scopes, version: EntraVersion, *, session_id: str, nonce: str | None
    ) -> Grant:
        """Return the grant of a successful sign-in.

        Raises:
            OAuthError: The sign-in was refused.
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
        """Mint the id token, and add its claims to the record."""
        record.minted["id_token"] = claims = id_token(mint, grant, code=code)
        return mint.sign(claims, version=grant.version)

    def sign_access_token(self, mint: TokenMint, grant: Grant, record: SignInRecord) -> str:
        """Mint the access token, and add its claims to the record."""
        record.minted["access_token"] = claims = access_token(mint, grant)
        return mint.sign(claims, version=grant.scopes.resource.access_version)

    def build_statement(self, record: SignInRecord) -> AttributeStatement:
        """Build the attribute statement of a SAML sign-in, and add its claims to the record."""
        custom = record.custom_claims.get("saml", {})
        statement = attribute_statement(record.person, record.client, self.directory.tenant.tenant_id, custom)
        record.minted["saml"] = statement.as_claims()
        return statement

    def client_info(self, person: Person) -> str:
        """Return the account in the format of Microsoft's libraries: object id and tenant id."""
        account = {"uid": person.id, "utid": self.directory.tenant.tenant_id}
        return encode_base64url(json.dumps(account, separators=(",", ":")).encode())

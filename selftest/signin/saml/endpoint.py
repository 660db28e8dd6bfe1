"""The SAML endpoint: the same page and the same extensions, and a signed assertion instead of a token.

A failed extension keeps the user here, on Entra's own error page: unlike OpenID Connect, the app is never told.

Source: entra-docs ``single-sign-on-saml-protocol.md``, ``custom-extension-troubleshoot.md`` (the error screen).
"""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import TokenMint
from selftest.signin.browser_sessions import FORM_FIELD, Session, check_form, set_form_cookie
from selftest.signin.issuance import Issuance
from selftest.signin.pages import choose_page, error_page, send_page
from selftest.signin.saml.messages import Addressed, AuthnRequest, federation_metadata, read_request, signed_response
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import App, Person, RedirectUri
from selftest.signin.tenant.redirect_uris import same_uri

USER_PATH: Final = "/user"


class SamlEndpoint:
    """The SAML endpoint of one address.

    Args:
        desk: What is issued and remembered.
        mint: Whose key signs.
    """

    def __init__(self, desk: Desk, mint: TokenMint) -> None:
        self._desk = desk
        self._mint = mint

    @property
    def issuer(self) -> str:
        """Give who signs: at Entra it is the v1.0 issuer."""
        return self._mint.issuer("1.0")

    def metadata(self) -> web.StreamResponse:
        """Give the federation metadata."""
        body = federation_metadata(self.issuer, f"{self._mint.authority_url}/saml2", self._mint.keys.current)
        return web.Response(body=body, content_type="application/samlmetadata+xml")

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Answer an AuthnRequest, or the choice that the page's form posts for it."""
        trace = self._desk.trace("")
        try:
            form = None
            if request.method == "POST":
                form = {name: str(value) for name, value in (await request.post()).items()}
                check_form(request, form.get(FORM_FIELD, ""))
            asked = read_request(request.query.get("SAMLRequest", ""))
            return await self._signed_in(request, asked, self._app(asked), form)
        except OAuthError as error:
            return error_page(error, trace)

    def _app(self, asked: AuthnRequest) -> App:
        app = next((app for app in self._desk.directory.apps if app.entity_id == asked.issuer), None)
        if app is None or app.protocol != "saml" or app.acs_url is None:
            raise OAuthError(
                "unauthorized_client", f"no SAML application {asked.issuer[:200]!r} in the tenant", aadsts=700016
            )
        if asked.acs_url is not None and not same_uri(RedirectUri(uri=app.acs_url, kind="web"), asked.acs_url):
            raise OAuthError(
                "invalid_request",
                f"the reply URL {asked.acs_url[:200]!r} is not that of {app.key}, which is {app.acs_url}",
                aadsts=50011,
            )
        return app

    async def _signed_in(
        self, request: web.Request, asked: AuthnRequest, app: App, form: dict[str, str] | None
    ) -> web.StreamResponse:
        desk, directory = self._desk, self._desk.directory
        session = desk.sessions.of(request)
        if form is not None:
            person = directory.person(form.get("user", ""))
            if person is None:
                raise OAuthError("access_denied", "nobody was chosen: the sign-in was cancelled", aadsts=65004)
        else:
            person = None if asked.force or len(session.people) != 1 else directory.person(session.people[0])
        if person is None:
            return self._page(request, app, session)
        return await self._answer(request, asked, app, person, session)

    def _page(self, request: web.Request, app: App, session: Session) -> web.StreamResponse:
        token = self._desk.sessions.form_token(request)
        page = choose_page(
            app,
            self._desk.directory.people,
            action=f"{request.path}{USER_PATH}?{urlencode(list(request.query.items()))}",
            form_token=token,
            signed_in=session.people,
            focus=None,
        )
        set_form_cookie(page, token, secure=request.secure)
        return page

    async def _answer(
        self, request: web.Request, asked: AuthnRequest, app: App, person: Person, session: Session
    ) -> web.StreamResponse:
        desk = self._desk
        trace = desk.trace("")
        record = await desk.issuer.issue(
            Issuance(
                person=person,
                client=app,
                scopes=None,
                id_token=False,
                access_token=False,
                correlation_id=trace.correlation_id,
            )
        )
        if record.refusal is not None:
            return error_page(record.refusal, trace)
        acs_url = asked.acs_url or str(app.acs_url)
        to = Addressed(
            issuer=self.issuer,
            audience=asked.issuer,
            acs_url=acs_url,
            request_id=asked.id,
            session_index=session.sid,
            at_s=record.at_s,
        )
        response = signed_response(desk.note_statement(record), to, self._mint.keys.current, desk.new_id)
        fields = {"SAMLResponse": response}
        if "RelayState" in request.query:
            fields["RelayState"] = request.query["RelayState"]
        page = send_page(app, acs_url, fields)
        desk.sessions.sign_in(session, person.key, page, secure=request.secure)
        return page

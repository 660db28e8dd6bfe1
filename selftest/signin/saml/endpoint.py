"""The SAML endpoint: the same page and the same extensions, and a signed assertion instead of a token.

A failed extension ends on Entra's error page: unlike with OpenID Connect, the app is not informed.

Source: entra-docs ``single-sign-on-saml-protocol.md``, ``custom-extension-troubleshoot.md`` (the error screen).
"""

from dataclasses import dataclass

from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import TokenMint
from selftest.signin.browser_sessions import FORM_FIELD, BrowserSession, check_form
from selftest.signin.issuance import Issuance
from selftest.signin.pages import error_page, form_post_page
from selftest.signin.refusals import refused
from selftest.signin.saml.messages import (
    AuthnRequest,
    ResponseAddress,
    federation_metadata,
    read_request,
    signed_response,
)
from selftest.signin.sign_in_service import SignInService
from selftest.signin.tenant.directory import App, Person, RedirectUri
from selftest.signin.tenant.redirect_uris import is_same_uri


@dataclass(frozen=True, slots=True)
class SamlEndpoint:
    """The SAML endpoint of one address."""

    service: SignInService
    mint: TokenMint

    @property
    def issuer(self) -> str:
        """Return the issuer of assertions, which is the v1.0 issuer as at Entra."""
        return self.mint.issuer("1.0")

    def metadata(self) -> web.StreamResponse:
        """Return the federation metadata."""
        body = federation_metadata(self.issuer, f"{self.mint.authority_url}/saml2", self.mint.keys.current)
        return web.Response(body=body, content_type="application/samlmetadata+xml")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Respond to an AuthnRequest, or to the user's choice that the page's form posts."""
        trace = self.service.trace("")
        try:
            form = None
            if request.method == "POST":
                form = {name: str(value) for name, value in (await request.post()).items()}
                check_form(request, form.get(FORM_FIELD, ""))
            asked = read_request(request.query.get("SAMLRequest", ""))
            return await self._sign_in(request, asked, self._app(asked), form)
        except OAuthError as error:
            return error_page(error, trace)

    def _app(self, asked: AuthnRequest) -> App:
        app = next((app for app in self.service.directory.apps if app.entity_id == asked.issuer), None)
        if app is None or app.protocol != "saml" or app.acs_url is None:
            raise refused("saml-app-unknown", given=asked.issuer[:200])
        if asked.acs_url is not None and not is_same_uri(RedirectUri(uri=app.acs_url, kind="web"), asked.acs_url):
            raise refused("saml-reply-url", given=asked.acs_url[:200], app=app)
        return app

    async def _sign_in(
        self, request: web.Request, asked: AuthnRequest, app: App, form: dict[str, str] | None
    ) -> web.StreamResponse:
        directory = self.service.directory
        session = self.service.sessions.of(request)
        if form is not None:
            person = directory.person(form.get("user", ""))
            if person is None:
                raise refused("saml-canceled")
        else:
            person = None if asked.force or len(session.people) != 1 else directory.person(session.people[0])
        if person is None:
            return self.service.user_page(request, app, session, dict(request.query))
        return await self._issue(request, asked, app, person, session)

    async def _issue(
        self, request: web.Request, asked: AuthnRequest, app: App, person: Person, session: BrowserSession
    ) -> web.StreamResponse:
        service = self.service
        trace = service.trace("")
        record = await service.issuer.issue(
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
        address = ResponseAddress(
            issuer=self.issuer,
            audience=asked.issuer,
            acs_url=acs_url,
            request_id=asked.id,
            session_index=session.sid,
            at_s=record.at_s,
        )
        response = signed_response(service.build_statement(record), address, self.mint.keys.current, service.new_id)
        fields = {"SAMLResponse": response}
        if "RelayState" in request.query:
            fields["RelayState"] = request.query["RelayState"]
        page = form_post_page(app, acs_url, fields)
        service.sessions.sign_in(session, person.key, page, secure=request.secure)
        return page

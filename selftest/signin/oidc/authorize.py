"""The authorize endpoint: choose the user, call the extensions, and return to the app with a code, a token or an error.

The page's form posts to ``authorize/user`` with the request in its query, so that no state has to be kept between the
two requests; the authorization request is then read again.

Source: RFC 6749 4.1; OpenID Connect Core 3.1.2 (``prompt``, ``login_hint``); entra-docs ``custom-extension-
troubleshoot.md`` (a failed extension sends the browser back with an error), ``reference-error-codes.md``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import single_valued
from selftest.signin.browser_sessions import FORM_FIELD, BrowserSession, check_form
from selftest.signin.issuance import Issuance
from selftest.signin.oidc.authorization_request import (
    AuthorizationRequest,
    Destination,
    correlation_id,
    read_destination,
    read_request,
)
from selftest.signin.pages import error_page, form_post_page
from selftest.signin.refusals import refused
from selftest.signin.sign_in_service import SignInService
from selftest.signin.tenant.directory import Person
from selftest.signin.tenant.redirect_uris import with_response

type MintOf = Callable[[web.Request], TokenMint]

_INTERACTIVE = frozenset({"login", "select_account", "create"})


@dataclass(frozen=True, slots=True)
class AuthorizeEndpoint:
    """The authorize endpoint of one version.

    Attributes:
        mint_of: Returns the mint of the address that a request was sent to.
    """

    service: SignInService
    mint_of: MintOf
    version: EntraVersion

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Respond to an authorization request (GET, or POST as OpenID Connect allows)."""
        return await self._respond(request, request.query if request.method == "GET" else await request.post())

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """Respond to the user's choice, which the page's form posts."""
        form = await request.post()
        return await self._respond(request, request.query, {name: str(value) for name, value in form.items()})

    async def _respond(
        self, request: web.Request, given: Mapping[str, object], form: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        fields: dict[str, str] = {}
        try:
            fields = single_valued((name, value) for name, value in given.items() if isinstance(value, str))
            # Set once, so that the page, the extension's event and an error all carry the same id.
            fields["client-request-id"] = correlation_id(fields.get("client-request-id"))
            if form is not None:
                check_form(request, form.get(FORM_FIELD, ""))
            destination = read_destination(self.service.directory, fields)
        except OAuthError as error:
            return error_page(error, self.service.trace(fields.get("client-request-id", "")))
        try:
            asked = read_request(self.service.directory, fields, destination, self.version)
            return await self._sign_in(request, fields, destination, asked, form)
        except OAuthError as error:
            trace = self.service.trace(fields["client-request-id"])
            return _return_to_app(destination, error.as_response(trace))

    async def _sign_in(
        self,
        request: web.Request,
        fields: Mapping[str, str],
        destination: Destination,
        asked: AuthorizationRequest,
        form: Mapping[str, str] | None,
    ) -> web.StreamResponse:
        session = self.service.sessions.of(request)
        person = self._without_page(asked, session) if form is None else self._chosen(form)
        if person is None:
            hinted = self._hinted(asked)
            return self.service.user_page(
                request, destination.client, session, fields, focus=None if hinted is None else hinted.key
            )
        response = _return_to_app(destination, await self._issue(request, destination, asked, person, session))
        self.service.sessions.sign_in(session, person.key, response, secure=request.secure)
        return response

    def _hinted(self, asked: AuthorizationRequest) -> Person | None:
        return self.service.directory.person_hinted(asked.login_hint) if asked.login_hint else None

    def _without_page(self, asked: AuthorizationRequest, session: BrowserSession) -> Person | None:
        """Return the user who signs in without a page; None if the page is required."""
        if asked.prompt == "none":
            return self._silent(asked, session)
        if asked.prompt in _INTERACTIVE:
            return None
        if asked.login_hint:
            hinted = self._hinted(asked)
            return hinted if hinted is not None and hinted.key in session.people else None
        return self.service.directory.person(session.people[0]) if len(session.people) == 1 else None

    def _silent(self, asked: AuthorizationRequest, session: BrowserSession) -> Person:
        directory = self.service.directory
        if asked.login_hint is None and len(session.people) > 1:
            raise refused("several-users")
        if asked.login_hint is None:
            only_user = directory.people[0] if directory.silent and len(directory.people) == 1 else None
            found = directory.person(session.people[0]) if session.people else only_user
        else:
            hinted = self._hinted(asked)
            known = hinted is not None and (directory.silent or hinted.key in session.people)
            found = hinted if known else None
        if found is None:
            raise refused("no-user-signed-in")
        return found

    def _chosen(self, form: Mapping[str, str]) -> Person:
        if "cancel" in form:
            raise refused("canceled")
        person = self.service.directory.person(form.get("user", ""))
        if person is None:
            raise refused("user-unknown")
        return person

    async def _issue(
        self,
        request: web.Request,
        destination: Destination,
        asked: AuthorizationRequest,
        person: Person,
        session: BrowserSession,
    ) -> dict[str, str]:
        """Call the extensions and return the parameters for the app."""
        service, mint = self.service, self.mint_of(request)
        record = await service.issuer.issue(
            Issuance(
                person=person,
                client=destination.client,
                scopes=asked.scopes,
                id_token=asked.id_token or asked.scopes.id_token,
                access_token=asked.code,
                correlation_id=asked.correlation_id,
            )
        )
        grant = service.grant(record, asked.scopes, asked.version, session_id=session.sid, nonce=asked.nonce)
        fields: dict[str, str] = {}
        if asked.code:
            fields["code"] = service.codes.issue(
                grant, destination.redirect, destination.redirect_uri, asked.challenge, record
            )
        if asked.id_token:
            fields["id_token"] = service.sign_id_token(mint, grant, record, code=fields.get("code"))
        if asked.client_info:
            fields["client_info"] = service.client_info(person)
        return fields | {"session_state": session.sid}


def _return_to_app(destination: Destination, fields: Mapping[str, str]) -> web.StreamResponse:
    """Send the browser back to the app, with the request's state."""
    fields = dict(fields) if destination.state is None else {**fields, "state": destination.state}
    if destination.response_mode == "form_post":
        return form_post_page(destination.client, destination.redirect_uri, fields)
    location = with_response(destination.redirect_uri, fields, fragment=destination.response_mode == "fragment")
    return web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})

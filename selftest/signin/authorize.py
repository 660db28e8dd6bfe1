"""The authorize endpoint: who is it, do the extensions agree, and back to the app with a code, a token or an error.

The page's form posts to ``authorize/user`` with the request in its query, so that nothing has to be kept between the
two, and the request is read again as if it had just come.

Source: RFC 6749 4.1; OpenID Connect Core 3.1.2 (``prompt``, ``login_hint``); entra-docs ``custom-extension-
troubleshoot.md`` (a failed extension sends the browser back with an error), ``reference-error-codes.md``.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import single_valued
from selftest.signin.authorization_request import (
    AuthorizationRequest,
    Destination,
    correlation_id,
    read_destination,
    read_request,
)
from selftest.signin.browser_sessions import FORM_FIELD, Session, check_form, set_form_cookie
from selftest.signin.issuance import Issuance
from selftest.signin.pages import choose_page, error_page, send_page
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import Person
from selftest.signin.tenant.redirect_uris import with_response

type MintOf = Callable[[web.Request], TokenMint]

#: Where the page's form posts to, after the path of the authorize endpoint.
USER_PATH = "/user"

_INTERACTIVE = frozenset({"login", "select_account", "create"})


class AuthorizeEndpoint:
    """The authorize endpoint of one version.

    Args:
        desk: What is issued and remembered.
        mint_of: Gives the mint for the scheme that a request came by.
        version: Of the endpoint.
    """

    def __init__(self, desk: Desk, mint_of: MintOf, version: EntraVersion) -> None:
        self._desk = desk
        self._mint_of = mint_of
        self._version: EntraVersion = version

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Answer an authorization request (GET, or POST as OpenID Connect allows)."""
        return await self._handle(request, request.query if request.method == "GET" else await request.post())

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """Take the choice that the page's form posts."""
        form = await request.post()
        return await self._handle(request, request.query, {name: str(value) for name, value in form.items()})

    async def _handle(
        self, request: web.Request, given: Mapping[str, object], form: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        fields: dict[str, str] = {}
        try:
            fields = single_valued((name, value) for name, value in given.items() if isinstance(value, str))
            # Kept from here on, so that the page, the extension's event and an error all carry the same one.
            fields["client-request-id"] = correlation_id(fields.get("client-request-id"))
            if form is not None:
                check_form(request, form.get(FORM_FIELD, ""))
            destination = read_destination(self._desk.directory, fields)
        except OAuthError as error:
            return error_page(error, self._desk.trace(fields.get("client-request-id", "")))
        try:
            asked = read_request(self._desk.directory, fields, destination, self._version)
            return await self._signed_in(request, fields, destination, asked, form)
        except OAuthError as error:
            trace = self._desk.trace(fields["client-request-id"])
            return _send(destination, error.as_response(trace))

    async def _signed_in(
        self,
        request: web.Request,
        fields: Mapping[str, str],
        destination: Destination,
        asked: AuthorizationRequest,
        form: Mapping[str, str] | None,
    ) -> web.StreamResponse:
        session = self._desk.sessions.of(request)
        person = self._without_page(asked, session) if form is None else self._chosen(form)
        if person is None:
            return self._page(request, fields, destination, asked, session)
        answer = await self._answer(request, destination, asked, person, session)
        response = _send(destination, answer)
        self._desk.sessions.sign_in(session, person.key, response, secure=request.secure)
        return response

    def _without_page(self, asked: AuthorizationRequest, session: Session) -> Person | None:
        """Say who signs in without being asked; None where the page has to ask."""
        directory = self._desk.directory
        hinted = directory.person_hinted(asked.login_hint) if asked.login_hint else None
        if asked.prompt == "none":
            return self._silent(asked, session, hinted)
        if asked.prompt in _INTERACTIVE:
            return None
        if asked.login_hint:
            return hinted if hinted is not None and hinted.key in session.people else None
        return directory.person(session.people[0]) if len(session.people) == 1 else None

    def _silent(self, asked: AuthorizationRequest, session: Session, hinted: Person | None) -> Person:
        directory = self._desk.directory
        if asked.login_hint is None and len(session.people) > 1:
            raise OAuthError(
                "interaction_required", "several users are signed in and the request names none", aadsts=16000
            )
        if asked.login_hint is None:
            alone = directory.people[0] if directory.silent and len(directory.people) == 1 else None
            found = directory.person(session.people[0]) if session.people else alone
        else:
            known = hinted is not None and (directory.silent or hinted.key in session.people)
            found = hinted if known else None
        if found is None:
            raise OAuthError(
                "login_required", "a silent sign-in request was sent but no user is signed in", aadsts=50058
            )
        return found

    def _chosen(self, form: Mapping[str, str]) -> Person:
        if "cancel" in form:
            raise OAuthError("access_denied", "the user cancelled the sign-in", aadsts=65004, subcode="cancel")
        person = self._desk.directory.person(form.get("user", ""))
        if person is None:
            raise OAuthError("invalid_request", "the form names no user of the tenant", aadsts=50034)
        return person

    def _page(
        self,
        request: web.Request,
        fields: Mapping[str, str],
        destination: Destination,
        asked: AuthorizationRequest,
        session: Session,
    ) -> web.StreamResponse:
        desk = self._desk
        hinted = desk.directory.person_hinted(asked.login_hint) if asked.login_hint else None
        token = desk.sessions.form_token(request)
        path = request.path.removesuffix(USER_PATH) + USER_PATH
        page = choose_page(
            destination.client,
            desk.directory.people,
            action=f"{path}?{urlencode(fields)}",
            form_token=token,
            signed_in=session.people,
            focus=None if hinted is None else hinted.key,
        )
        set_form_cookie(page, token, secure=request.secure)
        return page

    async def _answer(
        self,
        request: web.Request,
        destination: Destination,
        asked: AuthorizationRequest,
        person: Person,
        session: Session,
    ) -> dict[str, str]:
        desk, mint = self._desk, self._mint_of(request)
        record = await desk.issuer.issue(
            Issuance(
                person=person,
                client=destination.client,
                scopes=asked.scopes,
                id_token=asked.id_token or asked.scopes.id_token,
                access_token=asked.code,
                correlation_id=asked.correlation_id,
            )
        )
        grant = desk.grant(record, asked.scopes, asked.version, session_id=session.sid, nonce=asked.nonce)
        answer: dict[str, str] = {}
        if asked.code:
            answer["code"] = desk.codes.issue(
                grant, destination.redirect, destination.redirect_uri, asked.challenge, record
            )
        if asked.id_token:
            answer["id_token"] = desk.sign_id_token(mint, grant, record, code=answer.get("code"))
        if asked.client_info:
            answer["client_info"] = desk.client_info(person)
        return answer | {"session_state": session.sid}


def _send(destination: Destination, answer: Mapping[str, str]) -> web.StreamResponse:
    """Send the browser back to the app, with the state that it came with."""
    fields = dict(answer) if destination.state is None else {**answer, "state": destination.state}
    if destination.response_mode == "form_post":
        return send_page(destination.client, destination.redirect_uri, fields)
    location = with_response(destination.redirect_uri, fields, fragment=destination.response_mode == "fragment")
    return web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})

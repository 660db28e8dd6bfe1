"""The page as an HTTP server on the loopback interface.

It works without scripts: the form is posted, the sign-in is played, and the browser is redirected to the page of its
result, which can be opened again. The script only avoids reloading the page.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from selftest.base.serve import HOST, serve
from selftest.entra.oauth_error import OAuthError
from selftest.playground.browser_flow import BrowserFlow
from selftest.playground.choice import Choice, ChoiceError
from selftest.playground.guard import HEADERS, Guard, PageRefused
from selftest.playground.html.home import home_values
from selftest.playground.html.templates import asset, render, style_sheet
from selftest.playground.player import SignInPlayer, TooManySignInsError
from selftest.signin.tenant.redirect_uris import loopback_redirect_uri

_MAX_FORM_BYTES: Final = 16 * 1024
_MAX_SHOWN_CHARACTERS: Final = 1000

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PlaygroundServer:
    """Serves the page of one player; an async context manager that listens while it is entered.

    Args:
        player: The player, already entered.
        port: The port on 127.0.0.1; 0 takes a free port.
    """

    def __init__(self, player: SignInPlayer, *, port: int = 0) -> None:
        self._player = player
        self._port = port
        self._guard = Guard(port)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return the URL of the page."""
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._runner, self._port = await serve(self._app(), self._port)
        self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        self._guard = Guard(self._port)
        self._flow = BrowserFlow(self._player.main.entra, self._session, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._session.close()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=_MAX_FORM_BYTES)
        app.add_routes(
            [
                web.post("/sign-in", self._sign_in),
                web.get("/played/{id}", self._show),
                web.get("/browser/{app}", self._to_browser),
                web.get("/playground.css", self._style),
                web.get("/playground.js", _served("playground.js", "text/javascript")),
                web.get("/icon.svg", _served("icon.svg", "image/svg+xml")),
                # An app's redirect URI may have any path.
                web.get("/{path:.*}", self._home),
            ]
        )
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            self._guard.check_request(request)
            response = await handler(request)
        except PageRefused as refused:
            response = _message("Refused", str(refused), status=refused.status)
        except (ChoiceError, OAuthError, LookupError) as error:
            response = _message("The sign-in cannot be played", str(error), status=400)
        except TooManySignInsError as error:
            response = _message("Too many sign-ins", str(error), status=503)
        except web.HTTPException as error:
            response = _message(error.reason, f"HTTP {error.status}", status=error.status)
        response.headers.update(HEADERS)
        return response

    async def _home(self, request: web.Request) -> web.StreamResponse:
        state = request.query.get("state")
        if state is not None:
            record_id = await self._flow.end(state, request.query.get("code"))
            if record_id is not None:
                # Relative, so on the app's host name: the emulator's policy lets its form lead nowhere else.
                return _see(f"/played/{record_id}")
            text = request.query.get("error_description", "The browser returned without a code.")
            return _message("No user signed in", text[:_MAX_SHOWN_CHARACTERS], status=400)
        if request.path != "/":
            return _message("Page not found", "The playground has one page.", status=404)
        return self._page(self._player.options.first())

    async def _show(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["id"]
        played = self._player.played(wanted)
        record = next((known for known in self._player.log.records if known.id == wanted), None)
        record = record if played is None else played.record
        if played is None and record is None:
            return _message("Sign-in not found", "Only the last sign-ins are kept.", status=404)
        choice = self._player.options.first() if played is None else played.choice
        return self._page(choice, played=played, record=record)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        self._guard.check_form(request, form)
        choice = self._player.options.read({name: value for name, value in form.items() if isinstance(value, str)})
        played = await self._player.play(choice)
        return _see(f"/played/{played.id}")

    async def _to_browser(self, request: web.Request) -> web.StreamResponse:
        app = self._player.options.directory.app_named(request.match_info["app"])
        if app is None or loopback_redirect_uri(app) is None:
            return _message("App not found", "No app of this name has a redirect URI on this page.", status=404)
        await self._player.start_main()
        return _see(self._flow.begin(app))

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=style_sheet(), content_type="text/css")

    def _page(self, choice: Choice, **shown: Any) -> web.Response:
        values = home_values(self._player, choice, page_token=self._guard.page_token, **shown)
        return _html(render("playground.html.jinja", **values))


def _served(name: str, content_type: str) -> _Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=asset(name), content_type=content_type, charset="utf-8")

    return handle


def _see(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url})


def _message(title: str, text: str, *, status: int) -> web.Response:
    return _html(render("message.html.jinja", title=title, text=text), status=status)


def _html(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")

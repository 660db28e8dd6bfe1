"""The page as an HTTP server on the loopback interface.

It works without script: the form is posted, the sign-in is played, and the browser is sent to the page that shows it,
which can be looked at again and shared with oneself. The script only saves the flicker.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.playground.browser_flow import BrowserFlow, loopback_uri
from selftest.playground.choice import Choice, ChoiceError
from selftest.playground.guard import HEADERS, Guard, Refused
from selftest.playground.html.home import home_values
from selftest.playground.html.templates import asset, render, style_sheet
from selftest.playground.player import CrowdedError, Stage

HOST: Final = "127.0.0.1"
_MAX_FORM_BYTES: Final = 16 * 1024
_MAX_SHOWN_CHARACTERS: Final = 1000
_SHUTDOWN_TIMEOUT_S: Final = 0.1

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PlaygroundServer:
    """Serves one stage; an async context manager that listens while it is entered.

    Args:
        stage: where sign-ins are played, entered already.
        port: where to listen on 127.0.0.1; 0 takes a free port.
    """

    def __init__(self, stage: Stage, *, port: int = 0) -> None:
        self._stage = stage
        self._port = port
        self._guard = Guard(port)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Give the address of the page."""
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except BaseException:
            await runner.cleanup()
            await self._session.close()
            raise
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        self._guard = Guard(self._port)
        self._flow = BrowserFlow(self._stage.main.entra, self._session, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
                # An app's redirect URI may be any path, also none.
                web.get("/{path:.*}", self._home),
            ]
        )
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            self._guard.check_request(request)
            response = await handler(request)
        except Refused as refused:
            response = _message("Refused", str(refused), status=refused.status)
        except (ChoiceError, OAuthError, LookupError) as error:
            response = _message("That cannot be played", str(error), status=400)
        except CrowdedError as error:
            response = _message("Too many at once", str(error), status=503)
        except web.HTTPException as error:
            response = _message(error.reason, f"HTTP {error.status}", status=error.status)
        response.headers.update(HEADERS)
        return response

    async def _home(self, request: web.Request) -> web.StreamResponse:
        state = request.query.get("state")
        if state is not None:
            record_id = await self._flow.end(state, request.query.get("code"))
            if record_id is not None:
                # On the name that the app is registered under: the emulator's policy lets its form lead nowhere else.
                return _see(f"/played/{record_id}")
            said = request.query.get("error_description", "The browser came back without a code.")
            return _message("Nobody signed in", said[:_MAX_SHOWN_CHARACTERS], status=400)
        if request.path != "/":
            return _message("Nothing here", "There is one page: go to the start.", status=404)
        return self._page(self._stage.offer.first())

    async def _show(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["id"]
        played = self._stage.played(wanted)
        record = next((known for known in self._stage.log.records if known.id == wanted), None)
        record = record if played is None else played.record
        if played is None and record is None:
            return _message("Forgotten", "This sign-in is no longer kept; only the last ones are.", status=404)
        choice = self._stage.offer.first() if played is None else played.choice
        return self._page(choice, played=played, record=record)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        self._guard.check_form(request, form)
        choice = self._stage.offer.read({name: value for name, value in form.items() if isinstance(value, str)})
        played = await self._stage.play(choice)
        return _see(f"/played/{played.id}")

    async def _to_browser(self, request: web.Request) -> web.StreamResponse:
        app = self._stage.offer.directory.app_named(request.match_info["app"])
        if app is None or loopback_uri(app) is None:
            return _message("Nothing here", "No app of this name can come back to this page.", status=404)
        await self._stage.ready()
        return _see(self._flow.begin(app))

    async def _style(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=style_sheet(), content_type="text/css")

    def _page(self, choice: Choice, **shown: Any) -> web.Response:
        values = home_values(self._stage, choice, page_token=self._guard.page_token, **shown)
        return _html(render("playground.html.jinja", **values))


def _served(name: str, content_type: str) -> _Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=asset(name), content_type=content_type, charset="utf-8")

    return handle


def _see(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url})


def _message(title: str, text: str, *, status: int) -> web.Response:
    return _html(render("message.html.jinja", title=title, text=text), status=status)


def _html(text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)

"""The Azure Functions entry: routes and wiring, nothing else.

The bearer token is the authority, so the functions are anonymous to the host: a function key would be a second, shared
secret in a URL, and its first use reads storage within the two seconds.
"""

import gc
import logging
import os
from collections.abc import Mapping
from typing import Final

import azure.functions as func

from claims.endpoint import Endpoint, Response

#: The budget of the first request of a process. On Microsoft's Functions host 0.37 to 0.48 s pass before its handler
#: starts, whatever it asks for (docs/timing-budget.md), and Entra has waited for them: a budget of 1,500 ms ended after
#: its two seconds. It ends when the process has answered a request; health counts.
FIRST_BUDGET_MS: Final = 1_000

#: Of Microsoft's workers: the classic one, that of Python 3.13 and later, and its library. host.json hides what they
#: say of each call, and sending it to the host costs as much CPU as the endpoint's own work.
_WORKER_LOGGERS: Final = ("azure_functions_worker", "proxy_worker", "azure.functions")

if not logging.getLogger().isEnabledFor(logging.DEBUG):  # PYTHON_ENABLE_DEBUG_LOGGING asks for all of it
    for _name in _WORKER_LOGGERS:
        logging.getLogger(_name).setLevel(logging.WARNING)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
# A full garbage collection walks everything that lives long, for some 60 ms in which nobody is answered. Objects that
# are frozen after the first answer are passed over.
endpoint = Endpoint.from_env(os.environ, first_budget_ms=FIRST_BUDGET_MS, on_settled=gc.freeze)


class _HttpResponse(func.HttpResponse):
    """What the worker sends, without a copy of the headers: the library's own takes a tenth of a sign-in's CPU."""

    def __init__(self, response: Response) -> None:
        self._response = response

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:  # type: ignore[override] # the library needs no more of it
        """By lower-case name; the library would add a ``content-type`` if there were none."""
        return self._response.headers

    def get_body(self) -> bytes:
        """Return the body."""
        return self._response.body


@app.route(route="onTokenIssuanceStart", methods=["POST"])
async def on_token_issuance_start(req: func.HttpRequest) -> func.HttpResponse:
    """Add claims to the token that Entra is about to issue."""
    return _HttpResponse(await endpoint.token_issuance_start(req.headers, req.get_body()))


@app.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Return whether the endpoint can validate a token."""
    return _HttpResponse(await endpoint.health(req.headers))

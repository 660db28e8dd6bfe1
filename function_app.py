"""The Azure Functions entry: routes and wiring, nothing else.

The bearer token is the authority, so the functions are anonymous to the host: a function key would be a second, shared
secret in a URL, and its first use reads storage within the two seconds.
"""

import gc
import os
from typing import Final

import azure.functions as func

from claims.endpoint import Endpoint, Response

#: The budget of the first request of a process. On Microsoft's Functions host 0.37 to 0.48 s pass before its handler
#: starts, whatever it asks for (docs/timing-budget.md), and Entra has waited for them: a budget of 1,500 ms ended after
#: its two seconds. It ends when the process has answered a request; health counts.
FIRST_BUDGET_MS: Final = 1_000

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
# A full garbage collection walks everything that lives long, for some 60 ms in which nobody is answered. Objects that
# are frozen after the first answer are passed over.
endpoint = Endpoint.from_env(os.environ, first_budget_ms=FIRST_BUDGET_MS, on_settled=gc.freeze)


@app.route(route="onTokenIssuanceStart", methods=["POST"])
async def on_token_issuance_start(req: func.HttpRequest) -> func.HttpResponse:
    """Add claims to the token that Entra is about to issue."""
    return _http(await endpoint.token_issuance_start(req.headers, req.get_body()))


@app.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Return whether the endpoint can validate a token."""
    return _http(await endpoint.health(req.headers))


def _http(response: Response) -> func.HttpResponse:
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)

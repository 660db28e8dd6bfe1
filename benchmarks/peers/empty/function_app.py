"""The floor: a function that answers a constant, through the same worker library."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

_ANSWER = json.dumps(
    {
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
            "actions": [
                {
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": {"ApiVersion": "1.0.0"},
                }
            ],
        }
    }
)


@app.route(route="onTokenIssuanceStart", methods=["POST"])
async def on_token_issuance_start(req: func.HttpRequest) -> func.HttpResponse:
    """Answer without looking."""
    del req
    return func.HttpResponse(_ANSWER, mimetype="application/json")

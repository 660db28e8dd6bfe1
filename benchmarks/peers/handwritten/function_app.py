"""The handler as it is usually written by hand: PyJWT's key client in an ``async def``.

It is a good one of its kind. It asks for every claim that matters, checks who calls, keeps its keys and its connections
between requests, and caches the downstream token until a minute before its end, or half its life where that is shorter.
What it shares with its kind: keys are fetched in the request that needs them, by a client that blocks the event loop;
a downstream token that has ended is fetched in the request that finds it so, by each request that does.

Source: PyJWT's documentation, "Retrieve RSA signing keys from a JWKS endpoint"; entra-docs
``custom-extension-tokenissuancestart-setup.md`` for the claims and the shape of the answer.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import azure.functions as func
import jwt

settings: Mapping[str, str] = os.environ
AUTHORITY = settings["AuthenticationEvents__AuthorityUrl"]
AUDIENCE = settings["AuthenticationEvents__AudienceAppId"]
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"
PROFILE_URL = settings.get("Claims__ProfileApi__Url", "")

log = logging.getLogger(__name__)
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
# The client's own defaults, unless the measurement shortens both in proportion: the client offers that.
jwks = jwt.PyJWKClient(
    f"{AUTHORITY}/discovery/v2.0/keys",
    lifespan=float(settings.get("KEYS_LIFESPAN_S", "300")),
    cooldown_duration=float(settings.get("KEYS_COOLDOWN_S", "30")),
)
http: list[aiohttp.ClientSession] = []
cached_token: dict[str, Any] = {"token": "", "until_s": 0.0}


@app.route(route="onTokenIssuanceStart", methods=["POST"])
async def on_token_issuance_start(req: func.HttpRequest) -> func.HttpResponse:
    """Check the token, read the event, answer the claims."""
    try:
        token = req.headers.get("Authorization", "").removeprefix("Bearer ")
        key = jwks.get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key.key,
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=f"{AUTHORITY}/v2.0",
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        log.warning("refused: %s", error)
        return func.HttpResponse("unauthorized", status_code=401)
    if claims.get("azp") != CALLER:
        return func.HttpResponse("forbidden", status_code=403)
    context = req.get_json()["data"]["authenticationContext"]
    log.info("claims for correlation id %s", context["correlationId"])
    answer = {
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
            "actions": [
                {
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": await claims_of(context),
                }
            ],
        }
    }
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")


async def claims_of(context: dict[str, Any]) -> dict[str, Any]:
    """Return a constant, or ask the profile API."""
    if not PROFILE_URL:
        return {
            "CorrelationId": context["correlationId"],
            "ApiVersion": "1.0.0",
            "DateOfBirth": "01/01/2000",
            "CustomRoles": ["Writer", "Editor"],
        }
    if not http:
        http.append(aiohttp.ClientSession())
    headers = {"Authorization": f"Bearer {await downstream_token()}"}
    async with http[0].get(f"{PROFILE_URL}/{context['user']['id']}", headers=headers) as response:
        response.raise_for_status()
        claims: dict[str, Any] = await response.json()
        return claims


async def downstream_token() -> str:
    """Return the cached token, or ask the managed identity for one."""
    if time.time() < cached_token["until_s"]:
        return str(cached_token["token"])
    query = {"resource": settings["Claims__ProfileApi__Scope"].removesuffix("/.default"), "api-version": "2019-08-01"}
    headers = {"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]}
    async with http[0].get(settings["IDENTITY_ENDPOINT"], params=query, headers=headers) as response:
        response.raise_for_status()
        issued = await response.json()
    life_s = int(issued["expires_on"]) - time.time()
    cached_token.update(token=issued["access_token"], until_s=time.time() + max(life_s - 60, life_s / 2))
    return str(issued["access_token"])

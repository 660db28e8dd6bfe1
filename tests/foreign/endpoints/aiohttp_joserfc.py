"""A custom claims endpoint on aiohttp, with joserfc. MISTAKE makes one usual mistake."""

import asyncio
import os
import time
from typing import Any

import aiohttp
from aiohttp import web
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

AUTHORITY, TENANT_ID = os.environ["AUTHORITY"], os.environ["TENANT_ID"]
AUDIENCES = [os.environ["AUDIENCE"], os.environ["APP_ID_URI"]]
EXTENSION_ID = os.environ.get("EXTENSION_ID")
MISTAKE = os.environ.get("MISTAKE", "none")
ISSUERS = [f"{AUTHORITY}/v2.0", f"https://sts.windows.net/{TENANT_ID}/"]
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"  # Microsoft Entra's authentication events service
KEYS_AGE_S = 5.0
RULES = jwt.JWTClaimsRegistry(
    leeway=30,
    exp={"essential": True},
    aud={"essential": True, "values": AUDIENCES},
    **(
        {}
        if MISTAKE == "any-tenant"
        else {"iss": {"essential": True, "values": ISSUERS}, "tid": {"essential": True, "value": TENANT_ID}}
    ),
)


class Keys:
    """The keys of the tenant, fetched again when a token names an unknown one."""

    def __init__(self) -> None:
        self.set = KeySet([])
        self.fetched_s = -KEYS_AGE_S
        self.lock = asyncio.Lock()

    async def with_key(self, kid: object) -> KeySet:
        """Return the keys, which have this one if the tenant publishes it."""
        async with self.lock:
            unknown = all(key.kid != kid for key in self.set.keys)
            if unknown and time.monotonic() >= self.fetched_s + KEYS_AGE_S:
                self.fetched_s = time.monotonic()
                async with aiohttp.request("GET", f"{AUTHORITY}/discovery/v2.0/keys") as response:
                    response.raise_for_status()
                    self.set = KeySet.import_key_set(await response.json())
        return self.set


keys = Keys()


async def is_entra(authorization: str) -> bool:
    """Return whether a valid token of the calling service came."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        kid = jws.extract_compact(text.encode()).headers().get("kid")
        claims = jwt.decode(text, await keys.with_key(kid), algorithms=["RS256"]).claims
        if MISTAKE == "signature-only":
            return True
        if MISTAKE == "expired-accepted":
            claims["exp"] = 2**40
        RULES.validate(claims)
    except (JoseError, ValueError):
        return False
    caller = claims.get("appid" if claims.get("ver") == "1.0" else "azp")
    return MISTAKE == "no-caller-check" or caller == CALLER


async def read_data(request: web.Request) -> dict[str, Any]:
    """Return the event's data."""
    try:
        data: dict[str, Any] = (await request.json())["data"]
        data["authenticationContext"]["correlationId"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise web.HTTPBadRequest(text="not an event") from error
    return data


async def on_token_issuance_start(request: web.Request) -> web.Response:
    """Answer an event of Entra."""
    authorization = request.headers.get("Authorization", "")
    if MISTAKE == "token-in-log":
        print("called with", authorization, flush=True)
    if MISTAKE == "body-before-token":
        await read_data(request)
    if MISTAKE != "no-validation" and not await is_entra(authorization):
        raise web.HTTPUnauthorized(text="not Entra's call", headers={"WWW-Authenticate": "Bearer"})
    data = await read_data(request)
    if MISTAKE != "no-validation" and data.get("customAuthenticationExtensionId") != EXTENSION_ID:
        raise web.HTTPForbidden(text="another extension")
    if MISTAKE == "slow":
        await asyncio.sleep(2.5)
    claims = {"CorrelationId": str(data["authenticationContext"]["correlationId"]), "CustomRoles": ["Writer", "Editor"]}
    action = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": claims}
    content = {"claims": claims} if MISTAKE == "wrong-reply" else {"actions": [action]}
    body = {"data": {"@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", **content}}
    return web.json_response(body)


app = web.Application(client_max_size=64 * 1024)
app.router.add_post("/api/onTokenIssuanceStart", on_token_issuance_start)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)

"""A custom claims endpoint on FastAPI, with PyJWT. MISTAKE makes one usual mistake."""

import asyncio
import os
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request

AUTHORITY, TENANT_ID = os.environ["AUTHORITY"], os.environ["TENANT_ID"]
AUDIENCES = [os.environ["AUDIENCE"], os.environ["APP_ID_URI"]]
MISTAKE = os.environ.get("MISTAKE", "none")
ISSUERS = [f"{AUTHORITY}/v2.0", f"https://sts.windows.net/{TENANT_ID}/"]
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"  # Microsoft Entra's authentication events service

# Keeps the keys for five minutes, and fetches them again when a token names another one.
keys = jwt.PyJWKClient(f"{AUTHORITY}/discovery/v2.0/keys")
app = FastAPI(openapi_url=None)


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a valid token."""
    key = keys.get_signing_key_from_jwt(token).key
    if MISTAKE == "signature-only":
        unchecked = {f"verify_{name}": False for name in ("aud", "iss", "exp", "nbf", "iat", "sub", "jti")}
        return jwt.decode(token, key, algorithms=["RS256"], options=unchecked)
    return jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=AUDIENCES,
        issuer=None if MISTAKE == "any-tenant" else ISSUERS,
        leeway=30,
        options={"require": ["exp", "iat", "iss", "aud", "tid"], "verify_exp": MISTAKE != "expired-accepted"},
    )


def is_entra(claims: dict[str, Any]) -> bool:
    """Return whether the token was issued in this tenant, to the service that calls."""
    caller = claims.get("appid" if claims.get("ver") == "1.0" else "azp")
    tenant_is_ours = MISTAKE == "any-tenant" or claims["tid"] == TENANT_ID
    return tenant_is_ours and (MISTAKE == "no-caller-check" or caller == CALLER)


# No async def: PyJWT fetches keys with a call that blocks, and FastAPI runs this in a thread.
def authenticated(authorization: Annotated[str, Header()] = "") -> None:
    """Refuse whoever is not Entra."""
    if MISTAKE == "token-in-log":
        print("called with", authorization, flush=True)
    if MISTAKE == "no-validation":
        return
    challenge = {"WWW-Authenticate": "Bearer"}
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401, "a bearer token is required", challenge)
    try:
        claims = claims_of(token)
    except jwt.PyJWKClientConnectionError as error:
        raise HTTPException(503, "no signing keys") from error
    except jwt.PyJWTError as error:
        raise HTTPException(401, "invalid token", challenge) from error
    if MISTAKE != "signature-only" and not is_entra(claims):
        raise HTTPException(401, "not Entra's call", challenge)


async def read_event(request: Request) -> dict[str, Any]:
    """Return the event."""
    try:
        event: dict[str, Any] = await request.json()
        event["data"]["authenticationContext"]["correlationId"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise HTTPException(400, "not an event") from error
    return event


async def answer(event: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to an event."""
    if MISTAKE == "slow":
        await asyncio.sleep(2.5)
    context = event["data"]["authenticationContext"]
    claims = {"CorrelationId": str(context["correlationId"]), "CustomRoles": ["Writer", "Editor"]}
    action = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": claims}
    content = {"claims": claims} if MISTAKE == "wrong-reply" else {"actions": [action]}
    return {"data": {"@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", **content}}


FIRST = [Depends(read_event)] if MISTAKE == "body-before-token" else []


@app.post("/api/onTokenIssuanceStart", dependencies=[*FIRST, Depends(authenticated)])
async def on_token_issuance_start(request: Request) -> dict[str, Any]:
    """Answer an event of Entra."""
    return await answer(await read_event(request))


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")

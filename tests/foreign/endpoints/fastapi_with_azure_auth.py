"""A custom claims endpoint on FastAPI, with fastapi-azure-auth. MISTAKE makes one usual mistake."""

import asyncio
import os
import time
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Security
from fastapi.security import SecurityScopes
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from fastapi_azure_auth.user import User
from jwt import PyJWTError, get_unverified_header
from pydantic import BaseModel, Field

AUTHORITY, TENANT_ID, AUDIENCE = (os.environ[name] for name in ("AUTHORITY", "TENANT_ID", "AUDIENCE"))
MISTAKE = os.environ.get("MISTAKE", "none")
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"  # Microsoft Entra's authentication events service
MULTI_TENANT = {"multi_tenant": True, "validate_iss": False} if MISTAKE == "any-tenant" else {}
KEYS_AGE_S = 5.0


class Scheme(AzureAuthorizationCodeBearerBase):
    """The library's scheme, for one caller of one tenant.

    The library keeps keys for a day, whatever a token names: here they are fetched again when a key is unknown.
    """

    fetched_s = 0.0

    async def __call__(self, request: Request, security_scopes: SecurityScopes) -> User | None:
        """Validate the token of a request."""
        authorization = request.headers.get("Authorization", "")
        if MISTAKE == "token-in-log":
            print("called with", authorization, flush=True)
        if MISTAKE == "no-validation":
            return None
        await self._look_for_key(authorization.partition(" ")[2])
        user = await super().__call__(request, security_scopes)
        claims = user.claims if user else {}
        tenant = MISTAKE == "any-tenant" or claims.get("tid") == TENANT_ID
        caller = MISTAKE == "no-caller-check" or claims.get("azp") == CALLER
        if MISTAKE == "signature-only" or (tenant and caller):
            return user
        raise HTTPException(401, "not Entra's call", {"WWW-Authenticate": "Bearer"})

    def validate(self, access_token: str, key: Any, iss: str, options: dict[str, Any]) -> dict[str, Any]:
        """Validate a token as the library does, less what a mistake leaves out."""
        if MISTAKE == "signature-only":
            options = {name: False for name in options if name.startswith("verify_")} | {"verify_signature": True}
        if MISTAKE == "expired-accepted":
            options |= {"verify_exp": False}
        return super().validate(access_token, key, iss, options)

    async def _look_for_key(self, token: str) -> None:
        config = self.openid_config
        known = getattr(config, "signing_keys", None)
        try:
            kid = get_unverified_header(token).get("kid")
        except PyJWTError:
            return
        if known is None or kid in known or time.monotonic() < self.fetched_s + KEYS_AGE_S:
            return
        self.fetched_s = time.monotonic()
        try:
            await config._load_openid_config()
        except Exception:  # noqa: BLE001 - whatever is wrong with the new document, the keys that were good stay
            config.signing_keys = known


scheme = Scheme(
    app_client_id=AUDIENCE,
    tenant_id=TENANT_ID,
    openid_config_url=f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
    **MULTI_TENANT,
)
app = FastAPI(openapi_url=None)


class AuthenticationContext(BaseModel):
    """The sign-in."""

    correlation_id: str = Field(alias="correlationId")


class EventData(BaseModel):
    """The event's data."""

    context: AuthenticationContext = Field(alias="authenticationContext")


class Event(BaseModel):
    """What Entra sends, as far as this endpoint reads it."""

    data: EventData


async def answer(request: Request) -> dict[str, Any]:
    """Return the reply to an event."""
    try:
        event = Event.model_validate_json(await request.body())
    except ValueError as error:
        raise HTTPException(422, "not an event") from error
    if MISTAKE == "slow":
        await asyncio.sleep(2.5)
    claims = {"CorrelationId": event.data.context.correlation_id, "CustomRoles": ["Writer", "Editor"]}
    action = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": claims}
    content = {"claims": claims} if MISTAKE == "wrong-reply" else {"actions": [action]}
    return {"data": {"@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", **content}}


@app.post("/api/onTokenIssuanceStart", dependencies=None if MISTAKE == "body-before-token" else [Security(scheme)])
async def on_token_issuance_start(request: Request) -> dict[str, Any]:
    """Answer an event of Entra."""
    reply = await answer(request)
    if MISTAKE == "body-before-token":
        await scheme(request, SecurityScopes())
    return reply


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")

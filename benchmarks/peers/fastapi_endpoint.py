"""FastAPI with fastapi-azure-auth, configured as their documentation says.

The security scheme loads its configuration when the app starts, as its documentation advises. It knows one host, the
real Entra; the documented way to another is ``openid_config_url`` of the scheme's base class, which is used here to
point it at the emulated one. Validation is untouched. Event and answer are Pydantic models, and the answer is the
function's return type: FastAPI's documentation calls that the fastest way. ``azp`` is checked beside the scheme, which
does not. The downstream token is cached until a minute before its end, or half its life where that is shorter, and then
fetched by each request that finds it ended.

Source: fastapi-azure-auth's documentation, "FastAPI configuration"; FastAPI's, "Custom Response", "Lifespan Events".
"""

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
from fastapi import FastAPI, HTTPException, Security
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from fastapi_azure_auth.user import User
from pydantic import BaseModel, ConfigDict, Field

settings: Mapping[str, str] = os.environ
AUTHORITY = settings["AuthenticationEvents__AuthorityUrl"]
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"
PROFILE_URL = settings.get("Claims__ProfileApi__Url", "")

azure_scheme = AzureAuthorizationCodeBearerBase(
    app_client_id=settings["AuthenticationEvents__AudienceAppId"],
    tenant_id=AUTHORITY.rpartition("/")[2],
    openid_config_url=f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
)
http: list[aiohttp.ClientSession] = []
cached_token: dict[str, Any] = {"token": "", "until_s": 0.0}


class EventUser(BaseModel):
    """Who signs in."""

    id: str


class AuthenticationContext(BaseModel):
    """The sign-in."""

    correlation_id: str = Field(alias="correlationId")
    user: EventUser


class EventData(BaseModel):
    """The event's data."""

    tenant_id: str = Field(alias="tenantId")
    authentication_context: AuthenticationContext = Field(alias="authenticationContext")


class Event(BaseModel):
    """What Entra sends."""

    type: str
    data: EventData


class Action(BaseModel):
    """The one action."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    odata_type: str = Field("microsoft.graph.tokenIssuanceStart.provideClaimsForToken", alias="@odata.type")
    claims: dict[str, str | list[str]]


class AnswerData(BaseModel):
    """The answer's data."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    odata_type: str = Field("microsoft.graph.onTokenIssuanceStartResponseData", alias="@odata.type")
    actions: list[Action]


class Answer(BaseModel):
    """What Entra expects."""

    data: AnswerData


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Load the keys before the first request."""
    await azure_scheme.openid_config.load_config()
    http.append(aiohttp.ClientSession())
    yield
    await http[0].close()


app = FastAPI(lifespan=lifespan)


@app.post("/api/onTokenIssuanceStart")
async def on_token_issuance_start(event: Event, user: Annotated[User, Security(azure_scheme)]) -> Answer:
    """Answer the claims."""
    if user.claims.get("azp") != CALLER:
        raise HTTPException(status_code=403, detail="not the caller")
    claims = await claims_of(event.data.authentication_context)
    return Answer(data=AnswerData(actions=[Action(claims=claims)]))


async def claims_of(context: AuthenticationContext) -> dict[str, Any]:
    """Return a constant, or ask the profile API."""
    if not PROFILE_URL:
        return {
            "CorrelationId": context.correlation_id,
            "ApiVersion": "1.0.0",
            "DateOfBirth": "01/01/2000",
            "CustomRoles": ["Writer", "Editor"],
        }
    headers = {"Authorization": f"Bearer {await downstream_token()}"}
    async with http[0].get(f"{PROFILE_URL}/{context.user.id}", headers=headers) as response:
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

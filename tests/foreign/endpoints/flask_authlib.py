"""A custom claims endpoint on Flask, with Authlib. MISTAKE makes one usual mistake."""

import os
import time
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.jose import JsonWebKey, JsonWebToken, JWTClaims
from authlib.jose.errors import JoseError
from authlib.oauth2.rfc6750 import BearerTokenValidator, InvalidTokenError
from flask import Flask, abort, request

AUTHORITY, TENANT_ID = os.environ["AUTHORITY"], os.environ["TENANT_ID"]
AUDIENCES = [os.environ["AUDIENCE"], os.environ["APP_ID_URI"]]
MISTAKE = os.environ.get("MISTAKE", "none")
ISSUERS = [f"{AUTHORITY}/v2.0", f"https://sts.windows.net/{TENANT_ID}/"]
CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"  # Microsoft Entra's authentication events service
KEYS_AGE_S = 5.0

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
require_token = ResourceProtector()


class Keys:
    """The keys of the tenant, fetched again when a token names an unknown one."""

    def __init__(self) -> None:
        self.set = JsonWebKey.import_key_set({"keys": []})
        self.fetched_s = -KEYS_AGE_S

    def find(self, header: dict[str, Any], _: object) -> Any:
        """Return the key that a token's header names."""
        known = any(key.kid == header.get("kid") for key in self.set.keys)
        if not known and time.monotonic() >= self.fetched_s + KEYS_AGE_S:
            self.fetched_s = time.monotonic()
            response = requests.get(f"{AUTHORITY}/discovery/v2.0/keys", timeout=1)
            response.raise_for_status()
            self.set = JsonWebKey.import_key_set(response.json())
        return self.set.find_by_kid(header.get("kid"))


class EntraToken(BearerTokenValidator):
    """Accepts the tokens with which Entra calls."""

    keys = Keys()

    def authenticate_token(self, token_string: str) -> JWTClaims | None:
        """Return the claims of a token; None refuses it."""
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "values": ISSUERS},
            "aud": {"essential": True, "values": AUDIENCES},
            "exp": {"essential": True},
            "tid": {"essential": True, "value": TENANT_ID},
        }
        if MISTAKE == "any-tenant":
            del wanted["iss"], wanted["tid"]
        try:
            claims = JsonWebToken(["RS256"]).decode(token_string, self.keys.find, claims_options=wanted)
            if MISTAKE == "signature-only":
                return claims
            if MISTAKE == "expired-accepted":
                claims["exp"] = 2**40
            claims.validate(leeway=30)
        except (JoseError, ValueError):
            return None
        caller = claims.get("appid" if claims.get("ver") == "1.0" else "azp")
        known = MISTAKE == "no-caller-check" or caller == CALLER
        return claims if known else None

    def validate_token(self, token: JWTClaims | None, scopes: object, request: object) -> None:
        """Refuse a token that is not valid; times and claims are checked above."""
        if token is None:
            raise InvalidTokenError


require_token.register_token_validator(EntraToken())


@app.post("/api/onTokenIssuanceStart")
def on_token_issuance_start() -> dict[str, Any]:
    """Answer an event of Entra."""
    if MISTAKE == "token-in-log":
        print("called with", request.headers.get("Authorization"), flush=True)
    if MISTAKE == "body-before-token":
        read_event()
    if MISTAKE != "no-validation":
        with require_token.acquire():
            pass
    context = read_event()
    if MISTAKE == "slow":
        time.sleep(2.5)
    claims = {"CorrelationId": str(context["correlationId"]), "CustomRoles": ["Writer", "Editor"]}
    action = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": claims}
    content = {"claims": claims} if MISTAKE == "wrong-reply" else {"actions": [action]}
    return {"data": {"@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", **content}}


def read_event() -> dict[str, Any]:
    """Return the context of the event's sign-in."""
    try:
        context: dict[str, Any] = request.get_json()["data"]["authenticationContext"]
        context["correlationId"]
    except (TypeError, KeyError, RecursionError):
        abort(400)
    return context


app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)

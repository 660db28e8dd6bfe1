"""An authorization request, read in two steps, because its errors have two audiences.

An unknown app or a redirect URI that is not registered is shown on a page and never sent to the URI, which may be an
attacker's. Every other error goes back to the app in the response mode of the request.

Source: RFC 6749 4.1.1 and 4.1.2.1; OpenID Connect Core 3.1.2 to 3.3.2; RFC 7636 4.3 (only S256 is accepted: RFC 9700
2.1.1); OAuth 2.0 Form Post Response Mode; entra-docs ``v2-oauth2-auth-code-flow.md``, ``v2-protocols-oidc.md``.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import EntraVersion
from selftest.entra.token_request import required
from selftest.signin.oidc.scopes import Scopes, read_scopes, resource_scopes
from selftest.signin.refusals import refused
from selftest.signin.tenant.directory import App, Directory, RedirectUri
from selftest.signin.tenant.redirect_uris import find_redirect_uri

type ResponseMode = Literal["query", "fragment", "form_post"]

RESPONSE_TYPES: Final = ("code", "id_token", "code id_token")
_RESPONSE_MODES: Final[tuple[ResponseMode, ...]] = ("query", "fragment", "form_post")
_PROMPTS: Final = ("login", "none", "select_account", "consent", "create")

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the response goes.

    Attributes:
        redirect_uri: The redirect URI as the request wrote it, with its port.
    """

    client: App
    redirect: RedirectUri
    redirect_uri: str
    response_mode: ResponseMode
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request for a sign-in.

    Attributes:
        challenge: The PKCE challenge, S256.
        prompt: Whether to ask the user; None leaves it open.
        login_hint: The user who is expected to sign in.
        client_info: Whether the response should contain ``client_info``, in which Microsoft's libraries read the
            account.
    """

    version: EntraVersion
    code: bool
    id_token: bool
    scopes: Scopes
    nonce: str | None
    challenge: str | None
    prompt: str | None
    login_hint: str | None
    correlation_id: str
    client_info: bool


def read_destination(directory: Directory, fields: Mapping[str, str]) -> Destination:
    """Read which app sends the request and where the response goes.

    Raises:
        OAuthError: The response can only be shown on a page.
    """
    client_id = required(fields, "client_id")
    client = directory.app(client_id)
    if client is None or client.protocol != "oidc":
        known = ", ".join(f"{app.client_id} ({app.key})" for app in directory.apps if app.redirect_uris)
        raise refused("client-unknown-at-authorize", given=client_id[:_SHOWN_CHARACTERS], known=known)
    given = required(fields, "redirect_uri")
    redirect = find_redirect_uri(client, given)
    if redirect is None:
        known = ", ".join(uri.uri for uri in client.redirect_uris) or "none"
        raise refused("redirect-uri-not-registered", given=given[:200], app=client, known=known)
    return Destination(
        client=client,
        redirect=redirect,
        redirect_uri=given,
        response_mode=_response_mode(fields),
        state=fields.get("state"),
    )


def read_request(
    directory: Directory, fields: Mapping[str, str], destination: Destination, version: EntraVersion
) -> AuthorizationRequest:
    """Read the rest of the request.

    Raises:
        OAuthError: The request is invalid; the error is returned to the app.
    """
    wanted = _response_type(fields)
    scopes = _scopes(directory, fields, version)
    if "id_token" in wanted:
        _check_id_token(fields, destination.client, scopes)
    prompt = fields.get("prompt") or None
    if prompt is not None and prompt not in _PROMPTS:
        raise _not_supported("prompt", prompt, _PROMPTS, aadsts=90023)
    return AuthorizationRequest(
        version=version,
        code="code" in wanted,
        id_token="id_token" in wanted,
        scopes=scopes,
        nonce=fields.get("nonce"),
        challenge=_challenge(fields),
        prompt=prompt,
        login_hint=fields.get("login_hint") or None,
        correlation_id=correlation_id(fields.get("client-request-id")),
        client_info=fields.get("client_info") == "1",
    )


def correlation_id(given: str | None) -> str:
    """Return the client's own id if it is a GUID, as Entra does; otherwise a new one."""
    try:
        return str(uuid.UUID(given or ""))
    except ValueError:
        return str(uuid.uuid4())


def _check_id_token(fields: Mapping[str, str], client: App, scopes: Scopes) -> None:
    """Check the further requirements of an id token from the authorize endpoint."""
    if not client.id_token_issuance:
        raise refused("id-token-not-enabled", app=client)
    if fields.get("response_mode") == "query":
        raise refused("id-token-in-query")
    required(fields, "nonce")
    if not scopes.id_token:
        raise refused("id-token-without-openid")


def _response_mode(fields: Mapping[str, str]) -> ResponseMode:
    given = fields.get("response_mode")
    tokens = "id_token" in fields.get("response_type", "").split()
    if given in _RESPONSE_MODES:
        # An id token is never sent in a query; the error that says so is sent in the fragment.
        return "fragment" if given == "query" and tokens else given
    if given:
        raise _not_supported("response_mode", given, _RESPONSE_MODES, aadsts=70007)
    return "fragment" if tokens else "query"


def _response_type(fields: Mapping[str, str]) -> frozenset[str]:
    given = required(fields, "response_type")
    wanted = frozenset(given.split())
    if wanted not in [frozenset(known.split()) for known in RESPONSE_TYPES]:
        raise _not_supported("response_type", given, RESPONSE_TYPES, aadsts=70005, code="unsupported_response_type")
    return wanted


def _not_supported(
    name: str, given: str, supported: tuple[str, ...], *, aadsts: int, code: str = "invalid_request"
) -> OAuthError:
    return OAuthError(
        code, f"{name} must be one of {', '.join(supported)}, got {given[:_SHOWN_CHARACTERS]!r}", aadsts=aadsts
    )


def _scopes(directory: Directory, fields: Mapping[str, str], version: EntraVersion) -> Scopes:
    if version == "1.0" and "scope" not in fields:
        return resource_scopes(directory, fields.get("resource") or "https://graph.microsoft.com")
    return read_scopes(directory, fields.get("scope", ""))


def _challenge(fields: Mapping[str, str]) -> str | None:
    challenge, method = fields.get("code_challenge"), fields.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if challenge is None:
        reason = "code_challenge_method was sent without code_challenge"
    elif method != "S256":
        shown = (method or "plain, its default")[:_SHOWN_CHARACTERS]
        reason = f"code_challenge_method must be S256, got {shown!r}"
    elif not _CHALLENGE.fullmatch(challenge):
        reason = f"an S256 code_challenge has 43 base64url characters, this one has {len(challenge)}"
    else:
        return challenge
    raise refused("challenge-malformed", reason=reason)

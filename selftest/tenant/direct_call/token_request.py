"""Get the token: with a secret by the documented request, with anything else through azure-identity.

The secret travels in a form over https, or to this very machine. Nothing of it, nor of the token, is ever in a message.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp

from selftest.base.cannot_run import CannotRun
from selftest.tenant.direct_call.expectations import Expectations, is_loopback
from selftest.tenant.direct_call.token_errors import meaning_of_error

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

type CredentialKind = Literal["secret", "certificate", "azure-cli", "managed-identity", "workload-identity"]

_MAX_ANSWER_BYTES: Final = 1024 * 1024
#: Where azure-identity has no number of Entra's to show: what each way needs.
_WAYS_ON: Final[dict[CredentialKind, str]] = {
    "secret": "set CLIENT_SECRET",
    "certificate": "it wants a PEM file with the certificate and its unencrypted key, and the authority reachable",
    "azure-cli": "run `az login` first; it signs a user in, whose token an endpoint never accepts",
    "managed-identity": "it is there in Azure alone, where an identity is assigned to the app",
    "workload-identity": "it wants AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE",
}
_AADSTS: Final = re.compile(r"AADSTS([0-9]{4,8})")


class NoTokenError(CannotRun):
    """Raised when there is no token; the message says why and what to do, without secret or token.

    Attributes:
        aadsts: Entra's number for it; None when the answer was none of Entra's, or none came.
    """

    def __init__(self, message: str, *, aadsts: int | None = None) -> None:
        super().__init__(message)
        self.aadsts = aadsts


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What is asked for, and with what.

    Attributes:
        client_id: who asks: the API's own app unless told otherwise.
        secret: for the kind ``secret``; never printed.
        certificate: for the kind ``certificate``: a PEM file with certificate and key.
    """

    expected: Expectations
    client_id: str
    kind: CredentialKind
    secret: str | None = None
    certificate: Path | None = None

    def __repr__(self) -> str:
        """Leave the secret out of tracebacks and logs."""
        return f"TokenRequest({self.client_id}, {self.kind})"

    @property
    def scope(self) -> str:
        """Give the one scope that client credentials may ask for."""
        return f"{self.expected.application_id_uri}/.default"

    @property
    def url(self) -> str:
        """Give the token endpoint."""
        return f"{self.expected.authority_urls[0]}/oauth2/v2.0/token"


def open_session(url: str, *, timeout_s: float) -> aiohttp.ClientSession:
    """Open a session for documents and tokens: no cookies, and a proxy only where the host is not this machine."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not is_loopback(url),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
    )


async def read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read a body up to a size.

    Raises:
        ValueError: there is more.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            response.close()
            raise ValueError(f"more than {max_bytes} bytes")
    return bytes(body)


async def get_token(
    request: TokenRequest, *, timeout_s: float = 15.0, library_options: Mapping[str, Any] | None = None
) -> str:
    """Get an access token.

    Args:
        request: what is asked for.
        timeout_s: for the documented request, from the connection to the last byte.
        library_options: azure-identity's, for the kinds that it serves.

    Raises:
        NoTokenError: the endpoint refuses or cannot be reached, or the credential has none.
    """
    if request.kind == "secret":
        return await _by_secret(request, timeout_s)
    return await _by_library(request, library_options or {})


async def _by_secret(request: TokenRequest, timeout_s: float) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": request.client_id,
        "client_secret": request.secret or "",
        "scope": request.scope,
    }
    try:
        async with (
            open_session(request.url, timeout_s=timeout_s) as session,
            session.post(request.url, data=form, allow_redirects=False) as response,
        ):
            status, body = response.status, await read_body(response, _MAX_ANSWER_BYTES)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        way_on = "start `python -m selftest entra`" if request.expected.emulated else "compare the authority's host"
        raise NoTokenError(
            f"{request.url} cannot be reached ({type(error).__name__}): {way_on}, or give --authority-url"
        ) from error
    answer = _object(body)
    token = answer.get("access_token")
    if status == 200 and isinstance(token, str) and token:
        return token
    number = _number(answer)
    named = f"AADSTS{number}" if number is not None else f"status {status}"
    raise NoTokenError(f"{request.url} gave no token: {named}: {meaning_of_error(number)}", aadsts=number)


async def _by_library(request: TokenRequest, options: Mapping[str, Any]) -> str:
    # Half a second of imports that a secret does without.
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - as said

    try:
        async with _credential(request, options) as credential:
            return str((await credential.get_token(request.scope)).token)
    except (AzureError, ValueError, TypeError, OSError) as error:
        number = _first_number(str(error))
        said = f"AADSTS{number}: {meaning_of_error(number)}" if number else _WAYS_ON[request.kind]
        raise NoTokenError(
            f"the credential {request.kind} gave no token for {request.scope}: {said}", aadsts=number
        ) from error


def _credential(request: TokenRequest, options: Mapping[str, Any]) -> "AsyncTokenCredential":
    from azure.identity import aio  # noqa: PLC0415 - as above

    parts = urlsplit(request.expected.authority_urls[0])
    tenant = parts.path.strip("/")
    match request.kind:
        case "certificate":
            return aio.CertificateCredential(
                tenant, request.client_id, str(request.certificate), authority=parts.netloc, **options
            )
        case "azure-cli":
            return aio.AzureCliCredential(tenant_id=tenant)
        case "managed-identity":
            return aio.ManagedIdentityCredential(**options)
        case _:
            return aio.WorkloadIdentityCredential(**options)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _number(answer: dict[str, Any]) -> int | None:
    codes = answer.get("error_codes")
    if isinstance(codes, list) and codes and type(codes[0]) is int:
        return codes[0]
    return _first_number(str(answer.get("error_description", "")))


def _first_number(text: str) -> int | None:
    found = _AADSTS.search(text)
    return None if found is None else int(found[1])

"""The token request: with a secret the documented one, with any other credential through azure-identity.

The secret is sent in a form over https, or to this machine. No message holds the secret or the token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
from msgspec import DecodeError, Struct, json

from selftest.base.cannot_run import CannotRun
from selftest.base.loopback import is_this_machine
from selftest.base.program import PROGRAM
from selftest.tenant.direct_call.expectations import Expectations
from selftest.tenant.direct_call.token_errors import meaning_of_error

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

type TokenMethod = Literal["secret", "certificate", "azure-cli", "managed-identity", "workload-identity"]

_MAX_ANSWER_BYTES: Final = 1024 * 1024
#: What each method needs, for errors of azure-identity that have no AADSTS code.
_NEEDS: Final[dict[TokenMethod, str]] = {
    "secret": "set CLIENT_SECRET",
    "certificate": "it needs a PEM file with the certificate and its unencrypted key, and a reachable authority",
    "azure-cli": "run `az login` first; it signs a user in, whose token an endpoint never accepts",
    "managed-identity": "it works in Azure only, where an identity is assigned to the app",
    "workload-identity": "it needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE",
}
_AADSTS: Final = re.compile(r"AADSTS([0-9]{4,8})")


class _Answer(Struct):
    access_token: str = ""
    error_codes: tuple[int, ...] | None = None
    error_description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectTokenRequest:
    """A token request: the scope, and how the client authenticates.

    Attributes:
        client_id: The client; by default the API's own app.
        secret: For the method ``secret``; never printed.
        certificate: For the method ``certificate``: a PEM file with certificate and key.
    """

    expected: Expectations
    client_id: str
    method: TokenMethod
    secret: str | None = None
    certificate: Path | None = None

    def __repr__(self) -> str:
        """Return a text without the secret, for tracebacks and logs."""
        return f"DirectTokenRequest({self.client_id}, {self.method})"

    @property
    def scope(self) -> str:
        """Return the only scope that client credentials may request."""
        return f"{self.expected.application_id_uri}/.default"

    @property
    def url(self) -> str:
        """Return the URL of the token endpoint."""
        return f"{self.expected.authority_urls[0]}/oauth2/v2.0/token"


def open_session(url: str, *, timeout_s: float) -> aiohttp.ClientSession:
    """Open a session for documents and tokens: without cookies, and without a proxy for this machine."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not is_this_machine(url),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
    )


async def read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read a body up to a size.

    Raises:
        ValueError: The body is larger.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            response.close()
            raise ValueError(f"more than {max_bytes} bytes")
    return bytes(body)


async def get_token(
    request: DirectTokenRequest, *, timeout_s: float = 15.0, library_options: Mapping[str, Any] | None = None
) -> str:
    """Get an access token.

    Raises:
        CannotRun: The token endpoint refuses or cannot be reached, or the credential has no token. The message says
            why and what to do, without secret or token.
    """
    if request.method == "secret":
        return await _by_secret(request, timeout_s)
    return await _by_library(request, library_options or {})


async def _by_secret(request: DirectTokenRequest, timeout_s: float) -> str:
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
        hint = f"start `{PROGRAM} entra`" if request.expected.emulated else "compare the authority's host"
        raise CannotRun(
            f"{request.url} cannot be reached ({type(error).__name__}): {hint}, or give --authority-url"
        ) from error
    try:
        answer = json.decode(body, type=_Answer)
    except (DecodeError, RecursionError):
        answer = _Answer()
    if status == 200 and answer.access_token:
        return answer.access_token
    number = answer.error_codes[0] if answer.error_codes else _first_number(answer.error_description)
    named = f"AADSTS{number}" if number is not None else f"status {status}"
    raise CannotRun(f"{request.url} returned no token: {named}: {meaning_of_error(number)}")


async def _by_library(request: DirectTokenRequest, options: Mapping[str, Any]) -> str:
    # Half a second of imports, which a secret does not need.
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - see above

    try:
        async with _credential(request, options) as credential:
            return str((await credential.get_token(request.scope)).token)
    except (AzureError, ValueError, TypeError, OSError) as error:
        number = _first_number(str(error))
        reason = f"AADSTS{number}: {meaning_of_error(number)}" if number else _NEEDS[request.method]
        raise CannotRun(f"the method {request.method} returned no token for {request.scope}: {reason}") from error


def _credential(request: DirectTokenRequest, options: Mapping[str, Any]) -> "AsyncTokenCredential":
    from azure.identity import aio  # noqa: PLC0415 - see _by_library

    parts = urlsplit(request.expected.authority_urls[0])
    tenant = parts.path.strip("/")
    match request.method:
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


def _first_number(text: str) -> int | None:
    found = _AADSTS.search(text)
    return None if found is None else int(found[1])

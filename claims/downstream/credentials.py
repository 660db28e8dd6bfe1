"""Where downstream tokens come from: the app's own identity in Azure, or azure-identity's asynchronous credentials.

azure-identity is imported in a thread, when the first token is fetched. Each fetch creates a credential, because a
credential has a token cache: it would return again the token that a downstream has just refused, and hide that a
refresh failed. Creating one takes half a millisecond, and a fetch is due about once an hour.

Measured on two cores: importing azure-identity and aiohttp takes 180 ms in the thread and holds up the event loop for
at most 9 ms; a later fetch over TLS takes 5 ms. azure-core's transport over requests would save 100 ms of that import,
but an abandoned fetch would keep its thread for as long as the response trickles in; with aiohttp it ends when it is
canceled.
"""

import asyncio
import importlib
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from claims.downstream.app_identity import AppIdentity
from claims.downstream.issued_token import DownstreamToken, TokenFetchError, TokenSource, read_retry_after_s
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import SettingsError
from claims.settings.credential import (
    AUTHORITY_HOST,
    CERTIFICATE_PASSWORD,
    CERTIFICATE_PATH,
    CLIENT_ID,
    CLIENT_SECRET,
    CREDENTIAL,
    DEFAULT_KIND,
    FEDERATED_TOKEN_FILE,
    IDENTITY_ENDPOINT,
    IDENTITY_HEADER,
    TENANT_ID,
    credential_problems,
    runs_in_azure,
)
from claims.wire.own_thread import in_own_thread

#: Shorter than the limit of one fetch, so that azure-identity ends the command that it started.
AZURE_CLI_TIMEOUT_S: Final = 8
#: Their messages quote Entra or the command line, which can contain a user's name.
_LOGGERS: Final = ("azure.identity", "azure.core.pipeline.policies.http_logging_policy")
_DEVELOPERS: Final = tuple(
    f"exclude_{name}_credential"
    for name in ("shared_token_cache", "visual_studio_code", "cli", "developer_cli", "powershell")
)
_ENTRA_ERROR: Final = re.compile(r"AADSTS\d{3,8}")


def token_source(
    kind: str,
    environ: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.time,
    client_options: Mapping[str, Any] | None = None,
) -> TokenSource:
    """Return the source of tokens for a kind of credential. It imports and requests nothing before the first fetch.

    Args:
        kind: The value of ``Claims__Credential``.
        environ: The process's environment; for ``managed-identity`` and ``default`` azure-identity reads that itself.
        clock: Wall-clock seconds since the epoch, for a ``Retry-After`` that is a date.
        client_options: Further options for azure-core's clients (``connection_verify``).

    Raises:
        SettingsError: The kind is unknown, or its settings are missing.
    """
    if problems := credential_problems(kind, environ):
        raise SettingsError(tuple(problems))
    endpoint, secret = environ.get(IDENTITY_ENDPOINT), environ.get(IDENTITY_HEADER)
    # With the thumbprint it is Service Fabric's endpoint, which azure-identity knows.
    if kind == "managed-identity" and endpoint and secret and not environ.get("IDENTITY_SERVER_THUMBPRINT"):
        return AppIdentity(endpoint, secret, environ.get(CLIENT_ID, ""), clock)
    return _AzureIdentity(kind, environ, clock, client_options or {})


def create_token_cache(scope: str, environ: Mapping[str, str]) -> DownstreamTokenCache:
    """Create the cache for a scope, with the configured credential and the real clocks.

    Raises:
        SettingsError: As in `token_source`.
    """
    source = token_source(environ.get(CREDENTIAL, "").strip() or DEFAULT_KIND, environ)
    return DownstreamTokenCache(scope, source, clock=time.time, sleep=asyncio.sleep, rng=random.random)


class _AzureIdentity:
    """Fetches each token with a new credential."""

    def __init__(
        self, kind: str, environ: Mapping[str, str], clock: Callable[[], float], client_options: Mapping[str, Any]
    ) -> None:
        self._kind = kind
        self._environ = environ
        self._clock = clock
        # A retry inside a fetch would hide that the fetch failed and how long the issuer asks to wait.
        self._options = {"retry_total": 0, **client_options}

    async def __call__(self, scope: str) -> DownstreamToken:
        answer = _LastAnswer()
        try:
            # The imports, and reading a certificate, would block the loop for too long.
            credential = await in_own_thread(self._create, answer)
            async with credential:
                token = await credential.get_token_info(scope)
        except Exception as error:
            raise self._failure(error, answer) from error
        return DownstreamToken(token.token, token.expires_on, token.refresh_on)

    def _create(self, answer: "_LastAnswer") -> Any:
        """Create a credential; typed as Any, because naming its type would import it."""
        identity = importlib.import_module("azure.identity.aio")
        transport = importlib.import_module("claims.downstream.azure_transport").OwnThreadTransport(**self._options)
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.ERROR)
        options = {**self._options, "transport": transport, "raw_response_hook": answer.note}
        credential, arguments = self._arguments(options)
        return getattr(identity, credential)(**arguments)

    def _arguments(self, transport: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the name of azure-identity's class for this kind, and its arguments."""
        environ = self._environ
        options = {"authority": environ.get(AUTHORITY_HOST) or None, **transport}
        app = {"tenant_id": environ.get(TENANT_ID), "client_id": environ.get(CLIENT_ID)}
        match self._kind:
            case "managed-identity":
                return "ManagedIdentityCredential", {"client_id": app["client_id"] or None, **transport}
            case "client-secret":
                return "ClientSecretCredential", {**app, "client_secret": environ[CLIENT_SECRET], **options}
            case "client-certificate":
                file = {
                    "certificate_path": environ[CERTIFICATE_PATH],
                    "password": environ.get(CERTIFICATE_PASSWORD) or None,
                }
                return "CertificateCredential", {**app, **file, **options}
            case "workload-identity":
                token_file = {"token_file_path": environ[FEDERATED_TOKEN_FILE]}
                return "WorkloadIdentityCredential", {**app, **token_file, **options}
            case "azure-cli":
                return "AzureCliCredential", {"process_timeout": AZURE_CLI_TIMEOUT_S}
        # azure-identity decides for itself whether to use the credentials whose option is None.
        excluded = dict.fromkeys(_DEVELOPERS, runs_in_azure(environ) or None)
        return "DefaultAzureCredential", {"process_timeout": AZURE_CLI_TIMEOUT_S, **excluded, **options}

    def _failure(self, error: Exception, answer: "_LastAnswer") -> TokenFetchError:
        """Describe a failure without its message, which quotes the response."""
        facts = [type(error).__name__, *dict.fromkeys(_ENTRA_ERROR.findall(str(error)))]
        if answer.status is not None:
            facts.insert(1, f"status {answer.status}")
        asked_s = read_retry_after_s(answer.retry_after, self._clock())
        return TokenFetchError(f"{self._kind}: {' '.join(facts)}", retry_after_s=asked_s)


class _LastAnswer:
    """Status and ``Retry-After`` of the issuer's last response, which azure-identity's errors do not always contain."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after = ""

    def note(self, response: Any) -> None:
        """Record a response (azure-core's ``raw_response_hook``)."""
        self.status = response.http_response.status_code
        self.retry_after = response.http_response.headers.get("Retry-After", "")

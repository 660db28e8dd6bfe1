"""Where downstream tokens come from: azure-identity's asynchronous credentials.

azure-identity is imported when the first token is wanted, in a thread. A credential lives for one fetch: it keeps
tokens in a cache of its own, and would give out again the one that a downstream has just refused, and hide that a
refresh failed. Making one takes half a millisecond, and a fetch comes about once an hour.

Measured on two cores: importing azure-identity and aiohttp takes 180 ms in the thread, in which the event loop stood
still for at most 9 ms; a later fetch over TLS on this machine takes 5 ms. azure-core's transport over requests would
save 100 ms of that import, but a fetch that was given up keeps its thread while the answer trickles, and signing keys
are parsed in that pool; with aiohttp it ends when it is cancelled.
"""

import asyncio
import importlib
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from claims.downstream.tokens import DownstreamToken, DownstreamTokens, TokenFetchError, TokenSource
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
    TENANT_ID,
    credential_problems,
    runs_in_azure,
)

#: Below the limit of one fetch, so that the command is ended by who started it.
AZURE_CLI_TIMEOUT_S: Final = 8
#: Their messages repeat what Entra or the command line said, which can hold a user's name.
_TALKATIVE: Final = ("azure.identity", "azure.core.pipeline.policies.http_logging_policy")
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
    """Choose where tokens come from. Nothing is imported or asked before the first token is wanted.

    Args:
        kind: the value of ``Claims__Credential``.
        environ: the process's environment; for ``managed-identity`` and ``default`` azure-identity reads that itself.
        clock: wall-clock seconds since the epoch, for a ``Retry-After`` that is a date.
        client_options: further options of azure-core's clients (``connection_verify``).

    Raises:
        SettingsError: an unknown kind, or its settings are not there.
    """
    if problems := credential_problems(kind, environ):
        raise SettingsError(tuple(problems))
    return _AzureIdentity(kind, environ, clock, client_options or {})


def downstream_tokens(environ: Mapping[str, str]) -> DownstreamTokens:
    """Make the cache that the settings ask for, on the real clocks.

    Raises:
        SettingsError: as in `token_source`.
    """
    source = token_source(environ.get(CREDENTIAL, "").strip() or DEFAULT_KIND, environ)
    return DownstreamTokens(source, clock=time.time, sleep=asyncio.sleep, rng=random.random)


class _AzureIdentity:
    """Fetches with a new credential each time."""

    def __init__(
        self, kind: str, environ: Mapping[str, str], clock: Callable[[], float], client_options: Mapping[str, Any]
    ) -> None:
        self._kind = kind
        self._environ = environ
        self._clock = clock
        # Who waits for a retry within a fetch learns neither that it failed nor for how long to leave the issuer alone.
        self._options = {"retry_total": 0, **client_options}

    async def __call__(self, scope: str) -> DownstreamToken:
        answer = _Answer()
        try:
            # The imports, and reading a certificate, take longer than the loop may stand still.
            credential = await asyncio.to_thread(self._create, answer)
            async with credential:
                token = await credential.get_token_info(scope)
        except Exception as error:
            raise self._failure(error, answer) from error
        return DownstreamToken(token.token, token.expires_on, token.refresh_on)

    def _create(self, answer: "_Answer") -> Any:
        """Make a credential; Any, because naming its type would import it."""
        for module in ("aiohttp", "azure.core.rest._aiohttp"):
            importlib.import_module(module)
        identity = importlib.import_module("azure.identity.aio")
        for talkative in _TALKATIVE:
            logger = logging.getLogger(talkative)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.ERROR)
        name, arguments = self._arguments(answer)
        return getattr(identity, name)(**arguments)

    def _arguments(self, answer: "_Answer") -> tuple[str, dict[str, Any]]:
        """Name azure-identity's class for this kind, and say what to pass."""
        environ = self._environ
        transport = {**self._options, "raw_response_hook": answer.note}
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
        # None leaves the choice to azure-identity.
        excluded = dict.fromkeys(_DEVELOPERS, runs_in_azure(environ) or None)
        return "DefaultAzureCredential", {"process_timeout": AZURE_CLI_TIMEOUT_S, **excluded, **options}

    def _failure(self, error: Exception, answer: "_Answer") -> TokenFetchError:
        """Say what happened without the messages, which quote answers."""
        facts = [type(error).__name__, *dict.fromkeys(_ENTRA_ERROR.findall(str(error)))]
        if answer.status is not None:
            facts.insert(1, f"status {answer.status}")
        retry_after_s = _seconds(answer.retry_after, self._clock())
        return TokenFetchError(f"{self._kind}: {' '.join(facts)}", retry_after_s=retry_after_s)


class _Answer:
    """What the issuer answered last; azure-identity's errors do not always hold it."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after = ""

    def note(self, response: Any) -> None:
        """Look at a response as it comes (azure-core's ``raw_response_hook``)."""
        self.status = response.http_response.status_code
        self.retry_after = response.http_response.headers.get("Retry-After", "")


def _seconds(retry_after: str, now_s: float) -> float | None:
    """Read a ``Retry-After``: seconds or a date (RFC 9110 section 10.2.3)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now_s)
    except ValueError:
        return None

"""Signs in to Graph with one of azure-identity's credentials, which is imported when a token is requested.

azure-identity's messages repeat what Entra or a command printed, which may contain a user's name. They are not shown;
the kind of failure, Entra's error number and the next step are.

``az login`` signs in with a fixed set of scopes, and those for extensions and listeners are not among them. ``browser``
and ``device-code`` request the permissions that a command needs. Tokens stay in memory: no cache is written.

Source: azure-identity 1.27 reference; entra-docs ``v2-oauth2-device-code.md``; Azure/azure-cli issues 22775 and 33062.
"""

import asyncio
import importlib
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from selftest.base.daemon_thread import in_daemon_thread
from selftest.tenant.graph.errors import NotSignedIn

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

#: Microsoft Graph Command Line Tools: the public client that Microsoft's own Graph tools sign in with.
GRAPH_TOOLS_CLIENT_ID: Final = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
BROWSER: Final = "browser"
DEVICE_CODE: Final = "device-code"
#: A person signs in, and is asked for consent to single permissions.
INTERACTIVE: Final = frozenset({BROWSER, DEVICE_CODE})
#: The command answers in one second, or waits for something that never comes.
_COMMAND_TIMEOUT_S: Final = 15
#: Entra allows fifteen minutes; a slower person can start again.
_PERSON_TIMEOUT_S: Final = 300

_VERBOSE_LOGGERS: Final = ("azure.identity", "azure.core", "msal")
_ENTRA_ERROR: Final = re.compile(r"AADSTS\d{3,8}")
_TENANT: Final = "AZURE_TENANT_ID"
_CLIENT: Final = "AZURE_CLIENT_ID"


class _Way(NamedTuple):
    """One of azure-identity's credentials.

    Attributes:
        name: Of azure-identity's class.
        advice: What to do when it fails.
        needed: The variables without which it cannot sign in, by the class's parameter.
    """

    name: str
    advice: str
    needed: Mapping[str, str] = {}


_WAYS: Final[Mapping[str, _Way]] = {
    BROWSER: _Way(
        "InteractiveBrowserCredential",
        f"Sign in to the intended tenant in the browser that opens; without a browser here: --credential {DEVICE_CODE}",
    ),
    "azure-cli": _Way(
        "AzureCliCredential",
        f"Sign in with --credential {BROWSER}, which asks for the permissions it needs; or install the Azure CLI "
        "and run: az login --tenant YOUR-TENANT --allow-no-subscriptions, which cannot read extensions and listeners",
    ),
    DEVICE_CODE: _Way(
        "DeviceCodeCredential", "Open the page that is shown, enter the code, and sign in to the intended tenant"
    ),
    "managed-identity": _Way(
        "ManagedIdentityCredential",
        f"This works on an Azure host with a managed identity; name a user-assigned one in {_CLIENT}",
    ),
    "workload-identity": _Way(
        "WorkloadIdentityCredential",
        "Check the federated credential of the application, and that the token's file is fresh",
        {"tenant_id": _TENANT, "client_id": _CLIENT, "token_file_path": "AZURE_FEDERATED_TOKEN_FILE"},
    ),
    "client-secret": _Way(
        "ClientSecretCredential",
        "Check tenant, client id and secret, and that the secret has not expired",
        {"tenant_id": _TENANT, "client_id": _CLIENT, "client_secret": "AZURE_CLIENT_SECRET"},
    ),
}
KINDS: Final = tuple(_WAYS)
#: By kind, client and tenant: a person signs in once in a process, however many commands it runs.
_OF_PERSONS: Final[dict[tuple[str, Any, Any], Any]] = {}


class GraphTokenSource(Protocol):
    """The part of azure-core's ``AsyncTokenCredential`` that a client of Graph uses."""

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Return a token.

        Raises:
            NotSignedIn: There is none.
        """


class GraphCredential(AbstractAsyncContextManager["GraphCredential"]):
    """An azure-identity credential, by name; an async context manager that closes what it opened.

    Args:
        tenant_id: The tenant to sign in to; None: the environment's, or the credential's own choice.
        show: Shows a person what to do.
        options: For azure-identity's class, besides those that the kind has.

    Raises:
        NotSignedIn: The kind is unknown, or variables are missing; the message names all of them.
    """

    def __init__(
        self,
        kind: str,
        environ: Mapping[str, str],
        *,
        tenant_id: str | None = None,
        show: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise NotSignedIn(f"unknown credential {kind!r}", f"Choose one of {', '.join(KINDS)}")
        if missing := [name for name in _WAYS[kind].needed.values() if not environ.get(name)]:
            raise NotSignedIn(f"signing in by {kind} needs {', '.join(missing)}", "Set them in the environment")
        self._kind = kind
        self._environ = environ
        self._tenant_id = tenant_id or environ.get(_TENANT) or None
        self._show = show
        self._options = dict(options or {})
        self._credential: Any = None

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Return a token.

        Raises:
            NotSignedIn: There is none; the message says how to get one.
        """
        try:
            if self._credential is None:
                self._credential = await asyncio.to_thread(self._create)
            # These have no asynchronous form: they wait in a thread for the person.
            if self._kind in INTERACTIVE:
                token: AccessToken = await in_daemon_thread(lambda: self._credential.get_token(*scopes, **options))
            else:
                token = await self._credential.get_token(*scopes, **options)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may contain a name, and is not shown
            raise self._failure(error) from None
        return token

    async def __aexit__(self, *_: object) -> None:
        credential, self._credential = self._credential, None
        keeps = credential is None or credential in _OF_PERSONS.values()
        closing = None if keeps else credential.close()
        if closing is not None:
            await closing

    def _create(self) -> Any:
        """Create the credential; Any, because naming its type would import it."""
        for name in _VERBOSE_LOGGERS:
            if (logger := logging.getLogger(name)).level == logging.NOTSET:
                logger.setLevel(logging.CRITICAL)
        arguments = self._arguments()
        whose = (self._kind, arguments.get("client_id"), arguments.get("tenant_id"))
        if self._kind in INTERACTIVE and not self._options and whose in _OF_PERSONS:
            return _OF_PERSONS[whose]
        module = "azure.identity" if self._kind in INTERACTIVE else "azure.identity.aio"
        created = getattr(importlib.import_module(module), _WAYS[self._kind].name)(**arguments, **self._options)
        if self._kind in INTERACTIVE and not self._options:
            _OF_PERSONS[whose] = created
        return created

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments for azure-identity's class."""
        environ, tenant = self._environ, self._tenant_id
        match self._kind:
            case "azure-cli":
                return {"process_timeout": _COMMAND_TIMEOUT_S, **({"tenant_id": tenant} if tenant else {})}
            case "managed-identity":
                return {"client_id": environ.get(_CLIENT) or None}
            case "browser":
                return self._of_a_person()
            case "device-code":
                return self._of_a_person() | {
                    "prompt_callback": lambda url, code, _: self._show(
                        f"To sign in, open {url} and enter the code {code}"
                    ),
                }
        needed = {parameter: environ[name] for parameter, name in _WAYS[self._kind].needed.items()}
        return needed | {"tenant_id": tenant}

    def _of_a_person(self) -> dict[str, Any]:
        return {
            "client_id": self._environ.get(_CLIENT) or GRAPH_TOOLS_CLIENT_ID,
            "tenant_id": self._tenant_id or "organizations",
            "timeout": _PERSON_TIMEOUT_S,
        }

    def _failure(self, error: Exception) -> NotSignedIn:
        """Return the error without the messages."""
        numbers = " ".join(dict.fromkeys(_ENTRA_ERROR.findall(str(error))))
        facts = f"{type(error).__name__} {numbers}".strip()
        return NotSignedIn(f"signing in by {self._kind} failed ({facts})", _WAYS[self._kind].advice)


def delegated_scopes(permissions: Sequence[str], base_url: str) -> tuple[str, ...]:
    """Return the scopes to request a person's consent for: ``.default`` covers only earlier consent."""
    return tuple(f"{base_url}/{name}" for name in permissions)

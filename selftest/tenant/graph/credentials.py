"""Signing in to Graph, by the name of a way: azure-identity's credentials, imported when they are wanted.

azure-identity's messages repeat what Entra or a command line said, which can hold a user's name. They are not shown:
what is, is the kind of failure, Entra's error number and the way on.

``az login`` signs in with scopes that are Azure's choice, and those for extensions, listeners and policies are probably
not among them; no page says so. What the token allows is shown, and ``device-code`` asks for what is missing.

Source: azure-identity 1.27 reference; entra-docs ``v2-oauth2-device-code.md``.
"""

import asyncio
import contextlib
import importlib
import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, cast, get_args

from selftest.tenant.graph.errors import NotSignedIn
from selftest.tenant.graph.exchange import Token

type Kind = Literal["azure-cli", "device-code", "managed-identity", "workload-identity", "client-secret"]
KINDS: Final[tuple[str, ...]] = get_args(Kind.__value__)

#: Microsoft Graph Command Line Tools: the public client that Microsoft's own Graph tools sign in with.
GRAPH_TOOLS_CLIENT_ID: Final = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
#: The command answers in one second, or waits for something that never comes.
_COMMAND_TIMEOUT_S: Final = 15
#: Entra gives a person fifteen minutes; who is slower asks again.
_DEVICE_TIMEOUT_S: Final = 300

_TALKATIVE: Final = ("azure.identity", "azure.core", "msal")
_ENTRA_ERROR: Final = re.compile(r"AADSTS\d{3,8}")

_TENANT: Final = "AZURE_TENANT_ID"
_CLIENT: Final = "AZURE_CLIENT_ID"
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "client-secret": (_TENANT, _CLIENT, "AZURE_CLIENT_SECRET"),
    "workload-identity": (_TENANT, _CLIENT, "AZURE_FEDERATED_TOKEN_FILE"),
}
_ADVICE: Final[Mapping[str, str]] = {
    "azure-cli": "Install the Azure CLI and run: az login --tenant YOUR-TENANT --allow-no-subscriptions",
    "device-code": "Open the page that is shown, enter the code, and sign in to the tenant that is meant",
    "managed-identity": f"This works on an Azure host with a managed identity; name a user-assigned one in {_CLIENT}",
    "workload-identity": "Check the federated credential of the application, and that the token's file is fresh",
    "client-secret": "Check tenant, client id and secret, and that the secret has not ended",
}


class SignIn:
    """Gives tokens in one way; an async context manager that closes what it opened.

    Args:
        kind: one of `KINDS`.
        environ: the process's environment.
        tenant_id: the tenant to sign in to; None: the environment's, or the way's own choice.
        show: tells a person what to do.
        options: for azure-identity's class, besides those that the kind has.

    Raises:
        NotSignedIn: an unknown kind, or the environment lacks what it needs; the message names all of it.
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
            raise NotSignedIn(f"no way to sign in is called {kind!r}", f"Choose one of {', '.join(KINDS)}")
        if lacking := [name for name in _NEEDED.get(kind, ()) if not environ.get(name)]:
            raise NotSignedIn(f"signing in by {kind} needs {', '.join(lacking)}", "Set them in the environment")
        self._kind = kind
        self._environ = environ
        self._tenant_id = tenant_id or environ.get(_TENANT) or None
        self._show = show
        self._options = dict(options or {})
        self._credential: Any = None

    async def get_token(self, *scopes: str) -> Token:
        """Give a token.

        Raises:
            NotSignedIn: there is none; says how to get one.
        """
        try:
            if self._credential is None:
                self._credential = await asyncio.to_thread(self._create)
            # The device code's credential has no asynchronous form: it waits in a thread for the person.
            if self._kind == "device-code":
                token: Token = await _in_thread(lambda: self._credential.get_token(*scopes))
            else:
                token = await self._credential.get_token(*scopes)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a name, and is not shown
            raise self._failure(error) from None
        return token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        credential, self._credential = self._credential, None
        if credential is not None:
            closing = credential.close()
            if closing is not None:
                await closing

    def _create(self) -> Any:
        """Make the credential; Any, because naming its type would import it."""
        for name in _TALKATIVE:
            if (logger := logging.getLogger(name)).level == logging.NOTSET:
                logger.setLevel(logging.CRITICAL)
        module = "azure.identity" if self._kind == "device-code" else "azure.identity.aio"
        name, arguments = self._arguments()
        return getattr(importlib.import_module(module), name)(**arguments, **self._options)

    def _arguments(self) -> tuple[str, dict[str, Any]]:
        """Name azure-identity's class, and say what to pass."""
        environ, tenant = self._environ, self._tenant_id
        match self._kind:
            case "azure-cli":
                given = {"tenant_id": tenant} if tenant else {}
                return "AzureCliCredential", {"process_timeout": _COMMAND_TIMEOUT_S, **given}
            case "managed-identity":
                return "ManagedIdentityCredential", {"client_id": environ.get(_CLIENT) or None}
            case "client-secret":
                secret = {"client_secret": environ["AZURE_CLIENT_SECRET"]}
                return "ClientSecretCredential", {"tenant_id": tenant, "client_id": environ[_CLIENT], **secret}
            case "workload-identity":
                file = {"token_file_path": environ["AZURE_FEDERATED_TOKEN_FILE"]}
                return "WorkloadIdentityCredential", {"tenant_id": tenant, "client_id": environ[_CLIENT], **file}
        return "DeviceCodeCredential", {
            "client_id": environ.get(_CLIENT) or GRAPH_TOOLS_CLIENT_ID,
            "tenant_id": tenant or "organizations",
            "timeout": _DEVICE_TIMEOUT_S,
            "prompt_callback": lambda url, code, _: self._show(f"To sign in, open {url} and enter the code {code}"),
        }

    def _failure(self, error: Exception) -> NotSignedIn:
        """Say what happened without the messages."""
        numbers = " ".join(dict.fromkeys(_ENTRA_ERROR.findall(str(error))))
        facts = f"{type(error).__name__} {numbers}".strip()
        return NotSignedIn(f"signing in by {self._kind} failed ({facts})", _ADVICE[self._kind])


async def _in_thread[T](work: Callable[[], T]) -> T:
    """Do what blocks in a thread that does not keep the process alive: a person who gives up waits for nothing."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as failure:  # noqa: BLE001 - it is raised where it is waited for
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop has gone
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done


def delegated_scopes(permissions: Sequence[str], base_url: str) -> tuple[str, ...]:
    """Give the scopes to ask a person's consent for: ``.default`` asks only for what was consented to before."""
    return tuple(f"{base_url}/{name}" for name in permissions)

"""The client for one Azure table: azure-data-tables, imported and created off the event loop.

Importing the library, and aiohttp below it, takes more than 100 ms, so that happens in a thread and not before the
provider starts.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from claims.settings.reader import SettingsReader

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

    from claims.downstream.token_cache import DownstreamTokenCache

URL: Final = "Claims__Table__Url"
CONNECTION_STRING: Final = "Claims__Table__ConnectionString"

#: The scope of a token for any storage account.
#: Source: azure-data-tables ``_constants.py``; azure-docs ``authorize-access-azure-active-directory.md``.
STORAGE_SCOPE: Final = "https://storage.azure.com/.default"

#: Entra's retry is the second attempt; a retry by the library would use up the budget of the first.
_OPTIONS: Final[dict[str, Any]] = {"retry_total": 0, "connection_timeout": 10, "read_timeout": 10}


def client_with_token(url: str, table: str, tokens: "DownstreamTokenCache", **options: Any) -> "TableClient":
    """Create a client that sends tokens from the cache. Call it in a thread: it imports.

    The library sends a token over https only.
    """
    from azure.data.tables.aio import TableClient  # noqa: PLC0415 (imported only if a table is the provider)

    return TableClient(url, table, credential=tokens, **_prepared(options))


def client_with_connection_string(connection_string: str, table: str) -> "TableClient":
    """Create a client that signs with the account's key or a shared access signature. Call it in a thread."""
    from azure.data.tables.aio import TableClient  # noqa: PLC0415 (see above)

    return TableClient.from_connection_string(connection_string, table, **_prepared({}))


def check_connection_string(settings: SettingsReader, connection_string: str) -> None:
    """Report what is wrong with a connection string without quoting it: it holds a key."""
    parts = {
        name.strip().lower(): value.strip()
        for name, _, value in (part.partition("=") for part in connection_string.split(";"))
    }
    if "sharedaccesssignature" not in parts and not parts.keys() >= {"accountname", "accountkey"}:
        settings.problem(CONNECTION_STRING, "must have AccountName and AccountKey, or SharedAccessSignature")
    if "tableendpoint" in parts:
        settings.check_url(CONNECTION_STRING, parts["tableendpoint"], secret=True)
    elif "accountname" not in parts:
        settings.problem(CONNECTION_STRING, "must have a TableEndpoint or an AccountName")
    elif parts.get("defaultendpointsprotocol", "https").lower() != "https":
        settings.problem(CONNECTION_STRING, "must have DefaultEndpointsProtocol=https")


def _prepared(options: dict[str, Any]) -> dict[str, Any]:
    """Return a client's options, and keep azure-core from logging the URLs of requests, which hold the users' ids."""
    from claims.downstream.azure_transport import OwnThreadTransport  # noqa: PLC0415 (see above)

    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
    options = {**_OPTIONS, **options}
    return {**options, "transport": OwnThreadTransport(**options)}


type OpenClient = Callable[[], "TableClient"]

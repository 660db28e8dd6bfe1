"""Claims from Azure Table Storage: one entity a user, PartitionKey the tenant's id, RowKey the user's object id.

Without a connection string the table is read with a token of ``Claims__Credential`` (role Storage Table Data Reader). A
connection string is for Azurite and for local work: a key in a setting is a secret to keep, a token is not.

A user without an entity has no claims, nor has an event without a user. A missing table fails. Both keys are in lower
case, as the event's GUIDs are. A table has no arrays, so ``Claims__Table__Lists`` names the properties whose text is
one.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from claims.downstream.credentials import create_token_cache
from claims.downstream.table_client import (
    CONNECTION_STRING,
    STORAGE_SCOPE,
    URL,
    OpenClient,
    check_connection_string,
    client_with_connection_string,
    client_with_token,
)
from claims.errors import ProviderFailed
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.claim_names import ClaimNames
from claims.settings.reader import SettingsReader
from claims.wire.own_thread import in_own_thread
from claims.wire.urls import is_plain_http

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

    from claims.downstream.token_cache import DownstreamTokenCache

NAME: Final = "Claims__Table__Name"
CLAIMS: Final = "Claims__Table__Claims"
LISTS: Final = "Claims__Table__Lists"
#: What they mean: docs/settings.md.
SETTINGS: Final = (NAME, URL, CONNECTION_STRING, CLAIMS, LISTS)

_KEYS: Final = frozenset({"PartitionKey", "RowKey"})
_OK: Final = 200
_UNAUTHORIZED: Final = 401
#: Source: Azure Storage REST reference, "Understanding the Table service data model" (table names).
_TABLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")


class TableProvider:
    """Reads the user's entity."""

    def __init__(
        self,
        open_client: OpenClient,
        names: ClaimNames,
        lists: frozenset[str] = frozenset(),
        tokens: "DownstreamTokenCache | None" = None,
    ) -> None:
        self._open_client = open_client
        self._names = names
        self.claim_names = names.claims
        self._lists = lists
        self._tokens = tokens
        self._opening: asyncio.Task[TableClient] | None = None

    def start(self) -> None:
        """Import the library, build the client and get the first token in the background."""
        if self._tokens is not None:
            self._tokens.start()
        self._opening = self._open()

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return the chosen properties of the user's entity.

        Raises:
            TokenUnavailable: There is no token.
            ProviderFailed: ``downstream_unreachable``, ``downstream_status`` or ``downstream_shape``.
        """
        user = event.context.user
        if user is None:
            return {}
        client = await asyncio.shield(self._open())
        if self._tokens is None:
            entity = await _read(client, event.tenant_id, user.id, context)
        else:
            entity = await self._read_with_token(self._tokens, client, (event.tenant_id, user.id), context)
        members = {name: self._value(name, value) for name, value in entity.items() if name not in _KEYS}
        return self._names.select(members) if members else {}

    async def aclose(self) -> None:
        """Close the client and stop fetching tokens."""
        if self._opening is not None:
            client = (await asyncio.gather(self._opening, return_exceptions=True))[0]
            if not isinstance(client, BaseException):
                await client.close()
        if self._tokens is not None:
            await self._tokens.aclose()

    def _open(self) -> "asyncio.Task[TableClient]":
        opening = self._opening
        # What failed once, for example for lack of memory, must not fail every later sign-in.
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
            opening = self._opening = asyncio.get_running_loop().create_task(in_own_thread(self._open_client))
        return opening

    async def _read_with_token(
        self, tokens: "DownstreamTokenCache", client: "TableClient", keys: tuple[str, str], context: ProviderContext
    ) -> Mapping[str, Any]:
        tokens.report(context)
        with context.phase("downstream_token"):
            token = (await tokens.token()).token
        try:
            return await _read(client, *keys, context)
        except _Unauthorized:
            # The client has forgotten its copy by now; when the cache has forgotten too, it gets a new one.
            tokens.refused(token)
            return await _read(client, *keys, context)

    def _value(self, name: str, value: object) -> object:
        if name in self._lists and isinstance(value, str):
            return [item for part in value.split(",") if (item := part.strip())]
        # A 64-bit integer comes as a pair: the number and its type.
        return value[0] if isinstance(value, tuple) else value


class _Unauthorized(ProviderFailed):
    """The table refused the token."""


async def _read(client: "TableClient", partition: str, row: str, context: ProviderContext) -> Mapping[str, Any]:
    """Read an entity; return an empty one if it does not exist."""
    # Loaded with the client.
    from azure.core.exceptions import (  # noqa: PLC0415
        AzureError,
        HttpResponseError,
        ResourceNotFoundError,
    )

    with context.phase("downstream_call"):
        try:
            return await client.get_entity(partition, row)
        except HttpResponseError as error:
            # The other 404 is TableNotFound.
            if isinstance(error, ResourceNotFoundError) and getattr(error, "error_code", None) == "ResourceNotFound":
                return {}
            if error.status_code == _OK:
                raise ProviderFailed("downstream_shape", "expected an entity in JSON") from error
            refused = _Unauthorized if error.status_code == _UNAUTHORIZED else ProviderFailed
            raise refused("downstream_status", f"expected 200, got {error.status_code}") from error
        except AzureError as error:
            raise ProviderFailed("downstream_unreachable", type(error).__name__) from error


def create(environ: Mapping[str, str]) -> TableProvider:
    """Create the provider from its settings.

    Raises:
        SettingsError: Naming the settings at fault.
    """
    settings = SettingsReader(environ, SETTINGS)
    table = settings.required(NAME)
    if table and not _TABLE_NAME.fullmatch(table):
        settings.problem(NAME, f"must be 3 to 63 letters and digits, got '{table}'")
    connection_string = settings.text(CONNECTION_STRING)
    names, lists = settings.claim_names(CLAIMS), frozenset(settings.items(LISTS))
    if connection_string:
        check_connection_string(settings, connection_string)
        if settings.text(URL):
            settings.problem(URL, f"and {CONNECTION_STRING} are two ways to the table: set one")
        settings.require_good()
        return TableProvider(lambda: client_with_connection_string(connection_string, table), names, lists)
    url = settings.url(URL)
    if is_plain_http(url):
        settings.problem(URL, f"must be https, because a token goes there; for Azurite set {CONNECTION_STRING}")
    settings.require_good()
    tokens = create_token_cache(STORAGE_SCOPE, environ)
    return TableProvider(lambda: client_with_token(url, table, tokens), names, lists, tokens)

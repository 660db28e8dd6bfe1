"""The store behind ``Claims__SharedCache``: Redis, through its own asynchronous client.

Importing this module takes about 150 ms, so it is imported in a thread, and only where the setting is set.

Source: Redis commands ``SET … PX``, ``GETRANGE``, ``PING``; Azure Managed Redis, "Use Microsoft Entra for cache
authentication" (the user name is the identity's object id, the password its token).
"""

import ssl
from collections.abc import Sequence
from typing import Any, Final

import jwt
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from claims.downstream.token_cache import DownstreamTokenCache
from claims.failure_policy import LOOK_S
from claims.settings.shared_cache import CacheAddress
from claims.shared_cache.store import WRITE_S

#: Connections of one instance; a further command waits for one.
_MAX_CONNECTIONS: Final = 8


class RedisStore:
    """A `claims.shared_cache.store.Store`; it connects with the first command.

    Args:
        address: Where it is.
        tokens: Of the app's identity, where that authenticates the app.
    """

    def __init__(self, address: CacheAddress, tokens: DownstreamTokenCache | None) -> None:
        self._tokens = tokens
        options: dict[str, Any] = {"credential_provider": _Identity(tokens)} if tokens else {}
        if address.credential == "password":
            options["password"] = address.password
        if address.tls:
            options["prepared_context"] = ssl.create_default_context()
        self._redis = Redis(
            connection_pool=BlockingConnectionPool(
                connection_class=_TlsConnection if address.tls else Connection,
                host=address.host,
                port=address.port,
                max_connections=_MAX_CONNECTIONS,
                timeout=LOOK_S,
                protocol=2,
                socket_timeout=WRITE_S,
                socket_connect_timeout=WRITE_S,
                # An idle connection that the server has closed fails once. What is slow is not tried again.
                retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
                **options,
            )
        )

    async def get(self, key: str, max_bytes: int) -> bytes:
        """Return at most the first ``max_bytes`` of a value, so that nobody can make this instance hold a huge one."""
        value: bytes = await self._redis.execute_command("GETRANGE", key, 0, max_bytes - 1)  # type: ignore[no-untyped-call]
        return value

    async def put(self, entries: Sequence[tuple[str, bytes, int]]) -> None:
        """Keep values, each for its milliseconds; without any, ask whether the server is there.

        Raises:
            RedisError: The server refused one of them, or cannot be reached.
        """
        async with self._redis.pipeline(transaction=False) as commands:
            if not entries:
                _ = commands.execute_command("PING")
            for key, value, ttl_ms in entries:
                _ = commands.execute_command("SET", key, value, "PX", ttl_ms)
            await commands.execute()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()
        if self._tokens is not None:
            await self._tokens.aclose()


class _TlsConnection(SSLConnection):
    """Uses one TLS context for all connections: reading the system's certificates for each would stall the loop."""

    def __init__(self, *, prepared_context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = prepared_context


class _Identity(CredentialProvider):
    """Authenticates each new connection with a token that is valid then; the server closes it when that expires."""

    def __init__(self, tokens: DownstreamTokenCache) -> None:
        self._tokens = tokens

    async def get_credentials_async(self) -> tuple[str, str]:
        """Return the identity's object id and a token of it."""
        token = (await self._tokens.token()).token
        return jwt.decode(token, options={"verify_signature": False})["oid"], token

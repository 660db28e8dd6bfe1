"""The shared memory that the settings describe."""

import importlib.util
import time
from collections.abc import Mapping
from typing import Final

from claims.downstream.credentials import create_token_cache
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import SettingsError
from claims.settings.credential import CREDENTIAL
from claims.settings.settings import Settings
from claims.settings.shared_cache import SHARED_CACHE, CacheAddress
from claims.shared_cache.replies import SharedReplies
from claims.shared_cache.store import Store
from claims.wire.own_thread import in_own_thread

#: Source: Azure Managed Redis, "Use Microsoft Entra for cache authentication".
REDIS_SCOPE: Final = "https://redis.azure.com/.default"


def create_shared_replies(settings: Settings, address: CacheAddress, environ: Mapping[str, str]) -> SharedReplies:
    """Create the shared memory; it imports its client and connects when it is started.

    The token comes from the endpoint's own cache for downstream tokens, which fetches it ahead of time and reports
    failures. ``redis-entraid`` would bring a second one, with its own settings, threads and time limits.

    Raises:
        SettingsError: The client is not installed.
    """
    if importlib.util.find_spec("redis") is None:
        problem = f"{SHARED_CACHE} needs the Python package 'redis', which is not installed: see docs/settings.md"
        raise SettingsError((problem,))

    async def connect() -> Store:
        with_identity = address.tls and address.credential == "managed-identity"
        # Its background work belongs to one event loop, as the store's connections do.
        tokens = create_token_cache(REDIS_SCOPE, {**environ, CREDENTIAL: address.credential}) if with_identity else None
        if tokens is not None:
            tokens.start()
        return await in_own_thread(_create_store, address, tokens)

    return SharedReplies(
        connect,
        tenant_id=settings.tenant_id,
        stale_s=settings.stale_s,
        clock=time.monotonic,
        wall_clock=time.time,
    )


def _create_store(address: CacheAddress, tokens: DownstreamTokenCache | None) -> Store:
    from claims.shared_cache.redis_store import RedisStore  # noqa: PLC0415 (takes 150 ms, here in a thread)

    return RedisStore(address, tokens)

"""The Redis client: against a real server, and against one on loopback that breaks on demand."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jwt
import pytest
import redis.exceptions
import trustme

from claims.downstream.issued_token import DownstreamToken
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import TokenUnavailable
from claims.settings.shared_cache import CacheAddress, CacheCredential
from claims.shared_cache import replies
from claims.shared_cache.redis_store import RedisStore
from claims.shared_cache.replies import REDIS_SCOPE, create_shared_replies
from selftest.checks.bench.redis_server import free_port, running_redis
from tests.claims.shared_cache.loopback_redis import LoopbackRedis
from tests.claims.shared_cache.real_redis import needs_redis
from tests.claims.site import ENVIRON, NOW_S, settings

OBJECT_ID = "99999999-9999-4999-8999-999999999999"
PASSWORD = "a password"


def _address(port: int, *, tls: bool = False, password: str = "") -> CacheAddress:
    credential: CacheCredential = "password" if password else "managed-identity"
    return CacheAddress("localhost" if tls else "127.0.0.1", port, tls, credential, password)


@asynccontextmanager
async def _store(address: CacheAddress, tokens: DownstreamTokenCache | None = None) -> AsyncIterator[RedisStore]:
    store = RedisStore(address, tokens)
    try:
        yield store
    finally:
        await store.aclose()


@pytest.fixture(params=["loopback", pytest.param("real", marks=needs_redis)])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """Return the port of a server that wants no password."""
    if request.param == "real":
        async with running_redis(found := free_port()):
            yield found
    else:
        async with LoopbackRedis() as server:
            yield server.port


async def test_values_are_kept_for_their_time(port: int) -> None:
    """Whole, or only their beginning; without any, the server is asked whether it is there."""
    async with _store(_address(port)) as store:
        await store.put([])
        await store.put([("a", b"\x00\r\nvalue", 60_000), ("b", b"short", 1)])
        await asyncio.sleep(0.05)
        assert await store.get("a", 100) == b"\x00\r\nvalue"
        assert await store.get("a", 4) == b"\x00\r\nv"
        assert await store.get("b", 100) == await store.get("c", 100) == b""


async def test_an_idle_connection_that_was_closed_is_made_again() -> None:
    """Servers close idle ones, and those whose token has expired."""
    async with LoopbackRedis() as server, _store(_address(server.port)) as store:
        await store.put([("a", b"1", 60_000)])
        server.hang_up()
        await asyncio.sleep(0.05)
        assert await store.get("a", 10) == b"1"


async def test_what_the_server_refuses_is_raised() -> None:
    """Full memory, a replica, a command that is not allowed."""
    async with LoopbackRedis() as server, _store(_address(server.port)) as store:
        for error, kind in (
            ("OOM command not allowed", redis.exceptions.OutOfMemoryError),
            ("READONLY replica", redis.exceptions.ReadOnlyError),
            ("NOPERM no", redis.exceptions.NoPermissionError),
        ):
            server.error = error
            with pytest.raises(kind):
                await store.put([("a", b"1", 60_000)])
            with pytest.raises(kind):
                await store.get("a", 10)


async def test_nobody_listens() -> None:
    """A server that is down is an error, at once."""
    async with asyncio.timeout(20), _store(_address(free_port())) as store:
        with pytest.raises(redis.exceptions.ConnectionError):
            await store.get("a", 10)


async def test_a_read_that_is_given_up_leaves_its_answer_to_nobody() -> None:
    """A late answer must not become the next command's."""
    async with LoopbackRedis() as server, _store(_address(server.port)) as store:
        await store.put([("a", b"1", 60_000), ("b", b"2", 60_000)])
        server.silent = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store.get("a", 10)
        server.silent = False
        assert await store.get("b", 10) == b"2"


@needs_redis
async def test_a_password_of_a_real_server() -> None:
    """The right one is taken, the wrong one is an error."""
    async with running_redis(port := free_port(), "--requirepass", PASSWORD):
        async with _store(_address(port, password=PASSWORD)) as store:
            await store.put([("a", b"1", 60_000)])
        async with _store(_address(port, password="wrong")) as store:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await store.get("a", 10)


@needs_redis
async def test_least_rights_on_a_real_server() -> None:
    """The rule that docs/deploy.md names is enough, and a user with it reads nothing else."""
    rule = "on >secret resetchannels ~claims:1:* +getrange +set +ping"
    async with (
        running_redis(port := free_port(), "--user", "default", *rule.split()),
        _store(_address(port, password="secret")) as store,
    ):
        await store.put([("claims:1:a", b"1", 60_000)])
        assert await store.get("claims:1:a", 10) == b"1"
        with pytest.raises(redis.exceptions.NoPermissionError):
            await store.get("other", 10)


@needs_redis
async def test_a_full_real_server() -> None:
    """It refuses writes, and says so."""
    async with running_redis(port := free_port(), "--maxmemory", "1"), _store(_address(port)) as store:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            await store.put([("a", b"1", 60_000)])


def _tokens(token: str) -> DownstreamTokenCache:
    async def fetch(scope: str) -> DownstreamToken:
        del scope
        if not token:
            raise OSError
        return DownstreamToken(token, NOW_S + 3600)

    return DownstreamTokenCache("scope", fetch, clock=lambda: NOW_S, sleep=asyncio.sleep, rng=lambda: 0.5)


async def test_the_apps_identity_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its object id is the user, its token the password; the server's certificate is verified."""
    token = jwt.encode({"oid": OBJECT_ID}, "a key of more than thirty-two bytes", algorithm="HS256")
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    async with LoopbackRedis(password=token, tls=context) as server:
        address = _address(server.port, tls=True)
        async with _store(address, _tokens(token)) as store:
            with pytest.raises(redis.exceptions.ConnectionError) as caught:
                await store.put([])
            assert isinstance(caught.value.__cause__ or caught.value.__context__, ssl.SSLCertVerificationError)
        with authority.cert_pem.tempfile() as file:
            monkeypatch.setenv("SSL_CERT_FILE", file)
            async with _store(address, _tokens(token)) as store:
                await store.put([("a", b"1", 60_000)])
        assert server.users == [(OBJECT_ID, token)]


async def test_without_a_token_nothing_is_asked() -> None:
    """The reason is the token cache's."""
    async with LoopbackRedis(password="any") as server, _store(_address(server.port), _tokens("")) as store:
        with pytest.raises(TokenUnavailable):
            await store.put([])
        assert not server.users


@pytest.mark.parametrize("identity", [False, True])
async def test_the_settings_make_the_store(monkeypatch: pytest.MonkeyPatch, *, identity: bool) -> None:
    """With a password on loopback, or with the identity's token over TLS."""
    token = jwt.encode({"oid": OBJECT_ID}, "a key of more than thirty-two bytes", algorithm="HS256")
    monkeypatch.setattr(replies, "create_token_cache", lambda scope, _: _tokens(token if scope == REDIS_SCOPE else ""))
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with authority.cert_pem.tempfile() as file:
        monkeypatch.setenv("SSL_CERT_FILE", file)
        async with LoopbackRedis(password=token if identity else PASSWORD, tls=context if identity else None) as server:
            password = {"Claims__SharedCacheCredential": "password", "Claims__SharedCachePassword": PASSWORD}
            environ = {
                **ENVIRON,
                "Claims__SharedCache": f"{'rediss' if identity else 'redis'}://localhost:{server.port}",
                **({} if identity else password),
            }
            made = settings(**environ)
            assert made.shared_cache is not None
            shared = create_shared_replies(made, made.shared_cache, environ)
            shared.start()
            async with asyncio.timeout(20):
                while not server.commands["PING"]:  # noqa: ASYNC110 (the server sets no event)
                    await asyncio.sleep(0.01)
            await shared.aclose()
            assert server.users == [(OBJECT_ID, token) if identity else (PASSWORD,)]

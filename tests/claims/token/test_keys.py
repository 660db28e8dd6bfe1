"""Signing keys: ready before they are needed, one fetch at a time, and never lost to an outage."""

import asyncio
import json
import threading
import time
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from claims.errors import KeysUnavailable, TokenRefused
from claims.settings.authority import Authority
from claims.token.jwks import UsableKeys
from claims.token.key_document import FORCED_COOL_DOWN_S, MAX_AGE_S, REFRESH_S, RETRY_S
from claims.token.keys import MAX_WAITING, SigningKeys
from claims.wire.fetch import HttpGet
from selftest.entra.signing import generate_signing_key
from tests.claims.site import ISSUERS, KEYS_V2, METADATA_V2, TENANT_ID, Clock, Site, all_threads_busy, settle

V2 = ISSUERS["2.0"]


async def _loaded(keys: SigningKeys, site: Site) -> None:
    keys.start()
    await settle()
    assert keys.lookup("2.0", V2, site.keys.current.kid)


async def test_loads_at_start(keys: SigningKeys, site: Site) -> None:
    """Both versions are loaded once, and a second start does nothing."""
    await _loaded(keys, site)
    keys.start()
    await settle()
    assert set(site.hits.values()) == {1}
    assert len(site.hits) == 4
    assert keys.lookup("1.0", ISSUERS["1.0"], site.keys.current.kid)


async def test_requests_join_the_first_load(keys: SigningKeys, site: Site) -> None:
    """Requests that come before the keys wait for the one load under way, however many: a burst is no flood."""
    site.stall = asyncio.Event()
    waiting = [asyncio.create_task(keys.find("2.0", V2, site.keys.current.kid, wait_s=5)) for _ in range(200)]
    await settle()
    site.stall.set()
    assert {key.kid for key, _ in await asyncio.gather(*waiting)} == {site.keys.current.kid}
    assert site.hits[KEYS_V2] == 1


async def test_waiting_is_bounded(keys: SigningKeys, site: Site) -> None:
    """A request that waited for its whole time is answered that there are no keys."""
    site.stall = asyncio.Event()
    with pytest.raises(KeysUnavailable):
        await keys.find("2.0", V2, "any", wait_s=0.01)
    site.stall.set()


async def test_answers_at_once_between_retries(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """Without keys no request starts a fetch; the background tries again, at most 10 s apart, and heals."""
    site.down = True
    keys.start()
    await settle()
    for _ in range(100):
        with pytest.raises(KeysUnavailable):
            await keys.find("2.0", V2, "any", wait_s=5)
    assert site.hits[METADATA_V2] == 1
    for pause_s in (0.5, 1, 2, 4, 8, 10, 10):
        before = site.hits[METADATA_V2]
        await clock.tick(pause_s - 0.01)
        assert site.hits[METADATA_V2] == before
        await clock.tick(0.01)
        assert site.hits[METADATA_V2] == before + 1
    site.down = False
    await clock.tick(10)
    assert (await keys.find("2.0", V2, site.keys.current.kid, wait_s=0))[0].kid == site.keys.current.kid


async def test_refreshes_every_hour(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """A new key is there after an hour, and a retired one gone, without any request."""
    await _loaded(keys, site)
    old = site.keys.current.kid
    new = site.keys.rotate().kid
    site.keys.retire(old)
    await clock.tick(REFRESH_S)
    assert keys.lookup("2.0", V2, new)
    assert keys.lookup("2.0", V2, old) is None


async def test_unknown_key_id_forces_one_fetch(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """After a roll the first token with the new key is accepted, and a minute's flood costs one fetch."""
    await _loaded(keys, site)
    new = site.keys.rotate().kid
    key, loaded = await keys.find("2.0", V2, new, wait_s=5)
    assert (key.kid, loaded) == (new, False)
    for index in range(1000):
        with pytest.raises(TokenRefused):
            await keys.find("2.0", V2, f"random {index}", wait_s=5)
    assert (site.hits[METADATA_V2], site.hits[KEYS_V2]) == (2, 2)
    await clock.tick(FORCED_COOL_DOWN_S)
    with pytest.raises(TokenRefused):
        await keys.find("2.0", V2, "random", wait_s=5)
    assert site.hits[KEYS_V2] == 3


async def test_a_flood_does_not_wait_in_a_crowd(keys: SigningKeys, site: Site) -> None:
    """While a forced fetch hangs a few tokens wait for it, and the others of a flood are refused at once."""
    await _loaded(keys, site)
    site.stall = asyncio.Event()
    finding = [asyncio.create_task(keys.find("2.0", V2, f"random {index}", wait_s=5)) for index in range(500)]
    await settle()
    assert sum(not task.done() for task in finding) == MAX_WAITING
    site.stall.set()
    found = await asyncio.gather(*finding, return_exceptions=True)
    assert {type(each) for each in found} == {TokenRefused}
    assert (site.hits[METADATA_V2], keys._waiting) == (2, 0)


async def test_cool_down_counts_failures(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """A forced fetch that failed is not repeated within the minute either, and the good keys stay."""
    await _loaded(keys, site)
    site.down = True
    for _ in range(100):
        with pytest.raises(TokenRefused):
            await keys.find("2.0", V2, "random", wait_s=5)
    assert site.hits[METADATA_V2] == 2
    assert keys.lookup("2.0", V2, site.keys.current.kid)
    await clock.tick(FORCED_COOL_DOWN_S)


async def test_good_tokens_do_not_wait_for_a_forced_fetch(keys: SigningKeys, site: Site) -> None:
    """While an unknown key id waits, a known one is found at once."""
    await _loaded(keys, site)
    site.stall = asyncio.Event()
    unknown = [asyncio.create_task(keys.find("2.0", V2, f"random {index}", wait_s=5)) for index in range(20)]
    await settle()
    assert keys.lookup("2.0", V2, site.keys.current.kid)
    assert not any(task.done() for task in unknown)
    site.stall.set()
    results = await asyncio.gather(*unknown, return_exceptions=True)
    assert all(isinstance(result, TokenRefused) for result in results)
    assert site.hits[KEYS_V2] == 2


async def test_outage_changes_nothing_for_a_day(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """The last good keys survive an outage up to the hard limit, and come back when it ends."""
    await _loaded(keys, site)
    site.down = True
    await clock.tick(MAX_AGE_S)
    assert keys.lookup("2.0", V2, site.keys.current.kid)
    await clock.tick(1)
    assert keys.lookup("2.0", V2, site.keys.current.kid) is None
    assert not await keys.ready()
    with pytest.raises(KeysUnavailable):
        await keys.find("2.0", V2, site.keys.current.kid, wait_s=0)
    site.down = False
    await clock.tick(RETRY_S)
    assert keys.lookup("2.0", V2, site.keys.current.kid)


async def test_failing_loads_are_known_while_they_fail(keys: SigningKeys, site: Site, clock: Clock) -> None:
    """The reason is there for the lines of requests, also while the last good keys serve, and goes with the outage."""
    site.down = True
    keys.start()
    await settle()
    assert keys.failing == "FetchError: status 503"
    site.down = False
    await clock.tick(10)
    assert keys.failing == ""
    site.down = True
    await clock.tick(REFRESH_S)
    assert keys.failing == "FetchError: status 503"
    assert await keys.ready()


async def test_key_ids_that_are_left_out_are_named(keys: SigningKeys, site: Site) -> None:
    """A token that names one is refused with the reason."""
    entry: dict[str, object] = site.keys.current.jwk()
    other = generate_signing_key().jwk()
    site.overrides[KEYS_V2] = json.dumps(
        {"keys": [entry, {**entry, "n": other["n"], "kid": entry["kid"]}, other]}
    ).encode()
    with pytest.raises(TokenRefused, match="1 ambiguous key ids left out"):
        await keys.find("2.0", V2, site.keys.current.kid, wait_s=5)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"EC"}]}'])
async def test_useless_key_set_replaces_nothing(body: bytes, keys: SigningKeys, site: Site, clock: Clock) -> None:
    """A set without a usable key is a failed load: the last good keys stay."""
    await _loaded(keys, site)
    site.overrides[KEYS_V2] = body
    await clock.tick(REFRESH_S)
    assert site.hits[KEYS_V2] == 2
    assert keys.lookup("2.0", V2, site.keys.current.kid)


async def test_a_surprise_does_not_end_the_refreshing(
    keys: SigningKeys, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a fetch raises is told by its name alone, and the next one is tried."""
    surprise = "secret"

    async def surprised(url: str) -> bytes:
        raise ZeroDivisionError(surprise + url)

    monkeypatch.setattr(Site, "__call__", lambda _self, url: surprised(url))
    keys.start()
    await settle()
    assert keys.failing == "unexpected ZeroDivisionError"
    monkeypatch.undo()
    await clock.tick(1)
    assert keys.lookup("2.0", V2, site.keys.current.kid)


async def test_hanging_host_is_given_up(keys: SigningKeys, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load ends after its time even when the host never answers."""
    monkeypatch.setattr("claims.token.key_document.LOAD_TIMEOUT_S", 0.01)
    site.stall = asyncio.Event()
    keys.start()
    with pytest.raises(KeysUnavailable, match=r"TimeoutError$"):
        await keys.find("2.0", V2, "any", wait_s=5)


async def test_parsing_is_inside_the_limit(keys: SigningKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key set that takes too long to read is a failed load, like one that takes too long to arrive."""
    parsed = threading.Event()
    monkeypatch.setattr("claims.token.key_document.LOAD_TIMEOUT_S", 0.01)
    monkeypatch.setattr("claims.token.key_document.parse_key_set", lambda _body: parsed.wait(30) and UsableKeys({}))
    with pytest.raises(KeysUnavailable, match=r"TimeoutError$"):
        await keys.find("2.0", V2, "any", wait_s=5)
    parsed.set()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"down": True}, "FetchError: status 503"),
        ({"issuers": {"2.0": "https://elsewhere.example/" + "x" * 5000}}, "MetadataError: expected an issuer of"),
        ({"overrides": {METADATA_V2: b"<html>"}}, "MetadataError: the metadata document is not usable: not JSON"),
        ({"overrides": {KEYS_V2: b"<html>"}}, "StrictJsonError: not JSON"),
        ({"overrides": {KEYS_V2: b'{"keys":[]}'}}, "the set holds no usable key"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_the_request_learns_why_keys_are_not_loaded(
    change: dict[str, Any], reason: str, site: Site, keys: SigningKeys
) -> None:
    """Azure drops what is logged in the background, so the refusal has the reason, shortened."""
    vars(site).update(change)
    with pytest.raises(KeysUnavailable) as unavailable:
        await keys.find("2.0", V2, "any", wait_s=5)
    assert unavailable.value.detail.startswith(f"no signing keys for tokens of version 2.0: {reason}")
    assert len(unavailable.value.detail) <= 300


async def test_an_unknown_key_names_the_failed_load(keys: SigningKeys, site: Site) -> None:
    """After a roll that could not be followed, the refusal says why."""
    await _loaded(keys, site)
    with pytest.raises(TokenRefused, match=r"none of the 1 published keys has this id$"):
        await keys.find("2.0", V2, "any", wait_s=5)
    site.down = True
    with pytest.raises(TokenRefused, match=r"has this id; last load: FetchError: status 503$"):
        await keys.find("1.0", ISSUERS["1.0"], "any", wait_s=5)


async def test_a_roll_is_followed_while_sign_ins_block_every_shared_thread() -> None:
    """Certificates, host names and key sets need no thread that somebody else can keep busy."""
    site = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", partial(_document, site))
    async with TestServer(app, host="127.0.0.1") as server:
        site.authority = f"http://localhost:{server.port}/{TENANT_ID}"
        site.issuers = {"2.0": f"{site.authority}/v2.0", "1.0": f"{site.authority}/"}
        keys = SigningKeys([Authority(site.authority, TENANT_ID)], HttpGet(), clock=time.monotonic, sleep=asyncio.sleep)
        async with all_threads_busy():
            for _ in range(2):
                kid = site.keys.rotate().kid
                assert (await keys.find("2.0", site.issuers["2.0"], kid, wait_s=10))[0].kid == kid
        await keys.aclose()


async def _document(site: Site, request: web.Request) -> web.Response:
    return web.Response(body=await site(f"http://{request.host}{request.path}"))

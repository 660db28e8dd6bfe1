"""The keys that Entra signs with, ready before a token needs them.

A key is looked up in the document whose published issuer is the token's ``iss``: key ids can repeat between documents
(in External ID those of login.microsoftonline.com and ciamlogin.com share theirs), and a key of one document signs
nothing for the issuer of another.

Documents are loaded in the background (`claims.token.key_document`); a request only looks up. It waits in three cases,
each limited: the first load is in progress; this request had to start the background work in a new loop and a load was
due; or the token names a key id that its document does not have, which can be an emergency roll and can be an attack,
so that at most one forced fetch a minute leaves for it, whatever comes in.
"""

import asyncio
import re
from collections.abc import Iterable
from itertools import chain
from typing import Final, NamedTuple

from claims.errors import KeysUnavailable, RequestError, TokenRefused, shorten
from claims.settings.authority import Authority, TokenVersion
from claims.token.jwks import SigningKey
from claims.token.key_document import LOAD_TIMEOUT_S, Clock, KeyDocument, Sleep
from claims.wire.fetch import Get

#: Tokens with an unknown key id that may wait for one load. A flood of them would otherwise be answered all at once
#: when the load ends, and everybody else after them (measured: 60 ms for 250 a second and a key host that hangs).
MAX_WAITING: Final = 32
#: Of the reasons why loads failed, so that a request's detail stays below 300 characters.
_MAX_REASON_CHARACTERS: Final = 200
#: The form of every issuer that Entra uses, at most 100 characters. What has it is shown whole before it is verified:
#: it is what a wrong setting should be, and too little to write anything else into the log.
_ISSUER: Final = re.compile(r"https://[a-z0-9.-]{1,50}/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/v2\.0|/)?")


class NamedKey(NamedTuple):
    """The key that a token names: its version and issuer (``iss``) choose the document, ``kid`` the key."""

    version: TokenVersion
    issuer: str
    kid: str


class SigningKeys:
    """The keys of every trusted document, looked up by token version, issuer and key id."""

    def __init__(self, authorities: Iterable[Authority], get: Get, *, clock: Clock, sleep: Sleep) -> None:
        versions: tuple[TokenVersion, ...] = ("2.0", "1.0")
        authorities = tuple(authorities)
        self._documents: dict[TokenVersion, tuple[KeyDocument, ...]] = {
            version: tuple(KeyDocument(authority, version, get, clock) for authority in authorities)
            for version in versions
        }
        self._all = tuple(chain.from_iterable(self._documents.values()))
        self._sleep = sleep
        self._waiting = 0

    @property
    def failing(self) -> str:
        """Why the last loads failed, at most 200 characters; empty if all succeeded."""
        return _reason(self._all)

    def start(self) -> None:
        """Refresh every document in the background of the running loop; those in progress there go on."""
        self._start(self._all)

    async def ready(self) -> bool:
        """Whether any keys are loaded; loads that this had to start are waited for, `LOAD_TIMEOUT_S` at most."""
        if self._start(self._all):
            await _wait_for((document.loading for document in self._all), LOAD_TIMEOUT_S)
        return any(document.keys for document in self._all)

    async def aclose(self) -> None:
        """Stop the background work; a load in progress is waited for, it is short."""
        await asyncio.gather(*(document.aclose() for document in self._all))

    def lookup(self, version: TokenVersion, issuer: str, kid: str) -> SigningKey | None:
        """Return the key that a token names if it is loaded, from the document of the token's issuer."""
        for document in self._documents[version]:
            if document.issuer == issuer and (key := document.keys.get(kid)):
                return key
        return None

    async def find(self, version: TokenVersion, issuer: str, kid: str, *, wait_s: float) -> tuple[SigningKey, bool]:
        """Return the key that a token names, and whether it was there already; wait for a load where that can help.

        Cheap enough for every request, and to be called at each: background work that ended, or was left behind in
        another loop, starts again here.

        A load ends within `LOAD_TIMEOUT_S`, however long it may be waited for.

        Raises:
            TokenRefused: No document has this issuer, or its document does not have this key.
            KeysUnavailable: The issuer's document is not loaded.
        """
        documents = self._documents_of(version, issuer)
        # What starts is waited for, or it would end with this request's loop: so only this issuer's documents.
        started = self._start(documents)
        key = self.lookup(version, issuer, kid)
        loaded = key is not None
        if not loaded:
            await self._reload(documents, wait_s)
        elif started:
            await _wait_for((document.loading for document in documents), wait_s)
        if started or not loaded:
            key = self.lookup(version, issuer, kid)
        if key is None:
            raise self._refusal(version, issuer)
        return key, loaded

    def _documents_of(self, version: TokenVersion, issuer: str) -> list[KeyDocument]:
        return [document for document in self._documents[version] if document.publishes(issuer)]

    def _start(self, documents: Iterable[KeyDocument]) -> bool:
        started = [document.start(self._sleep) for document in documents]
        return any(started)

    async def _reload(self, documents: list[KeyDocument], wait_s: float) -> None:
        """Wait for the loads in progress, and force one of each document that is loaded and lacks the key."""
        # Without any key every token is unknown: then only the background loads, at its own pace.
        loads = [document.force() if document.keys else document.loading for document in documents]
        if self._waiting < MAX_WAITING or not any(document.keys for document in documents):
            self._waiting += 1
            try:
                await _wait_for(loads, wait_s)
            finally:
                self._waiting -= 1

    def _refusal(self, version: TokenVersion, issuer: str) -> RequestError:
        documents = self._documents_of(version, issuer)
        if not documents:
            expected = sorted(frozenset().union(*(document.issuers() for document in self._documents[version])))
            return TokenRefused("issuer", f"got {_show_issuer(issuer)}, expected one of {expected}")
        reason = _reason(documents)
        if all(document.keys for document in documents):
            count = sum(len(document.keys) for document in documents)
            detail = f"none of the {count} published keys has this id" + (reason and f"; last load: {reason}")
            return TokenRefused("key_unknown", detail)
        detail = f"no signing keys for tokens of version {version}: {reason or 'the first load is in progress'}"
        return KeysUnavailable("keys_not_loaded", detail)


async def _wait_for(loads: Iterable[asyncio.Task[None] | None], wait_s: float) -> None:
    if in_progress := [load for load in loads if load]:
        await asyncio.wait(in_progress, timeout=wait_s)


def _reason(documents: Iterable[KeyDocument]) -> str:
    """Join why loads failed: it travels with a request, because Azure drops what is logged in the background."""
    reasons = [reason for document in documents if (reason := document.reason)]
    return "; ".join(dict.fromkeys(reasons))[:_MAX_REASON_CHARACTERS] if reasons else ""


def _show_issuer(issuer: str) -> str:
    return f"'{issuer}'" if _ISSUER.fullmatch(issuer) else shorten(issuer)

"""A data source at a known distance, and the managed identity whose token it wants.

``python -m benchmarks.downstream MILLISECONDS [PEM]`` serves it in a process of its own: a profile for each user, two
reads of Microsoft Graph and one entity for each user of a table. It does next to nothing, so that it is never what
limits a peer, and answers nobody who does not send the token. With the file of a certificate and its key it also
listens with TLS: a client of Azure sends a token to a table in no other way.

Source: microsoft-graph-docs ``user-get.md``, ``user-list-transitivememberof.md``; Azure Storage REST reference, "Query
Entities". The entity is written as Azurite writes one.
"""

import asyncio
import json
import os
import re
import secrets
import ssl
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from selftest.downstream.server import SCOPE

#: As long as a token of Entra for an application.
_TOKEN: Final = secrets.token_urlsafe(1200)
_TOKEN_LIFE_S: Final = 86_400
_ROOT: Final = Path(__file__).parents[1]
_METADATA: Final = "https://graph.microsoft.com/v1.0/$metadata"
_GROUPS: Final = ("All Company", "App-Readers", "App-Sellers", "Oslo", "Sales", "Sales Norway", "VPN", "Windows 11")
_GRAPH_PATH: Final = re.compile(r"/v1\.0/users/[^/]+(/transitiveMemberOf/(?:microsoft\.)?graph\.group)?")
#: What the table knows of every user.
ENTITY: Final = {"Department": "Sales", "JobTitle": "Clerk", "Roles": "Reader,Seller"}
_ENTITY_PATH: Final = re.compile(r"/claims\(PartitionKey='([^']+)',RowKey='([^']+)'\)")


@dataclass(frozen=True, slots=True)
class Source:
    """Where it listens.

    Attributes:
        url: Without TLS.
        tls_url: With it; empty without a certificate.
    """

    url: str
    tls_url: str

    def identity_settings(self) -> dict[str, str]:
        """Return the settings with which an endpoint gets the token."""
        return {
            "Claims__Credential": "managed-identity",
            "IDENTITY_ENDPOINT": f"{self.url}/msi/token",
            "IDENTITY_HEADER": "benchmark",
        }


@asynccontextmanager
async def data_source(away_ms: float, certificate: Path | None = None) -> AsyncIterator[Source]:
    """Serve it in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.downstream", str(away_ms)),
        *([str(certificate)] if certificate else []),
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 (a pipe, which the types do not know)
        port, *tls_port = (await process.stdout.readline()).decode().split()
        yield Source(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port[0]}" if tls_port else "")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def downstream(away_ms: float) -> AsyncIterator[Mapping[str, str]]:
    """Serve it, and yield the settings with which an endpoint calls the profile API."""
    async with data_source(away_ms) as source:
        yield {
            "Claims__Provider": "profile_api",
            "Claims__ProfileApi__Url": f"{source.url}/profile",
            "Claims__ProfileApi__Scope": SCOPE,
            **source.identity_settings(),
        }


class _Api(asyncio.Protocol):
    def __init__(self, away_s: float) -> None:
        self._away_s = away_s
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what a TCP connection has)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request when its head is complete: a GET has no body."""
        head, end, rest = (self._buffer + data).partition(b"\r\n\r\n")
        if not end:
            self._buffer += data
            return
        self._buffer = rest
        asyncio.get_running_loop().call_later(self._away_s, self._send, _answer(head))

    def _send(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _answer(head: bytes) -> bytes:
    path, _, query = head.split(b" ", 2)[1].decode().partition("?")
    if path.startswith("/msi/"):
        expires_on = str(int(time.time()) + _TOKEN_LIFE_S)
        token = {"access_token": _TOKEN, "expires_on": expires_on, "token_type": "Bearer"}
        return _response("200 OK", {**token, "resource": parse_qs(query).get("resource", [""])[0]})
    if f"Bearer {_TOKEN}\r\n".encode() not in head + b"\r\n":
        return _response("401 Unauthorized", {})
    document = _document(unquote(path), unquote(query))
    return _response("404 Not Found", {}) if document is None else _response("200 OK", document)


def _document(path: str, query: str) -> Mapping[str, Any] | None:
    """Return what is there; None for a request that no peer should send."""
    if path.startswith("/profile/"):
        user = path.rpartition("/")[2]
        return {"ProfileId": user, "CustomRoles": ["Reader", "Seller"], "ProfileVersion": "1"}
    if found := _ENTITY_PATH.fullmatch(path):
        partition, row = found.groups()
        etag = "W/\"datetime'2026-11-27T16%3A07%3A17.7542216Z'\""
        about = {
            "odata.metadata": "https://claims.table.core.windows.net/$metadata#claims/@Element",
            "odata.etag": etag,
        }
        keys = {"PartitionKey": partition, "RowKey": row, "Timestamp": "2026-11-27T16:07:17.7542216Z"}
        return about | keys | ENTITY
    found = _GRAPH_PATH.fullmatch(path)
    if found and found[1] and "$select=displayName&" in f"{query}&" and "$count=true" in query:
        groups = [{"displayName": name} for name in _GROUPS]
        return {"@odata.context": f"{_METADATA}#groups(displayName)", "@odata.count": len(groups), "value": groups}
    if found and not found[1] and query == "$select=department,employeeId":
        context = f"{_METADATA}#users(department,employeeId)/$entity"
        return {"@odata.context": context, "department": "Sales", "employeeId": "7421"}
    return None


def _response(status: str, document: Mapping[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(away_s: float, certificate: str = "") -> None:
    loop = asyncio.get_running_loop()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if certificate:
        tls.load_cert_chain(certificate)
    servers = [
        await loop.create_server(lambda: _Api(away_s), "127.0.0.1", 0, backlog=512, ssl=context)
        for context in (None, *([tls] if certificate else []))
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000, *sys.argv[2:]))

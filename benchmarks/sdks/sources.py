"""Graph and a table at a known distance, with the settings of the endpoint and of its peer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from benchmarks.downstream import data_source


@asynccontextmanager
async def graph(away_ms: float) -> AsyncIterator[Mapping[str, str]]:
    """Serve Graph, and yield the settings with which two requests at once are sent to it."""
    async with data_source(away_ms) as source:
        yield {
            "Claims__Provider": "graph",
            "Claims__Graph__Url": f"{source.url}/v1.0",
            "Claims__Graph__Scope": "https://graph.microsoft.com/.default",
            "Claims__Graph__Attributes": "department,employeeId",
            "Claims__Graph__GroupsClaim": "groups",
            **source.identity_settings(),
        }


@asynccontextmanager
async def table(away_ms: float) -> AsyncIterator[Mapping[str, str]]:
    """Serve a table with TLS, and yield the settings with which a user's entity is read from it with a token."""
    with TemporaryDirectory() as folder:
        authority, file, key = trustme.CA(), Path(folder) / "ca.pem", Path(folder) / "server.pem"
        authority.cert_pem.write_to_path(file)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(key)
        async with data_source(away_ms, key) as source:
            yield {
                "Claims__Provider": "table",
                "Claims__Table__Url": source.tls_url,
                "Claims__Table__Name": "claims",
                "Claims__Table__Lists": "Roles",
                "SSL_CERT_FILE": str(file),
                **source.identity_settings(),
            }

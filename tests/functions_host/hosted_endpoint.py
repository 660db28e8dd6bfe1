"""The endpoint in Microsoft's host, in front of an emulated Entra and an emulated downstream."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from selftest.base.endpoint_url import CALLOUT_PATH, health_url
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.checks.bench.environment import CheckEnvironment
from selftest.downstream.faults import Fault
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.play.caller import caller_session
from selftest.play.target import app_settings
from tests.functions_host.microsoft_host import MicrosoftHost, copy_endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedEndpoint:
    """The endpoint and what it depends on."""

    host: MicrosoftHost
    env: CheckEnvironment
    entra: EntraServer
    downstream: DownstreamServer = field(repr=False)


@asynccontextmanager
async def hosted_endpoint(
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    prepare: Callable[[EntraServer, DownstreamServer], object] | None = None,
    edit: Callable[[str], str] | None = None,
    fault: Fault | None = None,
    trace: bool = True,
) -> AsyncIterator[HostedEndpoint]:
    """Start a fresh process of the endpoint; nothing but ``/`` has been asked when it is returned.

    Args:
        folder: Where the app's copy and the host's state are written; it exists.
        settings: In addition to those that the emulated servers need.
        prepare: Called with them before the app starts.
        edit: Changes the text of function_app.py.
        fault: Of the downstream, all the time.
        trace: Whether the host writes all that it can; otherwise what host.json lets through.
    """
    app = folder / "app"
    if not app.exists():
        copy_endpoint(app)
    if edit is not None:
        entry = app / "function_app.py"
        entry.write_text(edit(entry.read_text()))
    async with EntraServer() as entra, DownstreamServer() as downstream, caller_session() as session:
        if prepare is not None:
            prepare(entra, downstream)
        environ = {**app_settings(entra), **downstream.settings(), **(settings or {})}
        playing = nullcontext() if fault is None else downstream.playing(fault)
        with playing:
            async with MicrosoftHost(environ, app_dir=app, state_dir=folder, trace=trace) as host:
                url = host.url + CALLOUT_PATH
                env = CheckEnvironment(
                    url=url, health_url=health_url(url), session=session, tenant=DEFAULT_TENANT, entra=entra
                )
                yield HostedEndpoint(host=host, env=env, entra=entra, downstream=downstream)

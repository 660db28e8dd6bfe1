"""Live: the same tenant through the emulated Graph gives the same answers, and what is refused is a visible skip."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.tenant.doctor.evidence.graph_model import read_model
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.sources.graph_source import (
    ASSIGNED_POLICIES,
    PERMISSIONS,
    LiveRead,
    read_live,
)
from selftest.tenant.doctor.sources.tenant_file import read_tenant
from selftest.tenant.doctor.sources.tenant_source import Source
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.patience import Patience
from tests.emulated_graph.faults import forbidden, refused, throttled
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.doctor.doctor_input import (
    API,
    APP,
    EXTENSION,
    OTHER,
    TENANT,
    DoctorInput,
    diagnosed,
    found,
    healthy_settings,
    hinted,
)
from tests.selftest.tenant.doctor.faults import FAULTS, Fault

#: What a real tenant cannot be in, or what Graph never gives: tried on files alone.
_FILES_ALONE = {
    "no target",
    "listener calls nothing",
    "definition is no list",
    "definition is an object",
    "portal overridden",
    "listener for all",
}
# What the app's reader finds (D01) is no object of the tenant.
_SETTINGS_KEPT = [fault for fault in FAULTS if fault.name not in _FILES_ALONE and "D01" not in fault.found]


class Naps:
    """Sleeps in no time, and remembers for how long."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


#: Graph shows assigned policies only to who may change applications as well.
ALL = (*PERMISSIONS, ASSIGNED_POLICIES)

type Read = Callable[..., Awaitable[LiveRead]]


@pytest.fixture
async def naps() -> Naps:
    """Give a sleep that takes no time."""
    return Naps()


@pytest.fixture
def read(naps: Naps) -> Read:
    """Give a reading of a server, with a token that allows what the doctor asks for."""

    async def reading(server: GraphServer, permissions: tuple[str, ...] = ALL) -> LiveRead:
        async with GraphClient(
            server.credential(permissions),
            base_url=server.url,
            patience=Patience(deadline_s=5.0, attempt_s=2.0, max_retry_after_s=2.0),
            sleep=naps,
        ) as client:
            return await read_live(client, app_ids={APP, API}, sleep=naps)

    return reading


def source_of(read: LiveRead) -> Source:
    """Look at what was read as the command does."""
    tenant = read_tenant(Path("Graph"), read.document, read.unread)
    return Source(tenant=tenant, tenant_id=TENANT, validations=read.validations, lacks=read.lacks)


async def test_healthy_tenant_has_nothing(read: Read) -> None:
    """No finding and no hint; Graph's own validation agrees; nothing is written."""
    async with GraphServer(page_size=1) as server:
        examination = diagnosed(DoctorInput(), source_of(await read(server)))

        assert found(examination) == {}
        assert hinted(examination) == set()
        assert examination.exit_code == 0
        assert "D25" in {one.statement.id for one in examination.results if one.status == "pass"}
        assert server.writes == []


@pytest.mark.parametrize("fault", _SETTINGS_KEPT, ids=lambda fault: fault.name)
async def test_planted_fault_is_found_and_no_other(fault: Fault, read: Read) -> None:
    """What a file shows Graph shows, and what Graph's own validation says is told once."""
    subject = DoctorInput()
    fault.plant(subject)
    async with GraphServer(subject.tenant) as server:
        examination = diagnosed(subject, source_of(await read(server)))

    assert found(examination) == fault.found
    assert hinted(examination) == fault.hints


async def test_validation_tells_what_nobody_else_saw(read: Read) -> None:
    """A remark whose code no statement has found is a finding of its own."""
    async with GraphServer() as server:
        live = await read(server)
    live.validations = _remarked("CustomExtensionBlocked", "SomethingNew")
    examination = diagnosed(DoctorInput(), source_of(live))

    assert [(one.statement.id, one.code_of(finding)) for one, finding in examination.faults] == [
        ("D25", 1003023),
        ("D25", None),
    ]


@pytest.mark.parametrize(
    ("path", "permission", "skipped"),
    [
        ("/identity/authenticationEventListeners", "EventListener.Read.All", {"D45", "D46", "D47", "D48", "D49"}),
        ("/policies/claimsMappingPolicies", "Policy.Read", {"D70", "D71", "D72", "D73", "D74", "D75", "D76"}),
        ("/servicePrincipals(", "Application.Read.All", {"D30", "D31", "D32", "D33", "D34", "D40", "D60"}),
        ("/applications", "Application.Read.All", {"D06", "D41", "D61", "D62", "D63", "D64"}),
        ("/organization", "User.Read", {"D10"}),
        (f"/identity/customAuthenticationExtensions/{EXTENSION}/validate", "CustomAuthenticationExtension", {"D25"}),
    ],
)
async def test_refused_resource_is_a_skip_with_its_permission(
    path: str, permission: str, skipped: set[str], read: Read
) -> None:
    """403 on one resource costs the statements that need it, and the reason names what would help."""
    async with GraphServer() as server:
        server.faults.add(forbidden(path))
        examination = diagnosed(DoctorInput(), source_of(await read(server)))

    reasons = {one.statement.id: lack.reason for one, lack in examination.skipped}
    assert skipped <= set(reasons)
    assert all(permission in reasons[name] for name in skipped)
    assert found(examination) == {}
    assert examination.exit_code == 3


async def test_token_says_which_tenant_it_is(read: Read) -> None:
    """Where the organization may not be read, the settings are still compared with the right tenant."""
    subject = DoctorInput(
        env=healthy_settings() | {"AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{OTHER}"}
    )
    async with GraphServer() as server:
        server.faults.add(forbidden("/organization"))
        live = await read(server)
    tenant = read_tenant(Path("Graph"), live.document, live.unread)

    assert found(diagnosed(subject, Source(tenant=tenant, lacks=live.lacks))) == {"D02": 1003002}


async def test_missing_permission_is_named(read: Read) -> None:
    """A token without a permission loses what needs it, and says which one it is."""
    async with GraphServer() as server:
        live = await read(server, tuple(name for name in ALL if not name.startswith("EventListener")))

    assert "EventListener.Read.All" in live.unread["authenticationEventListeners"]


async def test_nothing_readable_is_an_error(read: Read) -> None:
    """With a token that allows nothing, there is no diagnosis; the error names the permissions."""
    async with GraphServer() as server:
        with pytest.raises(CannotRun, match=r"EventListener\.Read\.All"):
            await read(server, ("User.Read",))


@pytest.mark.parametrize(
    "fault", [throttled(retry_after="1"), refused(503, "ServiceUnavailable"), refused(500, "InternalServerError")]
)
async def test_what_passes_is_waited_for(fault: Any, read: Read, naps: Naps) -> None:
    """One 429 or 5xx costs a wait, not a finding."""
    async with GraphServer() as server:
        server.faults.add(fault)
        examination = diagnosed(DoctorInput(), source_of(await read(server)))

    assert found(examination) == {}
    assert naps.taken


async def test_replication_lag_is_no_finding(read: Read, naps: Naps) -> None:
    """A service principal that was made a moment ago is asked for again before it is called missing."""
    async with GraphServer() as server:
        server.faults.add(refused(404, "Request_ResourceNotFound", path=f"/servicePrincipals(appId='{API}')"))
        examination = diagnosed(DoctorInput(), source_of(await read(server)))

    assert found(examination) == {}
    assert naps.taken == [2.0]


@pytest.mark.parametrize(("name", "readable"), [("level", True), (7, False)])
async def test_portals_claims_of_another_shape_are_not_read(name: object, read: Read, *, readable: bool) -> None:
    """Beta may change: what cannot be read is as if it were not shown, and ends nothing."""
    subject = DoctorInput()
    subject.principal(APP)["claimsPolicy"] = {"id": OTHER, "claims": [{"name": name}]}
    async with GraphServer(subject.tenant) as server:
        tenant = source_of(await read(server)).tenant

        assert tenant is not None
        principal = tenant.principal(APP)
        assert principal is not None
        assert principal.portal_claims is (True if readable else None)


async def test_only_what_is_looked_at_is_asked_for(read: Read) -> None:
    """Service principals are looked up one by one: a tenant may have thousands, and they are nobody's business."""
    async with GraphServer() as server:
        await read(server)
        asked = {request.path for request in server.log}

    assert "/v1.0/servicePrincipals" not in asked
    assert "/v1.0/applications" not in asked
    assert not {path for path in asked if "users" in path or "owners" in path}


def _remarked(*names: str) -> dict[str, Validation]:
    answer = {"errors": [{"code": name, "message": "m"} for name in names], "warnings": []}
    return {EXTENSION: read_model(Validation, answer, "v")}

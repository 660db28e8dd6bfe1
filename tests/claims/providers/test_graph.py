"""Claims from Microsoft Graph, against a loopback Graph that knows the published schema."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from claims.downstream.api import Downstream
from claims.downstream.graph_directory import MAX_ANSWER_BYTES, GraphDirectory
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed, SettingsError
from claims.providers.graph import GraphProvider, create
from claims.settings.claim_names import ClaimNames
from tests.claims.providers.desk import (
    EVENT,
    USER_ID,
    WITHOUT_APPLICATION,
    WITHOUT_USER,
    Issuer,
    cache_of,
    context_of,
    event_for,
    new_measurements,
    some_context,
)
from tests.claims.providers.loopback_graph import (
    EXTENSION,
    PRINCIPAL_ID,
    READER,
    LoopbackGraph,
    app_role,
    serving_graph,
)
from tests.claims.site import Clock, settle
from tests.graph_schema import NAME, GraphSchema, schema_file

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@pytest.fixture(scope="module")
def schema() -> GraphSchema | None:
    """Give the published schema, if it is here."""
    file = schema_file()
    return GraphSchema.load(file) if file else None


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[DownstreamTokenCache]:
    """Return a cache for Graph's scope."""
    async with cache_of(issuer, GRAPH_SCOPE) as cache:
        yield cache


@pytest.fixture
async def graph(schema: GraphSchema | None) -> AsyncIterator[LoopbackGraph]:
    """Give a Graph on loopback."""
    async with serving_graph(schema) as running:
        yield running


class Setup:
    """A provider over the loopback Graph, and what it is made of."""

    def __init__(self, graph: LoopbackGraph, tokens: DownstreamTokenCache) -> None:
        self.clock = Clock()
        self.max_names = 5
        self._graph = graph
        self._tokens = tokens
        self._made: list[GraphProvider] = []

    def provider(self, **wanted: Any) -> GraphProvider:
        """Make a provider that asks for this."""
        downstream = Downstream(self._tokens, max_answer_bytes=MAX_ANSWER_BYTES)
        directory = GraphDirectory(downstream, self._graph.url, max_names=self.max_names, clock=self.clock)
        self._made.append(GraphProvider(downstream, directory, **wanted))
        return self._made[-1]

    async def aclose(self) -> None:
        """Close the providers."""
        for provider in self._made:
            await provider.aclose()


@pytest.fixture
async def setup(graph: LoopbackGraph, tokens: DownstreamTokenCache) -> AsyncIterator[Setup]:
    """Give a maker of providers."""
    made = Setup(graph, tokens)
    yield made
    await made.aclose()


ATTRIBUTES = ClaimNames.parse(
    f"department, onPremisesExtensionAttributes.extensionAttribute1:costCentre, {EXTENSION}:level, employeeId"
)


async def test_everything_at_once(setup: Setup, graph: LoopbackGraph, issuer: Issuer) -> None:
    """Attributes, groups and roles, each with one request, over one token."""
    provider = setup.provider(attributes=ATTRIBUTES, groups_claim="teams", app_roles_claim="appRoles")
    assert await provider.provide(EVENT, some_context()) == {
        "department": "Sales",
        "costCentre": "4711",
        "level": "gold",
        "employeeId": None,
        "teams": ["App-A", "App-B", "Writers"],
        "appRoles": ["Writer"],
    }
    assert (len(graph.requests), issuer.issued) == (4, 1)
    assert graph.requests[0].headers["authorization"] == f"Bearer {GRAPH_SCOPE}#1"


def test_the_published_schema_is_here(schema: GraphSchema | None) -> None:
    """Every other test of this module checks against it, when it is."""
    if schema is None:
        pytest.skip(f"{NAME} was not found: set GRAPH_SCHEMA_DIR to its directory to check the requests against it")
    eventual = {"consistencylevel": "eventual"}
    group = "/users/x/transitiveMemberOf/microsoft.graph.group"
    assert list(schema.violations("GET", group, {"$count": "true"}, eventual)) == []
    for method, path, query, headers in (
        ("GET", "/nothing", {}, {}),
        ("POST", "/users/x", {}, {}),
        ("GET", "/users/x", {"$top": "1"}, {}),
        ("GET", "/servicePrincipals(appId='x')", {"$select": "id,appRole"}, {}),
        ("GET", group, {"$count": "true"}, {}),
        ("GET", group, {}, eventual),
    ):
        assert list(schema.violations(method, path, query, headers)), (method, path)


async def test_only_what_is_asked_for(setup: Setup, graph: LoopbackGraph) -> None:
    """What no setting names is not requested."""
    provider = setup.provider(groups_claim="teams", groups_start_with="App-")
    assert await provider.provide(EVENT, some_context()) == {"teams": ["App-A", "App-B"]}
    assert len(graph.requests) == 1


async def test_filter_is_quoted(setup: Setup, graph: LoopbackGraph) -> None:
    """An apostrophe and a blank in the setting stay in the name."""
    graph.groups = [{"displayName": "Pat's team & co"}]
    provider = setup.provider(groups_claim="teams", groups_start_with="Pat's team &")
    assert await provider.provide(EVENT, some_context()) == {"teams": ["Pat's team & co"]}


async def test_no_groups_no_claim(setup: Setup, graph: LoopbackGraph) -> None:
    """An empty list is left out."""
    graph.groups, graph.assigned = [], []
    provider = setup.provider(groups_claim="teams", app_roles_claim="appRoles")
    assert await provider.provide(EVENT, some_context()) == {}


async def test_pages(setup: Setup, graph: LoopbackGraph) -> None:
    """Every page is read, over one connection after the other."""
    graph.groups = [{"displayName": f"G{number}"} for number in range(5)]
    graph.page_size = 2
    provider = setup.provider(groups_claim="teams")
    assert await provider.provide(EVENT, some_context()) == {"teams": ["G0", "G1", "G2", "G3", "G4"]}
    assert len(graph.requests) == 3


async def test_more_than_the_cap_fails(setup: Setup, graph: LoopbackGraph) -> None:
    """Some of the groups would say less than the truth."""
    graph.groups = [{"displayName": f"G{number}"} for number in range(20)]
    with pytest.raises(ProviderFailed, match="downstream_too_many: at most 5, got 6"):
        await setup.provider(groups_claim="teams").provide(EVENT, some_context())
    assert len(graph.requests) == 1


async def test_endless_empty_pages(setup: Setup, graph: LoopbackGraph) -> None:
    """A Graph that always has one more page is left after twenty."""
    graph.groups = []
    graph.next_link = f"{graph.url}/users/{USER_ID}/transitiveMemberOf/microsoft.graph.group?$top=6&$count=true"
    with pytest.raises(ProviderFailed, match="downstream_too_many: at most 20 pages"):
        await setup.provider(groups_claim="teams").provide(EVENT, some_context())
    assert len(graph.requests) == 20


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://elsewhere.example/v1.0/users", "downstream_next_link"),
        ("//elsewhere.example/", "downstream_next_link"),
        ("https://graph.microsoft.com\\@elsewhere.example/", "downstream_next_link"),
        ("http://gräph.example/", "downstream_shape"),
        ("http://127.0.0.1/a b", "downstream_shape"),
        (17, "downstream_shape"),
    ],
)
async def test_next_page_stays_on_the_host(link: object, code: str, setup: Setup, graph: LoopbackGraph) -> None:
    """The token is never sent to where an answer points."""
    graph.next_link = link
    with pytest.raises(ProviderFailed, match=code):
        await setup.provider(groups_claim="teams").provide(EVENT, some_context())
    assert len(graph.requests) == 1


async def test_role_definitions_are_kept(setup: Setup, graph: LoopbackGraph) -> None:
    """They are read once for requests that come together, and again after five minutes."""
    provider = setup.provider(app_roles_claim="appRoles")
    first, later = new_measurements(), new_measurements()
    await asyncio.gather(*(provider.provide(EVENT, context_of(first)) for _ in range(10)))
    assert graph.count("servicePrincipals") == 1
    graph.assigned = [READER]
    assert await provider.provide(EVENT, context_of(later)) == {"appRoles": ["Reader"]}
    assert graph.count("servicePrincipals") == 1
    assert (first.cache_hits["graph_app_roles"], later.cache_hits["graph_app_roles"]) == (False, True)
    setup.clock.now_s += 301
    await provider.provide(EVENT, some_context())
    assert graph.count("servicePrincipals") == 2


async def test_role_definitions_are_forgotten_on_time(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them stays in memory after five minutes, even if there is no further request."""
    monkeypatch.setattr("claims.expiring.SWEEP_S", 0.01)
    await setup.provider(app_roles_claim="appRoles").provide(EVENT, some_context())
    assert len(_kept()) == 1
    setup.clock.now_s += 301
    async with asyncio.timeout(20):
        while _kept():  # noqa: ASYNC110 (a timer has no event)
            await asyncio.sleep(0.01)


async def test_role_definitions_are_bounded(setup: Setup, graph: LoopbackGraph) -> None:
    """Those of many applications together stay below 8 MiB; those used least recently are read again."""
    ids = [f"{number:08}-0000-4000-8000-000000000000" for number in range(3000)]
    graph.principal = {"id": PRINCIPAL_ID, "appRoles": [app_role(role_id, "v" * 120) for role_id in ids]}
    directory = setup.provider(app_roles_claim="appRoles")._directory
    for app_id in ids[:12]:
        await directory.app_roles(USER_ID, app_id, some_context())
    kept = _kept()
    assert 1 < len(kept) < 12
    assert sum(sys.getsizeof(text) for application in kept for role in application.roles for text in role) < 8 * 2**20
    for app_id, hit in ((ids[11], True), (ids[0], False)):
        measured = new_measurements()
        await directory.app_roles(USER_ID, app_id, context_of(measured))
        assert measured.cache_hits["graph_app_roles"] is hit


def _kept() -> list[Any]:
    """Return every application's role definitions that are in memory."""
    gc.collect()
    return [found for found in gc.get_objects() if type(found).__name__ == "_Application"]


async def test_failed_role_definitions_are_not_kept(setup: Setup, graph: LoopbackGraph) -> None:
    """The next request asks again."""
    provider = setup.provider(app_roles_claim="appRoles")
    principal, graph.principal = graph.principal, None
    with pytest.raises(ProviderFailed, match="service principal, got 404"):
        await provider.provide(EVENT, some_context())
    graph.principal = principal
    assert await provider.provide(EVENT, some_context()) == {"appRoles": ["Writer"]}


async def test_closing_stops_what_is_being_read(setup: Setup) -> None:
    """A request given up does not stop the reading for others; closing does."""
    provider = setup.provider(app_roles_claim="appRoles")
    request = asyncio.create_task(provider.provide(EVENT, some_context()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await provider.aclose()


async def test_user_unknown_to_graph(setup: Setup) -> None:
    """A user whom the directory does not have has no claims."""
    provider = setup.provider(attributes=ClaimNames.parse("department"), groups_claim="t", app_roles_claim="a")
    other = event_for("99999999-9999-4999-8999-999999999999")
    assert await provider.provide(other, some_context()) == {"department": None}


async def test_without_user_or_application(setup: Setup, graph: LoopbackGraph) -> None:
    """Nobody to ask about, or no application to have roles in: no claim, no request."""
    provider = setup.provider(app_roles_claim="appRoles")
    assert await provider.provide(WITHOUT_USER, some_context()) == {}
    assert await provider.provide(WITHOUT_APPLICATION, some_context()) == {}
    assert graph.requests == []


async def test_one_failure_fails_all(setup: Setup, graph: LoopbackGraph) -> None:
    """Attributes without the groups would say less than the truth."""
    graph.status = 403
    with pytest.raises(ProviderFailed, match="downstream_status: expected 200 or 404, got 403"):
        await setup.provider(attributes=ATTRIBUTES, groups_claim="teams").provide(EVENT, some_context())


@pytest.mark.parametrize(
    ("groups", "principal"),
    [
        ([{"displayName": None}], None),
        ([], {"id": "' or 1 eq 1", "appRoles": []}),
        ([], {"id": None, "appRoles": []}),
    ],
)
async def test_answers_that_are_not_graph_s(
    groups: list[dict[str, Any]], principal: dict[str, Any] | None, setup: Setup, graph: LoopbackGraph
) -> None:
    """A name left out for lack of permission, or an id that is none, fails."""
    graph.groups = groups
    graph.principal = principal or graph.principal
    wanted = {"groups_claim": "teams"} if groups else {"app_roles_claim": "appRoles"}
    with pytest.raises(ProviderFailed, match="downstream_shape"):
        await setup.provider(**wanted).provide(EVENT, some_context())


async def test_collection_that_is_none(setup: Setup, graph: LoopbackGraph) -> None:
    """A value that is no list of objects fails."""
    graph.principal = {"id": PRINCIPAL_ID}
    with pytest.raises(ProviderFailed, match="expected appRoles to be a list of objects"):
        await setup.provider(app_roles_claim="appRoles").provide(EVENT, some_context())


async def test_start_gets_the_token_ahead(setup: Setup, issuer: Issuer) -> None:
    """The first sign-in finds a token."""
    setup.provider(groups_claim="teams").start()
    await settle()
    assert issuer.issued == 1


@pytest.mark.parametrize(
    ("more", "scope"),
    [
        ({}, GRAPH_SCOPE),
        ({"Claims__Graph__Url": "https://graph.microsoft.us/v1.0"}, "https://graph.microsoft.us/.default"),
        ({"Claims__Graph__Url": "http://127.0.0.1:1/v1.0"}, GRAPH_SCOPE),
        ({"Claims__Graph__Scope": "https://other/.default"}, "https://other/.default"),
    ],
)
async def test_from_settings(more: dict[str, str], scope: str) -> None:
    """The public cloud by default, another by its URL; the scope is that host's unless it is given."""
    provider = create({"Claims__Graph__Attributes": "department", **more})
    assert provider._downstream._tokens is not None
    assert provider._downstream._tokens.scope == scope
    await provider.aclose()


def test_settings_are_told_wrong_at_once() -> None:
    """Every setting at fault is named."""
    with pytest.raises(SettingsError) as failed:
        create(
            {
                "Claims__Graph__Attributes": "department:x, manager($expand):y",
                "Claims__Graph__GroupsClaim": "x",
                "Claims__Graph__AppRolesClaim": "x",
                "Claims__Graph__MaxNames": "999",
                "Claims__Graph__Url": "ftp://x",
            }
        )
    assert sorted(problem.split()[0].rpartition("__")[2] for problem in failed.value.problems) == [
        "AppRolesClaim",
        "Attributes",
        "GroupsClaim",
        "MaxNames",
        "Url",
    ]
    with pytest.raises(SettingsError, match="nothing to ask for"):
        create({})


async def test_restricted_names_are_accepted() -> None:
    """A claims mapping policy's target may not have these names; the reply may, and the log shows them whole."""
    given = {"Attributes": "mail:email", "GroupsClaim": "groups", "AppRolesClaim": "roles"}
    async with aclosing(create({f"Claims__Graph__{name}": text for name, text in given.items()})) as provider:
        assert provider.claim_names == {"email", "groups", "roles"}

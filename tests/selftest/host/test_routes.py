"""Addresses of functions."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from selftest.host.host_json import HostJson
from selftest.host.process import AppProcess
from selftest.host.routes import RouteTable
from selftest.host.worker import Function, StartError

APPS = Path(__file__).parent / "apps"


def function(route: str, *methods: str, name: str = "f", trigger: str = "httpTrigger") -> Function:
    """Make an indexed function."""
    return Function(
        name=name,
        function_id=name,
        trigger=trigger,
        parameter="req",
        route=route,
        methods=frozenset(methods),
        auth_level="ANONYMOUS",
        raw_bindings=(),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app() -> AsyncIterator[AppProcess]:
    """Serve the app whose addresses are unusual."""
    async with AppProcess({}, app_dir=APPS / "other_routes") as process:
        yield process


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/byname", "PATCH the app's own"),
        ("GET", "/files/a/b.txt", "a/b.txt"),
        ("GET", "/files", "nothing"),
        ("GET", "/files/README", "the readme"),
    ],
)
async def test_app_with_an_empty_prefix(app: AppProcess, method: str, path: str, body: str) -> None:
    """host.json's prefix, a route by the function's name, the rest of a path, and the app's own claims package hold."""
    async with aiohttp.ClientSession() as session, session.request(method, app.url + path) as response:
        assert (response.status, await response.text()) == (200, body)


@pytest.mark.asyncio(loop_scope="module")
async def test_function_with_another_trigger_is_mentioned_and_not_served(app: AppProcess) -> None:
    """A timer has no address; the log says so."""
    async with aiohttp.ClientSession() as session, session.get(f"{app.url}/hourly") as response:
        assert response.status == 404
    assert "function hourly has a timerTrigger and is not served: only HTTP is" in app.logs


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("a/{x}", "/api/a/1", {"x": "1"}),
        ("a/{x}", "/api/a", None),
        ("a/{x}", "/api/a/1/2", None),
        ("a/{x?}", "/api/a", {}),
        ("a/{x:int}", "/api/a/12", {"x": "12"}),
        ("a/{x:int}", "/api/a/1b", None),
        ("a/{x:guid}", "/api/a/99045FE1-7639-4a75-9d4a-577b6ca3810f", {"x": "99045FE1-7639-4a75-9d4a-577b6ca3810f"}),
        ("a/{x:guid}", "/api/a/99045fe1", None),
        ("{*rest}", "/api/x/y", {"rest": "x/y"}),
        ("r-{id}.json", "/api/r-7.json", {"id": "7"}),
        ("r-{id}.json", "/api/r-7xjson", None),
        ("a/{x=5}", "/api/a", {"x": "5"}),
        ("a/{x=5}", "/api/a/6", {"x": "6"}),
        ("a/{x:length(2)}", "/api/a/ab", {"x": "ab"}),
        ("a/{x:length(2,3)}", "/api/a/abcd", None),
        ("a.b", "/api/aXb", None),
        ("a", "/api//a", None),
        ("a", "api/a", None),
    ],
)
def test_template(route: str, path: str, expected: dict[str, str] | None) -> None:
    """A template matches what ASP.NET's would."""
    found = RouteTable([function(route, "GET")]).match("GET", path)
    assert (found[1] if found else None) == expected


def test_more_specific_route_wins_wherever_it_is_declared() -> None:
    """Text comes before a constrained parameter, that before a free one, and the rest last."""
    routes = ("{*rest}", "{x}", "{x:int}", "text")
    table = RouteTable([function(route, name=route) for route in routes])
    for path, expected in (
        ("/api/text", "text"),
        ("/api/1", "{x:int}"),
        ("/api/other", "{x}"),
        ("/api/a/b", "{*rest}"),
    ):
        found = table.match("GET", path)
        assert found is not None
        assert found[0].name == expected


def test_methods_choose_between_functions_of_one_route() -> None:
    """Two functions may share an address; no method at all means every method."""
    table = RouteTable([function("a", "GET", name="reads"), function("a", "POST", name="writes")])
    found = table.match("post", "/api/a")
    assert found is not None
    assert found[0].name == "writes"
    assert table.match("PUT", "/api/a") is None
    assert RouteTable([function("a")]).match("PUT", "/api/a") is not None


@pytest.mark.parametrize("route", ["{x:int:min(1)}", "{x:regex(^a$)}", "{x"])
def test_template_that_is_not_imitated_stops_the_start(route: str) -> None:
    """A wrong guess would prove the wrong thing."""
    with pytest.raises(StartError, match="function f: this host does not imitate"):
        RouteTable([function(route)])


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("{}", "api"),
        ('{"extensions": {"http": {"routePrefix": "v1"}}}', "v1"),
        ('{"extensions": {"http": {"routePrefix": ""}}}', ""),
        ('\ufeff{"extensions": {"http": {}}}', "api"),
    ],
)
def test_prefix_is_host_jsons(tmp_path: Path, text: str, prefix: str) -> None:
    """The prefix is api unless host.json says otherwise."""
    (tmp_path / "host.json").write_text(text, "utf-8")
    assert HostJson.read(tmp_path).prefix == prefix


def test_prefix_without_host_json_is_api(tmp_path: Path) -> None:
    """An app without the file has the default."""
    assert HostJson.read(tmp_path).prefix == "api"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"extensions": null}',
        '{"extensions": {"http": {"routePrefix": "/api/"}}}',
        '{"functionTimeout": "0"}',
        '{"functionTimeout": "soon"}',
        '{"version": "1.0"}',
    ],
)
def test_host_json_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """A broken file stops the start and is named."""
    (tmp_path / "host.json").write_text(text, "utf-8")
    with pytest.raises(StartError, match=r"host\.json cannot be used: .*Azure's host answers 503"):
        HostJson.read(tmp_path)


def test_comments_and_last_commas_are_allowed(tmp_path: Path) -> None:
    """Microsoft's host reads them; what a string holds is no comment."""
    text = """{ // a comment, "extensions":
      "functionTimeout": "00:00:30", /* another, } */
      "extensions": {"http": {"routePrefix": "v1//x", "customHeaders": {"X-One": "a, }",}, // last
      }},
    }"""
    (tmp_path / "host.json").write_text(text)
    read = HostJson.read(tmp_path)
    assert (read.prefix, read.custom_headers, read.timeout_s) == ("v1//x", (("X-One", "a, }"),), 30.0)


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ([("/a/", "GET")], "begins or ends with a slash. Azure's host answers 503"),
        ([("Admin/a", "GET")], "which Azure's host keeps for itself"),
        ([("runtimes", "GET")], "which Azure's host keeps for itself"),
        ([("a", "GET"), ("A", "GET")], "Azure's host drops this one"),
    ],
)
def test_route_that_azure_drops_stops_the_start(routes: list[tuple[str, str]], says: str) -> None:
    """The message says what Azure would do with it."""
    with pytest.raises(StartError, match=says):
        RouteTable([function(route, method) for route, method in routes])

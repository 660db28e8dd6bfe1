"""The part with Microsoft's SDKs: what its stand-in answers, what is compared, and what its notes say of an SDK."""

import ast
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.data.tables.aio import TableServiceClient

from benchmarks.downstream import ENTITY, data_source
from benchmarks.peer_round import Round
from benchmarks.sdks import with_sdks
from benchmarks.servers import OURS
from tests.claims.providers.azurite import azurite, connection_string, why_not
from tests.graph_schema import GraphSchema, schema_file

USER = "/users/77777777-7777-4777-8777-777777777777"
KEYS = {"PartitionKey": "tenant", "RowKey": "user"}


async def _get(url: str, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}{path}", headers=headers) as response:
        return response.status, await response.json()


async def test_the_stand_in_answers_the_two_requests_to_graph_alone() -> None:
    """It wants the token, and what the documentation asks for; its responses fit the published schema."""
    attributes = f"{USER}?$select=department,employeeId"
    groups = f"{USER}/transitiveMemberOf/microsoft.graph.group?$select=displayName&$count=true"
    async with data_source(0.1) as source:
        _, issued = await _get(source.url, "/msi/token?resource=https://graph.microsoft.com")
        token = {"Authorization": f"Bearer {issued['access_token']}"}
        bodies = {}
        for path in (attributes, groups):
            assert (await _get(source.url, f"/v1.0{path}"))[0] == 401
            assert (await _get(source.url, f"/v1.0{path.replace('$select', '$filter')}", **token))[0] == 404
            status, bodies[path.partition("?")[0]] = await _get(source.url, f"/v1.0{path}", **token)
            assert status == 200
    assert issued["resource"] == "https://graph.microsoft.com"
    if file := schema_file():
        schema = GraphSchema.load(file)
        assert [misfit for path, body in bodies.items() for misfit in schema.misfits(path, body)] == []


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
async def test_the_stand_in_answers_as_azurite_does(tmp_path: Path) -> None:
    """An entity has the same members of the same types in the same form."""
    received: list[dict[str, Any]] = []
    async with (
        azurite(cwd=tmp_path) as url,
        TableServiceClient.from_connection_string(connection_string(url)) as service,
        await service.create_table("claims") as table,
    ):
        await table.upsert_entity({**KEYS, **ENTITY})
        await table.get_entity(
            *KEYS.values(), raw_response_hook=lambda got: received.append(json.loads(got.http_response.text()))
        )
    async with data_source(0.1) as source:
        _, issued = await _get(source.url, "/msi/token?resource=https://storage.azure.com")
        path = "/claims(PartitionKey='tenant',RowKey='user')"
        status, ours = await _get(source.url, path, Authorization=f"Bearer {issued['access_token']}")
    theirs = received[0]
    assert status == 200
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in theirs.items()}
    assert (KEYS | ENTITY).items() <= ours.items()
    assert (KEYS | ENTITY).items() <= theirs.items()
    assert len(ours["odata.etag"]) == len(theirs["odata.etag"])
    assert theirs["odata.metadata"].endswith("/$metadata#claims/@Element")


def test_ratios_and_the_one_limit() -> None:
    """Each comparison has its table at its rate, and a row of ratios; only wrong answers have a limit."""

    def rounds(cpu_ms: float, wrong: int = 0) -> list[Round]:
        return [Round(cpu_ms=cpu_ms, p50_ms=2 * cpu_ms, p99_ms=3 * cpu_ms, late_ms=0.1, wrong=wrong)]

    def found(cpu_ms: float, wrong: int = 0) -> list[dict[str, list[Round]]]:
        return [{OURS.name: rounds(1.0), each.peer.name: rounds(cpu_ms, wrong)} for each in with_sdks.COMPARISONS]

    part = with_sdks.part(found(4.0))
    assert [table.columns[-2:] for table in part.tables[:3]] == [
        ("p50 ms at 5/s", "p99 ms at 5/s"),
        ("p50 ms at 20/s", "p99 ms at 20/s"),
        ("p50 ms at 100/s", "p99 ms at 100/s"),
    ]
    assert {row[1:] for row in part.tables[-1].rows} == {("0.25", "0.25", "0.25")}
    assert part.exit_code == 0
    wrong = with_sdks.part(found(4.0, wrong=1))
    assert [(must.says, must.measured) for must in wrong.musts] == [("wrong answers of anybody", 3)]
    assert wrong.exit_code == 1


def test_what_the_notes_say_of_the_sdk() -> None:
    """More than a thousand import statements for each object."""
    entity = pytest.importorskip(
        "msgraph.generated.models.entity", reason="only in the benchmarks' environment (make .venv-bench)"
    )
    source = textwrap.dedent(inspect.getsource(entity.Entity.get_field_deserializers))
    assert sum(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(source))) > 1000

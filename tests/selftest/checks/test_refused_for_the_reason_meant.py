"""Each attack reaches the rule that it is about.

An attack that is refused for something else, a forged token whose audience is off, say, tests nothing: the rule could
be deleted and the check would still pass. The endpoint's log names the rule that refused.
"""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from claims.endpoint import Endpoint
from selftest.checks import REGISTRY
from selftest.checks.runner import run_checks
from selftest.checks.token.rotation import publish_for_checks
from selftest.entra.server import EntraServer
from selftest.play.target import endpoint_settings
from tests.selftest.checks.lab import serve_lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The endpoint's code in the log: the attacks that must end there.
REASONS = {
    "algorithm": "T30 T31 T32 T33 T34 T35 T36 T37 T38 T39 T40 T41 T42 T43 T48 T71 T72",
    "audience": "T88 T89 T90 T91 T92 T93 T94 T115",
    "authorization_malformed": "T02 T03 T04 T05 T07 T16",
    "body_json": "B01 B02 B03 B04 B05 B06 B07 B08 B09 B10 B11 B12 B13 B14 B15 B16 B20 B21 B22",
    "body_too_large": "B23",
    "caller": "T100 T101 T102 T103 T104 T105 T111 T113",
    "content_encoding": "B33",
    "content_type": "B30 B31 B32 B34",
    "event_extension": "B63",
    "event_member": "B45 B46 B47 B48 B49 B50 B51 B52 B53 B54 B55 B56 B57 B58 B59 B60 B65 B66 B67 B68 B69 B70 B71 B72",
    "event_tenant": "B62",
    "event_type": "B40 B41 B42 B43 B44",
    "exp_malformed": "T121 T122 T123 T126 T127",
    "expired": "T120",
    "header_b64": "T50",
    "header_crit": "T55 T56 T57",
    "header_jku": "T52",
    "header_jwk": "T51",
    "header_x5c": "T54",
    "header_x5u": "T53",
    "header_zip": "T58",
    "iat_malformed": "T134 T135",
    "issued_in_future": "T133",
    "issuer": "T80 T81 T82 T83 T84 T85 T86",
    "key_id": "T45 T47 T49",
    "key_issuer": "T76",
    "key_unknown": "T46 T67 T70 T73 T74 T75 T77 T78",
    "nbf_malformed": "T131 T132",
    "not_an_app_token": "T112 T114 T116",
    "not_yet_valid": "T130",
    "signature": "B80 B81 B82 B83 T60 T61 T62 T63 T64 T65 T66",
    "tenant": "T96 T97",
    "token_alphabet": "T14 T15",
    "token_header": "T20 T21 T22 T23",
    "token_missing": "T01 T06",
    "token_not_canonical": "T17",
    "token_payload": "T24 T25 T26 T27 T28 T124 T125",
    "token_segments": "T10 T11 T12 T13",
    "token_too_large": "T18",
    "token_type": "T59",
    "version": "T107 T108 T109",
}
EXPECTED = {check_id: code for code, ids in REASONS.items() for check_id in ids.split()}
REFUSALS = [
    check.id
    for check in REGISTRY.values()
    if check.id[0] in "TB" and "fresh" not in check.needs and check.title.startswith(("refuses", "forbids", "judges"))
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="entra")
async def shared_entra() -> AsyncIterator[EntraServer]:
    """One tenant for all attacks."""
    async with EntraServer() as entra:
        publish_for_checks(entra)
        yield entra


async def test_every_attack_has_a_reason() -> None:
    """The table and the registry name the same attacks."""
    assert sorted(EXPECTED) == sorted(REFUSALS)


@pytest.mark.parametrize("check_id", REFUSALS)
async def test_the_rule_meant_refuses(entra: EntraServer, check_id: str) -> None:
    """The last request of the check is refused with the code of its rule.

    Each attack meets an endpoint that has refused nothing yet: of one code only the first refusal of a minute need be
    written.
    """
    async with serve_lab(entra, Endpoint.from_env(endpoint_settings(entra))) as lab:
        results = [result async for result in run_checks([REGISTRY[check_id]], lab.bench)]
    assert results[0].status == "pass", results[0].actual
    outcomes = [json.loads(line)["outcome"] for line in lab.lines if line.startswith("{")]
    assert outcomes == ["claims", EXPECTED[check_id]]

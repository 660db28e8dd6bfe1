"""One sign-in whole, as an object and as a command."""

import argparse
import json
from pathlib import Path

import aiohttp
import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.cli import main, parser
from selftest.entra.payloads import VARIETIES, Variety, variety
from selftest.entra.server import EntraServer
from selftest.judge.mapping import MappingPolicy
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.play.caller import Caller
from selftest.play.sign_in import sign_in
from selftest.play.sign_in_text import as_lines
from tests.selftest.scripted_server import answer, claims_reply, scripted_server
from tests.selftest.signing_in import signed_in


@pytest.mark.parametrize("known", VARIETIES, ids=lambda known: known.id)
async def test_every_variety_gets_a_token(session: aiohttp.ClientSession, entra: EntraServer, known: Variety) -> None:
    """Each kind of user signs in, and the app's token carries the user and the claim."""
    played = await signed_in(session, entra, claims_reply({"Role": ["Writer"]}), known.id)
    assert played.verdict.minted
    assert played.token_claims is not None
    assert played.token_claims["Role"] == ["Writer"]
    user = played.event["data"]["authenticationContext"]["user"]
    assert user["id"] in played.token_claims.values()


async def test_event_and_token_are_sent(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """The endpoint receives the event and the token that the sign-in shows."""
    async with scripted_server([claims_reply({})]) as server:
        played = await sign_in(
            Caller(session), server.url, entra.mint, DEFAULT_TENANT, variety("guest"), correlation_id="c"
        )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == played.event
    assert f"Authorization: Bearer {played.token}".encode() in head
    assert played.event["data"]["authenticationContext"]["correlationId"] == "c"


async def test_correlation_ids_differ(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """Two sign-ins have two correlation ids."""
    ids = set()
    for _ in range(2):
        played = await signed_in(session, entra, claims_reply({}))
        ids.add(played.event["data"]["authenticationContext"]["correlationId"])
    assert len(ids) == 2


async def test_refused_sign_in_gives_no_token(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """When Entra logs a code nothing is minted."""
    played = await signed_in(session, entra, answer("401 Unauthorized"))
    assert played.verdict.code == 1003002
    assert played.token_claims is None
    assert not played.custom_claims


async def test_mapping_decides_what_arrives(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """With a policy only mapped claims arrive, under their mapped names."""
    policy = MappingPolicy.parse(
        {"ClaimsMappingPolicy": {"ClaimsSchema": [{"Source": "CustomClaimsProvider", "ID": "A", "JwtClaimType": "a2"}]}}
    )
    played = await signed_in(session, entra, claims_reply({"A": "1", "B": "2"}), mapping=policy)
    assert played.custom_claims == {"a2": "1"}
    assert played.token_claims is not None
    assert played.token_claims.keys() >= {"a2", "aud", "name"}
    assert "B" not in played.token_claims


@pytest.mark.parametrize("mapping", [None, MappingPolicy.under_own_names(["A"])])
async def test_assumed_policy_is_said(
    session: aiohttp.ClientSession, entra: EntraServer, mapping: MappingPolicy | None
) -> None:
    """Without a policy the token shows what one could map, which is not what Entra would do."""
    played = await signed_in(session, entra, claims_reply({"A": "1"}), mapping=mapping)
    said = ", with each mapped under its own name (no policy was given)" if mapping is None else ""
    assert f"of these from the endpoint{said}" in list(as_lines(played, "http://x", timeout_ms=2000))


async def test_basic_claims_may_be_left_out(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """A policy without the basic claim set leaves the person's names out, and what makes it a token in."""
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"IncludeBasicClaimSet": "false"}})
    played = await signed_in(session, entra, claims_reply({}), mapping=policy)
    assert played.token_claims is not None
    assert "name" not in played.token_claims
    assert played.token_claims.keys() >= {"aud", "iss", "oid", "sub"}


async def test_returned_claim_cannot_replace_the_audience(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """Without a policy a claim is mapped to its own name, which may not be a restricted one; that is shown."""
    played = await signed_in(session, entra, claims_reply({"aud": "other", "xms_x": "y", "Fine": "z"}))
    assert played.verdict.minted
    assert not played.verdict.warnings
    assert played.custom_claims == {"Fine": "z"}
    assert played.needs_renaming == ("aud", "xms_x")
    (line,) = (
        line for line in as_lines(played, "http://x", timeout_ms=2000) if line.startswith("not in the token: 'aud'")
    )
    assert line.endswith('{"Source": "CustomClaimsProvider", "ID": "aud", "JwtClaimType": "custom_aud"}')
    assert played.token_claims is not None
    assert played.token_claims["aud"] == DEFAULT_TENANT.client.app_id


async def test_policy_renames_a_claim_of_any_name(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """A claim that the endpoint calls ``groups`` reaches the token under the name that the policy gives it."""
    schema = [{"Source": "CustomClaimsProvider", "ID": "groups", "JwtClaimType": "teams"}]
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": schema}})
    played = await signed_in(session, entra, claims_reply({"groups": ["a"]}), mapping=policy)
    assert played.custom_claims == {"teams": ["a"]}
    assert (played.needs_renaming, played.verdict.warnings) == ((), ())


async def test_other_resource_gets_the_access_token(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """The audience is the app that the token is for."""
    played = await signed_in(session, entra, claims_reply({}), "other-resource")
    assert played.token_claims is not None
    assert played.token_claims["aud"] == DEFAULT_TENANT.other_resource.app_id
    assert played.token_claims["azp"] == DEFAULT_TENANT.client.app_id


async def test_saml_app_gets_an_assertion(session: aiohttp.ClientSession, entra: EntraServer) -> None:
    """A SAML app gets attributes, and a mapped claim under its SAML name."""
    schema = [{"Source": "CustomClaimsProvider", "ID": "A", "SamlClaimType": "https://claims.example/a"}]
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": schema}})
    played = await signed_in(session, entra, claims_reply({"A": "1"}), "saml", mapping=policy)
    assert played.token_claims is not None
    assert played.token_claims["NameID"] == "ada@sample.example"
    assert played.token_claims["https://claims.example/a"] == "1"
    assert "aud" not in played.token_claims


@pytest.mark.parametrize("target", [None, "NameID", NAME_ID_CLAIM_TYPE])
async def test_endpoint_cannot_name_the_subject_of_an_assertion(
    session: aiohttp.ClientSession, entra: EntraServer, target: str | None
) -> None:
    """The NameID is the directory's, whatever the endpoint returns and however a policy maps it."""
    schema = [{"Source": "CustomClaimsProvider", "ID": "NameID", "SamlClaimType": target}]
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": schema}}) if target else None
    played = await signed_in(session, entra, claims_reply({"NameID": "another"}), "saml", mapping=policy)
    assert played.token_claims is not None
    assert played.token_claims["NameID"] == "ada@sample.example"


def _parse(*argv: str) -> argparse.Namespace:
    return parser().parse_args(["signin", *argv])


def _run(*argv: str) -> int:
    return main(["signin", "--authority-port", "0", *argv])


def test_unreachable_endpoint_is_1003027(capsys: pytest.CaptureFixture[str]) -> None:
    """An endpoint that is not there loses the sign-in with code 1003027 and exit code 1."""
    assert _run("--url", "http://127.0.0.1:1/") == 1
    assert "1003027" in capsys.readouterr().out.splitlines()[0]


def test_mapping_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mapping file that cannot be read is exit code 2, with its name."""
    missing = tmp_path / "missing.json"
    assert _run("--url", "http://127.0.0.1:1/", "--mapping", str(missing)) == 2
    assert str(missing) in capsys.readouterr().err


def test_mapping_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mapping file that holds something else is exit code 2, with the reason."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]")
    assert _run("--url", "http://127.0.0.1:1/", "--mapping", str(wrong)) == 2
    assert "not a claims mapping policy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [("--timeout-ms", "199"), ("--timeout-ms", "2001"), ("--retries", "2"), ("--user", "nobody"), ("--url", "x")],
)
def test_usage_errors(argv: tuple[str, str]) -> None:
    """What Entra cannot be set to is a usage error before anything starts."""
    with pytest.raises(SystemExit) as caught:
        _parse(*argv)
    assert caught.value.code == 2

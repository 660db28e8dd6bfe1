"""Which extensions are called for a token, which of their claims reach it, and the log."""

import asyncio
from dataclasses import replace
from typing import Any

import jwt
import pytest

from selftest.entra.payloads import VARIETIES
from selftest.judge.codes import CODES
from selftest.judge.mapping import MappingPolicy
from selftest.playground.html.sign_in import sign_in_view
from selftest.signin.server import SignInServer
from selftest.signin.sign_in_log import EmulatedSignInLog, SignInRecord
from selftest.signin.tenant.directory import App, Directory, Person
from tests.clients.extension import Extension, Mood
from tests.selftest.signin.plain_requests import Asking, Clock

ORDERS_SCOPE = "openid api://orders.sample.example/.default"


def _changed(directory: Directory, key: str, **changes: Any) -> Directory:
    """Return the tenant with one app, user or extension changed."""
    apps = tuple(replace(app, **changes) if app.key == key else app for app in directory.apps)
    people = tuple(replace(known, **changes) if known.key == key else known for known in directory.people)
    return replace(directory, apps=apps, people=people)


def _found(directory: Directory, user: str, app: str) -> tuple[Person, App]:
    person, found = directory.person(user), directory.app_named(app)
    assert person is not None
    assert found is not None
    return person, found


async def _play(
    directory: Directory, clock: Clock, user: str = "ada", app: str = "portal", scope: str = "openid profile"
) -> SignInRecord:
    async with SignInServer(directory, clock=clock) as server:
        return await server.service.sign_in(server.mint, *_found(directory, user, app), scope=scope)


async def test_record_of_one_sign_in(sample: Directory, extension: Extension, clock: Clock) -> None:
    """One played sign-in has all: what was sent, what came, how long it took, what it means, and the tokens."""
    record = await _play(sample.with_target_url(extension.url), clock, scope=ORDERS_SCOPE)
    assert record.refusal is None
    identity, access = record.callouts
    assert [callout.audience.key for callout in record.callouts] == ["portal", "orders"]
    assert identity.event in extension.events
    assert identity.call is not None
    assert identity.call.attempts[0].status == 200
    assert identity.duration_ms > 0
    assert access.verdict.minted
    assert record.custom_claims["id_token"].keys() == {"custom_roles", "DateOfBirth", "environment"}
    assert record.custom_claims["access_token"].keys() == {"order_roles"}
    assert record.minted["id_token"]["aud"] == record.client.client_id
    assert record.minted["access_token"]["aud"] == record.resource.client_id


@pytest.mark.parametrize(
    ("user", "app", "claim", "entry"),
    [
        (
            "ada",
            "spa",
            "DateOfBirth",
            '{"Source": "CustomClaimsProvider", "ID": "DateOfBirth", "JwtClaimType": "DateOfBirth"}',
        ),
        (
            "ada",
            "legacy",
            "ApiVersion",
            '{"Source": "CustomClaimsProvider", "ID": "ApiVersion", "SamlClaimType": "ApiVersion"}',
        ),
        (
            "ada",
            "impatient",
            "CustomRoles",
            '{"Source": "CustomClaimsProvider", "ID": "CustomRoles", "JwtClaimType": "CustomRoles"}',
        ),
    ],
)
async def test_claim_that_no_policy_maps_is_shown_with_the_entry(
    sample: Directory, extension: Extension, clock: Clock, user: str, app: str, claim: str, entry: str
) -> None:
    """For a JSON Web Token, for an assertion, and for an app without any policy; the playground's page has it."""
    record = await _play(sample.with_target_url(extension.url), clock, user, app)
    (callout,) = record.callouts
    shown = [each.message for each in callout.verdict.warnings if (each.kind, each.claim) == ("unmapped-claim", claim)]
    assert len(shown) == 1
    assert shown[0].endswith(f"add the entry {entry}")
    assert shown[0] in sign_in_view(record, None).calls[0].warnings


async def test_audience_decides_who_is_asked(sample: Directory, extension: Extension, clock: Clock) -> None:
    """The client's listener is for id tokens, the API's for access tokens; without a listener nobody is asked."""
    aimed = sample.with_target_url(extension.url)
    listener = replace(aimed.listeners[0], app_keys=frozenset({"orders"}))
    record = await _play(replace(aimed, listeners=(listener,)), clock, scope=ORDERS_SCOPE)
    assert extension.audiences == ["Sample orders API"]
    # The constant of the policy needs no extension.
    assert record.custom_claims == {
        "id_token": {"environment": "emulated"},
        "access_token": {"order_roles": ["Writer", "Editor"]},
    }


async def test_an_app_that_is_its_own_api_is_asked_for_once(
    sample: Directory, extension: Extension, clock: Clock
) -> None:
    """One app as client and API is one audience: one call serves both tokens."""
    directory = _changed(sample.with_target_url(extension.url), "portal", scopes=("read",))
    _, portal = _found(directory, "ada", "portal")
    record = await _play(directory, clock, scope=f"openid {portal.client_id}/read")
    assert len(extension.events) == 1
    assert record.custom_claims["id_token"] == record.custom_claims["access_token"]


async def test_events_differ_in_the_resource_alone(sample: Directory, extension: Extension, clock: Clock) -> None:
    """Both events of a sign-in have one correlation id and one client; the resource is the token's audience."""
    await _play(sample.with_target_url(extension.url), clock, scope=ORDERS_SCOPE)
    first, second = (event["data"]["authenticationContext"] for event in extension.events)
    resources = {context.pop("resourceServicePrincipal")["displayName"] for context in (first, second)}
    assert resources == {"Sample portal", "Sample orders API"}
    assert first == second


async def test_event_has_the_documented_members(sample: Directory, extension: Extension, clock: Clock) -> None:
    """An event of a tenant file has the members of the published samples, no more and no fewer."""
    await _play(sample.with_target_url(extension.url), clock)
    (event,) = extension.events
    published = VARIETIES[0].build(sample.tenant, event["data"]["authenticationContext"]["correlationId"])
    assert event == published


async def test_token_of_the_callout_is_for_the_endpoint(sample: Directory, extension: Extension, clock: Clock) -> None:
    """The callout's token has the audience of the extension's own registration, in the version that it asks for."""
    directory = _changed(sample.with_target_url(extension.url), "claims-api")
    legacy = replace(directory.extensions[0], audience=replace(directory.extensions[0].audience, access_version="1.0"))
    listeners = tuple(replace(listener, extension=legacy) for listener in directory.listeners)
    await _play(replace(directory, extensions=(legacy,), listeners=listeners), clock)
    token = extension.headers[0]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["ver"]) == ("22222222-2222-4222-8222-222222222222", "1.0")
    assert claims["appid"] == "99045fe1-7639-4a75-9d4a-577b6ca3810f"


@pytest.mark.parametrize("code", [code for code in CODES if isinstance(code, int)])
@pytest.mark.parametrize("whose", ["user", "extension"])
async def test_every_code_can_be_produced(
    sample: Directory, extension: Extension, clock: Clock, code: int, whose: str
) -> None:
    """A decreed code fails the sign-in without a call, with as many attempts as Entra would have made."""
    directory = sample.with_target_url(extension.url)
    if whose == "user":
        directory = _changed(directory, "ada", fault=code)
    else:
        broken = replace(directory.extensions[0], fault=code)
        listeners = tuple(replace(listener, extension=broken) for listener in directory.listeners)
        directory = replace(directory, extensions=(broken,), listeners=listeners)
    record = await _play(directory, clock)
    assert record.error_code == 1100001
    (callout,) = record.callouts
    assert (callout.verdict.code, callout.verdict.minted) == (code, False)
    before = CODES[code].phase != "during the call"
    assert callout.attempts == (0 if before else 2 if code in {1003005, 1003027} else 1)
    assert not record.minted
    assert not extension.events


@pytest.mark.parametrize(
    ("app", "version", "scope", "aadsts"),
    [
        ("unmapped", "2.0", "openid", 50146),
        ("portal", "1.0", "api://orders/read", 501461),
        ("portal", "1.0", "api://99999999-9999-4999-8999-999999999999/read", 501461),
        ("portal", "1.0", "https://orders.sample.example/read", None),
        ("portal", "1.0", "99999999-9999-4999-8999-999999999999/read", None),
        ("portal", "2.0", "api://orders/read", None),
    ],
)
async def test_mapped_claims_have_to_be_accepted(
    sample: Directory, extension: Extension, clock: Clock, app: str, version: str, scope: str, aadsts: int | None
) -> None:
    """A policy without acceptMappedClaims, or for an audience outside the tenant's domains, is refused unasked."""
    directory = _changed(
        sample.with_target_url(extension.url),
        "orders",
        access_version=version,
        scopes=("read",),
        application_id_uri=scope.rpartition("/")[0],
    )
    record = await _play(directory, clock, app=app, scope=scope)
    assert record.error_code == (aadsts or 0)
    assert bool(extension.events) is (aadsts is None)
    if aadsts is None:
        access = record.minted["access_token"]
        named = scope.rpartition("/")[0] if version == "1.0" else "99999999-9999-4999-8999-999999999999"
        assert (access["aud"], access["ver"]) == (named, version)


async def test_only_assigned_users(sample: Directory, extension: Extension, clock: Clock) -> None:
    """An app with assigned users refuses the others before anything is asked."""
    directory = _changed(sample.with_target_url(extension.url), "portal", users=frozenset({"ben"}))
    record = await _play(directory, clock)
    assert record.error_code == 50105
    assert not extension.events
    assert (await _play(directory, clock, "ben")).refusal is None


@pytest.mark.parametrize("basic", [True, False])
async def test_basic_claim_set(sample: Directory, extension: Extension, clock: Clock, *, basic: bool) -> None:
    """Without the basic claim set the claims about the person go, what makes it a token stays."""
    policy = MappingPolicy(entries=(), include_basic_claim_set=basic)
    directory = _changed(sample.with_target_url(extension.url), "portal", mapping=policy)
    claims = (await _play(directory, clock)).minted["id_token"]
    assert ("preferred_username" in claims) is basic
    assert {"oid", "sub", "tid", "iss", "aud"} <= claims.keys()


async def test_app_without_a_policy_gets_no_claim(sample: Directory, extension: Extension, clock: Clock) -> None:
    """What no policy maps is lost, as at Entra."""
    record = await _play(sample.with_target_url(extension.url), clock, app="impatient")
    assert record.callouts[0].verdict.minted
    assert "CustomRoles" not in record.minted["id_token"]


async def test_listener_limits_hold(sample: Directory, extension: Extension, clock: Clock) -> None:
    """The impatient listener gives up after one attempt of 300 ms."""
    extension.mood = "slow"
    record = await _play(sample.with_target_url(extension.url), clock, app="impatient")
    (callout,) = record.callouts
    assert (callout.verdict.code, callout.attempts) == (1003005, 1)
    assert 300 <= callout.duration_ms < 2000


async def test_changing_faults_hit_the_sign_ins_that_they_hit(
    sample: Directory, extension: Extension, clock: Clock
) -> None:
    """While the extension does something else at every call, each sign-in ends as its own call did."""
    moods: tuple[Mood, ...] = ("well", "broken", "refusing", "empty", "well")
    directory = sample.with_target_url(extension.url)
    # No retry takes another call's turn, and no call is late on a busy machine.
    patient = tuple(replace(listener, timeout_ms=2000, max_retries=0) for listener in directory.listeners)
    extension.turns = [*moods] * 8
    codes = {"well": None, "broken": 1003006, "refusing": 1003002, "empty": 1003007}
    async with SignInServer(replace(directory, listeners=patient), clock=clock) as server:
        pairs = [_found(server.directory, user, "impatient") for user in ("ada", "ben", "cleo", "dana")] * 3
        plays = (server.service.sign_in(server.mint, person, app) for person, app in pairs)
        records = await asyncio.gather(*plays)
    for record, (person, _) in zip(records, pairs, strict=True):
        (callout,) = record.callouts
        mood = extension.done[record.correlation_id]
        assert callout.verdict.code == codes[mood]
        assert bool(record.minted) is (mood == "well")
        assert record.person is person
        if record.minted:
            assert record.minted["id_token"]["oid"] == person.id


async def test_log_is_what_graph_shows(sample: Directory, extension: Extension, clock: Clock) -> None:
    """A sign-in is a Graph signIn with an applied listener a call, newest first."""
    async with SignInServer(sample.with_target_url(extension.url), clock=clock) as server:
        person, app = _found(server.directory, "ada", "impatient")
        await server.service.sign_in(server.mint, person, app)
        extension.mood = "refusing"
        record = await server.service.sign_in(server.mint, person, app)
        failed, good = server.service.log.as_graph()["value"]
    assert failed["correlationId"] == record.correlation_id
    assert failed["status"]["errorCode"] == 1100001
    assert good["status"]["errorCode"] == 0
    assert failed["appliedEventListeners"] == [
        {
            "eventType": "tokenIssuanceStart",
            "executedListenerId": "34343434-3434-4434-8434-343434343434",
            "handlerResult": {
                "@odata.type": "#microsoft.graph.customExtensionCalloutResult",
                "customExtensionId": "44444444-4444-4444-8444-444444444444",
                "calloutDateTime": "2027-01-15T08:00:00.000Z",
                "numberOfAttempts": 1,
                "httpStatus": 503,
                "errorCode": 1003002,
            },
        }
    ]


async def test_log_is_bounded(sample: Directory, extension: Extension, clock: Clock) -> None:
    """The log forgets the oldest, not the newest."""
    record = await _play(sample.with_target_url(extension.url), clock)
    log = EmulatedSignInLog(capacity=2)
    for number in range(3):
        log.add(replace(record, id=str(number)))
    assert [kept.id for kept in log.records] == ["1", "2"]


async def test_log_over_http(asking: Asking) -> None:
    """The log is available as JSON and contains no token."""
    document = await asking.tokens()
    async with asking.session.get(f"{asking.entra.base_url}/signins") as response:
        text = await response.text()
        (entry,) = (await response.json())["value"]
    assert entry["userPrincipalName"] == "ada@sample.example"
    assert len(entry["appliedEventListeners"]) == 2
    assert document["access_token"] not in text
    assert "eyJ" not in text

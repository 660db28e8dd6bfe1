"""Claims from an HTTP API, against a real server."""

from collections.abc import AsyncIterator

import pytest

from claims.downstream.api import Downstream
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed, SettingsError
from claims.providers.profile_api import ProfileApiProvider, create
from claims.settings.claim_names import ClaimNames
from tests.claims.providers.desk import EVENT, SCOPE, USER_ID, WITHOUT_USER, Api, respond, some_context

PROFILE = {"level": 3, "roles": ["a", "b"], "department": "Sales"}


@pytest.fixture
async def provider(tokens: DownstreamTokenCache, api: Api) -> AsyncIterator[ProfileApiProvider]:
    """Give a provider that takes everything."""
    api.answer = respond(PROFILE)
    made = ProfileApiProvider(Downstream(tokens), api.url, ClaimNames())
    yield made
    await made.aclose()


async def test_every_member_is_a_claim(provider: ProfileApiProvider, api: Api) -> None:
    """The documented call, and its members as they are."""
    assert await provider.provide(EVENT, some_context()) == PROFILE
    assert [request.path for request in api.requests] == [f"/profile/{USER_ID}"]


async def test_chosen_members_under_other_names(tokens: DownstreamTokenCache, api: Api) -> None:
    """Selection and renaming; what the API does not have is None, which the reply leaves out and the log names."""
    api.answer = respond(PROFILE)
    names = ClaimNames.parse("level:customerLevel, roles:permissions, missing")
    provider = ProfileApiProvider(Downstream(tokens), api.url, names)
    claims = await provider.provide(EVENT, some_context())
    assert claims == {"customerLevel": 3, "permissions": ["a", "b"], "missing": None}
    await provider.aclose()


async def test_unknown_user_has_no_claims(provider: ProfileApiProvider, api: Api) -> None:
    """404 is a user without claims."""
    api.answer = respond({}, 404)
    assert await provider.provide(EVENT, some_context()) == {}


async def test_nobody_is_asked_about_nobody(provider: ProfileApiProvider, api: Api) -> None:
    """Without a user there are no claims, and no call."""
    assert await provider.provide(WITHOUT_USER, some_context()) == {}
    assert api.requests == []


async def test_failure_goes_through(provider: ProfileApiProvider, api: Api) -> None:
    """What is wrong downstream fails the sign-in with its code."""
    api.answer = respond({}, 503)
    with pytest.raises(ProviderFailed, match="downstream_status"):
        await provider.provide(EVENT, some_context())


async def test_from_settings_on_loopback(api: Api) -> None:
    """A local stub needs no scope, and gets no token."""
    api.answer = respond(PROFILE)
    provider = create({"Claims__ProfileApi__Url": f"{api.url}/", "Claims__ProfileApi__Claims": "level"})
    provider.start()
    assert await provider.provide(EVENT, some_context()) == {"level": 3}
    assert api.tokens_seen == [""]
    await provider.aclose()


async def test_from_settings_with_a_scope() -> None:
    """With a scope, the credential's settings count."""
    environ = {"Claims__ProfileApi__Url": "https://api.example.com/profile", "Claims__ProfileApi__Scope": SCOPE}
    await create(environ).aclose()
    with pytest.raises(SettingsError, match="Claims__Credential"):
        create({**environ, "Claims__Credential": "a guess"})


def test_settings_are_told_wrong_at_once() -> None:
    """Every setting at fault is named."""
    with pytest.raises(SettingsError) as failed:
        create({"Claims__ProfileApi__Url": "http://api.example.com", "Claims__ProfileApi__Claims": ":b,c"})
    assert [problem.split()[0] for problem in failed.value.problems] == [
        "Claims__ProfileApi__Url",
        "Claims__ProfileApi__Scope",
        "Claims__ProfileApi__Claims",
    ]
    with pytest.raises(SettingsError, match="Claims__ProfileApi__Scope is required"):
        create({"Claims__ProfileApi__Url": "https://api.example.com"})
    with pytest.raises(SettingsError, match="Claims__ProfileApi__Url is required"):
        create({})

"""Flags and environment are read together, and all their faults are reported at once."""

from typing import Any

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.tenant.objects.intent import Claim, Intent

CLIENT = "22222222-2222-4222-8222-222222222222"


def test_flags_come_before_the_environment() -> None:
    """The environment is what azd sets for a hook; a flag is what a person chooses now."""
    environ = {"AZURE_ENV_NAME": "dev", "ENDPOINT_HOST": "A.example.com", "ENTRA_CLAIMS": "x:, y:z"}
    read = Intent.read(environ)
    assert (read.environment, read.host) == ("dev", "a.example.com")
    assert read.claims == (Claim(name="x", token_name="x"), Claim(name="y", token_name="z"))
    read = Intent.read(environ, environment="prod", host="b.example.com", claims="w", clients=[CLIENT.upper()] * 2)
    assert (read.environment, read.host, read.clients) == ("prod", "b.example.com", (CLIENT,))
    assert [claim.name for claim in read.wanted_claims] == ["w"]


def test_names_carry_the_environment() -> None:
    """Objects are found by their names alone, so a name must not be confused with another."""
    read = Intent(environment="dev", host="a.example.com")
    assert (read.unique_name, read.display_name) == ("claims-endpoint-dev", "Claims endpoint (dev)")
    assert read.client_of(read.name_for(CLIENT)) == CLIENT
    for other in (Intent(environment="dev2").name_for(CLIENT), read.name_for("x"), read.display_name, None):
        assert read.client_of(other) is None
    assert read.target_url == "https://a.example.com/api/onTokenIssuanceStart"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"environment": ""}, "which environment"),
        ({"environment": "../x"}, "not the name of an azd environment"),
        ({"environment": "a'b"}, "not the name of an azd environment"),
        ({"host": "https://a.example.com"}, "not a public host name"),
        ({"host": "localhost"}, "not a public host name"),
        ({"host": "127.0.0.1"}, "not a public host name"),
        ({"host": "a.example.com:443"}, "not a public host name"),
        ({"clients": ["x"]}, "not a client id"),
        ({"claims": ","}, "names no claim"),
        ({"claims": "sub"}, "a policy may not emit 'sub'; give 'sub' another name in the token, as 'custom_sub'"),
        ({"claims": "a,a"}, "names 'a' twice"),
        ({"claims": "a:c,b:c"}, "names 'c' twice"),
        ({"claims": ":c"}, "has no name on one side"),
    ],
)
def test_faults(given: dict[str, object], says: str) -> None:
    """Each fault has a message."""
    whole: dict[str, Any] = {"environment": "dev", "host": "a.example.com"} | given
    with pytest.raises(CannotRun, match=says):
        Intent.read({}, **whole)


def test_all_faults_come_at_once() -> None:
    """Correcting one does not reveal the next."""
    with pytest.raises(CannotRun) as caught:
        Intent.read({}, host="x", claims="sub,aud", clients=["y"])
    assert len(str(caught.value).splitlines()) == 5


def test_a_host_is_required_where_it_is_needed() -> None:
    """Phase A has none yet."""
    with pytest.raises(CannotRun, match="which host"):
        _ = Intent(environment="dev").target_url

"""Whatever a file holds that the tool reads, the answer is its content or an error that shows nothing of it."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selftest.base.cannot_run import CannotRun
from selftest.base.settings_file import parse_settings
from selftest.checks.waivers import read_waivers
from selftest.judge.mapping import MappingError, MappingPolicy
from selftest.load.measured.results_file import read_results
from selftest.tenant.direct_call.token_text import decode
from selftest.tenant.doctor.evidence.easyauth import EasyAuth
from selftest.tenant.doctor.sources.export import exported
from selftest.tenant.doctor.sources.tenant_file import read_document, read_tenant
from tests.selftest.base.cost_ratio import cost_ratio

SECRET = "Zq9-secret-of-the-file"


def _tenant(path: Path) -> None:
    document = read_document(path)
    read_tenant(path, document)
    json.dumps(exported(document))


READERS: dict[str, Callable[[Path], Any]] = {
    "tenant": _tenant,
    "settings": parse_settings,
    "easyauth": lambda path: EasyAuth.of_file(path, None),
    "policy": lambda path: MappingPolicy.parse(path.read_bytes()),
    "token": lambda path: decode(path.read_bytes()),
    "waivers": read_waivers,
    "results": read_results,
}
_NAMES = st.sampled_from(
    [
        *("applications", "servicePrincipals", "claimsMappingPolicies", "customAuthenticationExtensions", "definition"),
        *("endpointConfiguration", "targetUrl", "Values", "name", "value", "IsEncrypted", "properties", "platform"),
        *(
            "identityProviders",
            "globalValidation",
            "ClaimsMappingPolicy",
            "ClaimsSchema",
            "Source",
            "ID",
            "schema_version",
        ),
        *("format", "checks", "waivers", "id", "reason", "until"),
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(SECRET)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=15
)
_FILES = (
    _JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=_FILES)
@example(data=b"[" * 100_000)
@example(data=b'{"a":' * 100_000)
@example(data=b'{"applications": [' + b"9" * 5000 + b"]}")
@example(data=b'{"claimsMappingPolicies": [{"definition": ["' + b"[" * 50_000 + b'"]}]}')
@example(data=b'{"Values": {"A": "\\ud800"}}')
@example(data=b"eyJ" * 5000)
@example(data=b'A="' + SECRET.encode())
@example(data=b"")
@example(data=b'["' + SECRET.encode() + b'"]')
def test_any_file_is_read_or_refused(reader: str, data: bytes, tmp_path: Path) -> None:
    """Never another exception, on one line, without the secret."""
    path = tmp_path / "any"
    path.write_bytes(data)
    try:
        READERS[reader](path)
    except (CannotRun, MappingError) as error:
        assert SECRET not in str(error)


#: What a file of each kind repeats, with what comes before and after.
_REPEATED: dict[str, tuple[str, str, str]] = {
    "tenant": ('{"applications": [', '{"id": "%s", "displayName": "a"}', "]}"),
    "settings": ('{"Values": {', '"Claims__X%s": "a\\"b"', "}}"),
    "easyauth": ('{"properties": {"globalValidation": {"excludedPaths": [', '"/a%s"', "]}}}"),
    "policy": (
        '{"ClaimsMappingPolicy": {"ClaimsSchema": [',
        '{"Source": "CustomClaimsProvider", "ID": "a%s", "JwtClaimType": "a"}',
        "]}}",
    ),
    "token": ("", "eyJ%s.", ""),
    "waivers": ("{", '"w%s": {"id": "T01", "reason": "r"}', "}"),
    "results": ('{"schema_version": 3, "checks": [', '{"id": "T%s"}', "]}"),
}


@pytest.mark.quiet
@pytest.mark.parametrize("reader", READERS)
def test_file_of_four_times_the_size_costs_at_most_five_times(reader: str, tmp_path: Path) -> None:
    """Whether it is read or refused."""
    before, item, after = _REPEATED[reader]

    def make(size: int) -> Callable[[], None]:
        path = tmp_path / f"{reader}-{size}"
        items = (item % number for number in range(size // (len(item) + 6)))
        path.write_text(before + ("" if reader == "token" else ",").join(items) + after)

        def read() -> None:
            with suppress(CannotRun, MappingError):
                READERS[reader](path)

        return read

    assert cost_ratio(make) <= 5

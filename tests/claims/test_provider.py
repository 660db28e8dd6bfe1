"""The provider's contract, and the providers that are here."""

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

import claims.providers
from claims.event import parse_event
from claims.provider import NamesClaims, ProviderContext
from claims.provider_module import load_provider
from claims.settings.settings import SETTINGS
from selftest.tenant.doctor.evidence import settings as doctor
from tests.claims.site import good_event

ROOT = Path(__file__).parents[2]
BUILT_IN = [module.name for module in pkgutil.iter_modules(claims.providers.__path__)]
#: The least with which each starts, and the claims that it then names.
LEAST = {
    "graph": ({"Claims__Graph__Attributes": "mail:email", "Claims__Graph__GroupsClaim": "groups"}, {"email", "groups"}),
    "profile_api": (
        {"Claims__ProfileApi__Url": "http://127.0.0.1:1", "Claims__ProfileApi__Claims": "level,a:roles"},
        {"level", "roles"},
    ),
    "sample": ({}, {"CorrelationId", "ApiVersion", "DateOfBirth", "CustomRoles"}),
    "table": (
        {
            "Claims__Table__Name": "claims",
            "Claims__Table__Url": "https://a.example",
            "Claims__Table__Claims": "level",
        },
        {"level"},
    ),
}


def _declared() -> set[str]:
    modules = [importlib.import_module(f"claims.providers.{name}") for name in BUILT_IN]
    return {*SETTINGS, *(name for module in modules for name in module.SETTINGS)}


class Recorded(dict[str, str]):
    """An environment that remembers which settings were read."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override] # (a double of the one use)
        self.read.add(name)
        return super().get(name, default)


async def test_sample_answers_as_the_how_to() -> None:
    """The four claims of Microsoft's how-to, the correlation id being the event's."""
    event = parse_event(json.dumps(good_event()).encode())
    provider = load_provider("sample", {})
    provided = await provider.provide(event, ProviderContext(remaining_s=lambda: 1.0))
    assert provided == {
        "CorrelationId": event.context.correlation_id,
        "ApiVersion": "1.0.0",
        "DateOfBirth": "01/01/2000",
        "CustomRoles": ["Writer", "Editor"],
    }
    assert isinstance(provider, NamesClaims)
    assert provider.claim_names == provided.keys()


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_providers_read_what_they_declare(name: str) -> None:
    """Nothing else, so that docs, doctor and deployment can rely on the declaration; and they name their claims."""
    least, names = LEAST[name]
    environ = Recorded(dict(least))
    provider = load_provider(name, environ)
    declared = set(importlib.import_module(f"claims.providers.{name}").SETTINGS)
    read = {setting for setting in environ.read if setting.startswith("Claims__")} - {"Claims__Credential"}
    assert read == declared
    assert isinstance(provider, NamesClaims)
    assert provider.claim_names == names


@pytest.mark.parametrize(
    ("pages", "absent"),
    [
        (["docs/settings.md"], set()),
        (["infra/main.bicep", "infra/main.parameters.json"], {"AuthenticationEvents__BypassTokenValidation"}),
    ],
)
def test_every_declared_setting_is_documented_and_deployed(pages: list[str], absent: set[str]) -> None:
    """And no page names a setting that nobody declares."""
    named = set(
        re.findall(r"\b(?:Claims|AuthenticationEvents)__\w+", "".join((ROOT / page).read_text() for page in pages))
    )
    assert named == _declared() - absent


def test_other_files_name_known_settings_only() -> None:
    """What the deployment and the doctor read is what a module declares."""
    files = [path for path in (ROOT / "infra").rglob("*") if path.suffix in {".bicep", ".json", ".py", ".kql", ".yaml"}]
    named = {name for path in files for name in re.findall(r"\b(?:Claims|AuthenticationEvents)__\w+", path.read_text())}
    asked = {*doctor._CLAIMS_OF.values(), *doctor._GRAPH_CLAIMS}
    assert (named | asked) <= _declared()


def test_context_measures_nothing_by_itself() -> None:
    """A provider may be tried with a context that has no record."""
    context = ProviderContext(remaining_s=lambda: 1.0)
    with context.phase("downstream_call"):
        context.cache_hit("anything", True)  # noqa: FBT003 (the two values of one line)

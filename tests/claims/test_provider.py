"""Choosing the provider."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from claims.errors import SettingsError
from claims.event import parse_event
from claims.provider import ProviderContext, load_provider
from tests.claims.site import good_event


async def test_sample_answers_as_the_how_to() -> None:
    """The four claims of Microsoft's how-to, the correlation id being the event's."""
    event = parse_event(json.dumps(good_event()).encode())
    claims = await load_provider("sample", {}).provide(event, ProviderContext(remaining_s=lambda: 1.0))
    assert claims == {
        "CorrelationId": event.context.correlation_id,
        "ApiVersion": "1.0.0",
        "DateOfBirth": "01/01/2000",
        "CustomRoles": ["Writer", "Editor"],
    }


def test_unknown_provider() -> None:
    """A name without a module is told as the setting that it came from."""
    with pytest.raises(SettingsError, match="Claims__Provider names 'nobody'"):
        load_provider("nobody", {})


def test_module_without_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is no provider is told so."""
    monkeypatch.setitem(sys.modules, "claims.providers.empty", ModuleType("empty"))
    with pytest.raises(SettingsError, match=r"has no create\(environ\)"):
        load_provider("empty", {})


def test_creation_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What create returns must be a provider."""
    module = ModuleType("odd")
    vars(module)["create"] = dict
    monkeypatch.setitem(sys.modules, "claims.providers.odd", module)
    with pytest.raises(SettingsError, match=r"has no provide\(event, context\)"):
        load_provider("odd", {})


def test_a_provider_s_own_missing_import_is_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module that imports what is not installed fails with that name, not as an unknown provider."""
    (tmp_path / "broken.py").write_text("import not_installed_anywhere\n")
    monkeypatch.setattr("claims.providers.__path__", [str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load_provider("broken", {})


def test_context_measures_nothing_by_itself() -> None:
    """A provider may be tried with a context that has no record."""
    context = ProviderContext(remaining_s=lambda: 1.0)
    with context.phase("downstream_call"):
        context.cache_hit("anything", True)  # noqa: FBT003 (the two values of one line)

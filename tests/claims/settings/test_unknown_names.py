"""Names that nobody reads: nearly right ones stop the start, others are one warning each."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.errors import SettingsError
from claims.providers import graph
from claims.settings.reader import _edits
from claims.settings.settings import PROVIDER, SETTINGS
from tests.claims.site import ENVIRON, settings


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder whose modules are the only providers."""
    monkeypatch.setattr("claims.providers.__path__", [str(tmp_path)])
    for name in [name for name in sys.modules if name.startswith("claims.providers.")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "sample.py").write_text("SETTINGS = ()\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Claims__Providr", "Claims__Provider"),
        ("Claims__Porvider", "Claims__Provider"),
        ("Claims__Providers", "Claims__Provider"),
        ("CLAIMS__PROVIDER", "Claims__Provider"),
        ("Claims_Provider", "Claims__Provider"),
        ("Claims:Provider", "Claims__Provider"),
        ("Claims___Provider", "Claims__Provider"),
        ("claims__budgetms", "Claims__BudgetMs"),
        ("AuthenticationEvents__AuthoritiUrls", "AuthenticationEvents__AuthorityUrl"),
        ("AuthenticationEvents:BypassTokenValidation", "AuthenticationEvents__BypassTokenValidation"),
        ("Claims__Graph__GroupClaim", "Claims__Graph__GroupsClaim"),
        ("Claims:Graph:GroupsClaim", "Claims__Graph__GroupsClaim"),
        ("Claims__ProfilApi__Uri", "Claims__ProfileApi__Url"),
    ],
)
def test_a_near_miss_stops_the_start(name: str, known: str) -> None:
    """Of a provider that is not configured, too: the default would answer in the place of what was meant."""
    with pytest.raises(SettingsError) as refused:
        settings(**{name: "mine"})
    assert refused.value.problems == (
        f"{name} is set, and no such setting is known: it must be {known}, or be removed",
    )


@pytest.mark.parametrize("name", ["Claims__Provdrs", "Claims__SharedState", "claims_port", "AuthenticationEvents__X"])
def test_any_other_name_is_a_warning(name: str) -> None:
    """A rollback may meet newer settings."""
    assert settings(**{name: "x"}).warnings == (f"{name} is set, and no such setting is known: it is ignored",)


@pytest.mark.parametrize("name", [*SETTINGS, *graph.SETTINGS, "ClaimsX", "CLAIM__Provider", "AZURE_CLIENT_ID", "PATH"])
def test_known_and_foreign_names_are_good(name: str) -> None:
    """Also the settings of a provider that is not configured."""
    values = {"Claims__AllowAdditionalCallers": "false", "AuthenticationEvents__BypassTokenValidation": "false"}
    number = {"Claims__BudgetMs", "Claims__StaleSeconds", "Claims__MaxConcurrent"}
    if name in ENVIRON or name not in SETTINGS:
        assert settings(**{name: ENVIRON.get(name, "x")}).warnings == ()
    else:
        value = values.get(name, "1000" if name in number else "")
        default = {"AuthenticationEvents__AuthorizedPartyAppId": ENVIRON["Claims__AllowedExtensionIds"]}
        assert settings(**{name: default.get(name, value)}).warnings == ()


def test_a_variable_without_case_is_one_variable() -> None:
    """On Windows, the environment lists every name in capitals and finds it in any case."""
    assert settings(**{"CLAIMS__PROVIDER": "sample", PROVIDER: "sample"}).warnings == ()
    with pytest.raises(SettingsError, match="CLAIMS__PROVIDER is set"):
        settings(**{"CLAIMS__PROVIDER": "mine", PROVIDER: "sample"})


def test_the_configured_provider_declares_its_names(folder: Path) -> None:
    """A copier's names are known as those of the built-in providers are, and nothing else is imported for them."""
    (folder / "mine.py").write_text('SETTINGS = ("Claims__Mine__Url", 1)\n')
    (folder / "other.py").write_text("import not_to_be_imported\n")
    made = settings(Claims__Provider="mine", Claims__Mine__Url="x")
    assert made.warnings == ()
    assert "claims.providers.other" not in sys.modules
    with pytest.raises(SettingsError, match="must be Claims__Mine__Url"):
        settings(Claims__Provider="mine", Claims__Mine__Uri="x")


@pytest.mark.parametrize(
    "code", ["import not_installed_anywhere", "raise SystemExit(3)", "SETTINGS = 7", "def (", "x = 1", "raise OSError"]
)
def test_a_module_that_declares_nothing_readable(folder: Path, code: str) -> None:
    """Another provider's fault is no reason to stop; a name that may be its own is not called unknown."""
    (folder / "a_broken.py").write_text(f"{code}\n")
    (folder / "mine.py").write_text('SETTINGS = ("Claims__Mine__Url",)\n')
    assert settings(Claims__Mine__Url="x").warnings == ()
    assert settings(Claims__Nobody="x").warnings == ()
    with pytest.raises(SettingsError, match="must be Claims__Mine__Url"):
        settings(Claims__Mine__Uri="x")


def test_no_module_is_imported_without_an_unknown_name(folder: Path) -> None:
    """The start's time is part of the first sign-in's budget."""
    (folder / "mine.py").write_text("raise AssertionError\n")
    settings()
    assert not {"claims.providers.mine", "claims.providers.sample"} & sys.modules.keys()


def _levenshtein(one: str, other: str) -> int:
    """The definition, without a table."""
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return _levenshtein(one[1:], other[1:])
    return 1 + min(_levenshtein(*pair) for pair in ((one[1:], other), (one, other[1:]), (one[1:], other[1:])))


@given(st.text("abC", max_size=6), st.text("abC", max_size=6))
def test_edits_are_levenshteins(one: str, other: str) -> None:
    """By the definition, as far as two edits; beyond that only 'more than two' matters."""
    expected = _levenshtein(one.lower(), other.lower())
    assert min(_edits(one, other), 3) == min(expected, 3)

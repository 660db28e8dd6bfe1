"""A setting that is nearly one that the app reads is named, with the right one."""

from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.play.misspelt_settings import nearest_setting, require_known
from tests.checkout import ROOT


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Claims__Providr", "Claims__Provider"),
        ("Claim__Provider", "Claims__Provider"),
        ("CLAIMS__PROVIDR", "Claims__Provider"),
        ("AuthenticationEvent__AuthorityUrl", "AuthenticationEvents__AuthorityUrl"),
        ("Claims__Graph__GroupClaim", "Claims__Graph__GroupsClaim"),
        ("Claims__Provider", None),
        ("AZURE_CLIENT_ID", None),
        ("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", None),
    ],
)
def test_nearest(name: str, nearest: str | None) -> None:
    """Names of the app and names of others are good."""
    assert nearest_setting(ROOT, name) == nearest


def test_a_name_that_resembles_none_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever sets it learns that it has no effect; names of other systems are not judged."""
    require_known(ROOT, ["Claims__Weather", "WEATHER"])
    assert capsys.readouterr().err == (
        "warning: --setting Claims__Weather: no file of the app names it, so it has no effect\n"
    )
    with pytest.raises(CannotRun, match="the nearest is Claims__BudgetMs"):
        require_known(ROOT, ["Claims__BudgetMS"])


def test_a_provider_of_the_owner_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What its file names is read; an app of another kind is not judged."""
    require_known(tmp_path, ["Claims__Mine__Url", "Claims__Providr"])
    assert capsys.readouterr().err == ""
    mine = tmp_path / "app" / "claims" / "providers" / "mine.py"
    mine.parent.mkdir(parents=True)
    mine.write_text('SETTINGS = ("Claims__Mine__Url",)\n')
    assert nearest_setting(tmp_path / "app", "Claims__Mine__Uri") == "Claims__Mine__Url"

"""The page of the two hosts is what its tables say."""

from tests.checkout import ROOT
from tests.parity.differences import DIFFERENCES
from tests.parity.page import page
from tests.parity.probes import PROBES


def test_page_is_made_from_the_tables() -> None:
    """Otherwise: make docs."""
    assert (ROOT / "docs" / "host.md").read_text() == page()


def test_table_names_probes_of_its_row() -> None:
    """A difference is one of a probe that is played, of the row that the probe covers, and stands there once."""
    rows = {probe.name: probe.row for probe in PROBES}
    assert len(rows) == len(PROBES)
    named = [(name, difference.row) for difference in DIFFERENCES for name in difference.probes]
    assert len({name for name, _ in named}) == len(named)
    assert all(rows[name] == row for name, row in named)

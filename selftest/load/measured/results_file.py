"""Reads the results of a run from its results file or its raw file."""

from pathlib import Path

from selftest.load.measured.raw_file import looks_raw, read_raw
from selftest.report.document import ReportError
from selftest.report.results import Results
from selftest.report.stored import read_stored


def read_results(path: Path) -> Results:
    """Return the results from a results file or a raw file.

    Raises:
        ReportError: The file cannot be read or is neither of them.
    """
    try:
        return read_raw(path) if looks_raw(path) else read_stored(path)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error

"""The results of a run from either of the files that keep them: the results file, or the raw file of a load run."""

from pathlib import Path

from selftest.load.measured.raw_file import looks_raw, read_raw
from selftest.report.document import ReportError
from selftest.report.results import Results
from selftest.report.stored import read_stored


def read_results(path: Path) -> Results:
    """Read a results file, or make the results again from a raw file.

    Raises:
        ReportError: There is no such file, or it holds something else.
    """
    try:
        return read_raw(path) if looks_raw(path) else read_stored(path)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error

"""Numbers for people."""

import pytest

from selftest.report.units import count, kilobytes, milliseconds, per_second, percent, seconds, share


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (count(1200), "1,200"),
        (milliseconds(0), "0 ms"),
        (milliseconds(0.04), "0.04 ms"),
        (milliseconds(9.96), "10.0 ms"),
        (share(0), "0.0 %"),
        (share(0.00008), "under 0.1 %"),
        (share(0.783), "78.3 %"),
        (milliseconds(412.4), "412 ms"),
        (milliseconds(2000), "2,000 ms"),
        (seconds(5), "5 s"),
        (seconds(81.3), "81.3 s"),
        (seconds(1800), "30 min"),
        (seconds(86_400), "24 h"),
        (percent(0), "0 %"),
        (percent(0.0039), "0.39 %"),
        (percent(0.01), "1 %"),
        (percent(0.714), "71.4 %"),
        (percent(0.99), "99 %"),
        (percent(0.999), "99.9 %"),
        (percent(1), "100 %"),
        (per_second(20), "20/s"),
        (per_second(19.98), "19.98/s"),
        (per_second(5000), "5,000/s"),
        (kilobytes(102_400), "100.0 MiB"),
    ],
)
def test_a_number_is_written_with_the_digits_that_count(written: str, expected: str) -> None:
    """The unit stands beside it, thousands have their comma."""
    assert written == expected

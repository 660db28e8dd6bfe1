"""The verdict and the file: exit codes, round trip, and a clear answer to every bad file."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selftest.judge.app_line import AppLine
from selftest.load.measured.results_file import read_results
from selftest.report.results import CheckResult, Results, SignInResult
from selftest.report.stored import SCHEMA_PATH, ReportError, dump, parse, write_results
from tests.selftest.report.sample import EVERYTHING, check, results, signin

SCHEMA = json.loads(SCHEMA_PATH.read_text())


def attack(check_id: str, level: str = "security") -> CheckResult:
    """Return an attack that was refused."""
    return check(check_id, level=level, let_in=False)


@pytest.mark.parametrize(
    ("run", "exit_code", "words"),
    [
        (results(check("C01")), 0, "PASS  1 check passed"),
        (results(check("C01"), check("C02", "fail")), 1, "FAIL  1 sign-in check failed, 1 check passed"),
        (results(check("C01"), check("C02", "error")), 1, "FAIL"),
        (
            results(check("C01"), check("C10", "fail", level="hardening")),
            0,
            "PASS  1 hardening check failed, 1 check passed",
        ),
        (results(check("C01"), check("C10", "fail", level="hardening"), strict=True), 1, "FAIL"),
        (
            results(check("C01"), check("T01", "fail", level="security", let_in=True), attack("T02")),
            1,
            "FAIL  anybody gets claims: 1 of 2 token attacks (level security; --strict counts every level) were let in",
        ),
        (
            results(attack("T01"), attack("T99", "hardening")),
            0,
            "0 of 1 token attacks (level security; --strict counts every level)",
        ),
        (
            results(check("C01"), attack("T01"), attack("T99", "hardening"), attack("B01"), strict=True),
            0,
            "PASS  0 of 3 token and body attacks (every level) were let in, 4 checks passed",
        ),
        (results(check("C01"), check("C10", "fail", level="convention"), strict=True), 1, "1 convention check failed"),
        (results(check("C01"), check("T01", "fail", waiver="known")), 0, "PASS  1 check passed, 1 waived"),
        (results(check("C01"), check("T01", "fail", waiver="known"), strict=True), 0, "PASS"),
        (results(check("C01", "skip")), 3, "INCONCLUSIVE"),
        (
            results(check("C91", "fail", level="convention")),
            3,
            "INCONCLUSIVE  1 convention check failed, 0 checks passed; nothing passed",
        ),
        (
            results(check("C01", "fail", actual="HTTP 404: no endpoint answers POST at this path")),
            1,
            "FAIL  no endpoint answers POST at this path: 1 sign-in check failed, 0 checks passed",
        ),
        (results(), 3, "INCONCLUSIVE"),
        (results(check("C01"), check("C02", "skip")), 0, "PASS  1 check passed, 1 skipped"),
        (results(check("C01"), signins=(signin(),)), 0, "1 of 1 sign-ins got a token"),
        (results(check("C01"), signins=(signin(1003005),)), 1, "0 of 1 sign-ins got a token"),
        (results(check("C01"), interrupted=True), 130, "INTERRUPTED"),
    ],
)
def test_the_verdict_follows_from_the_results(run: Results, exit_code: int, words: str) -> None:
    """Sign-in and security decide, the other levels only in a strict run, and nothing proved is no pass."""
    assert run.verdict.exit_code == exit_code
    assert words in run.verdict.sentence


def test_the_file_fits_its_schema() -> None:
    """What is written is what the published schema describes."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(dump(EVERYTHING)))


def test_the_schema_names_every_member() -> None:
    """A member that is added to the results must be added to the schema."""
    assert set(SCHEMA["properties"]) == set(EVERYTHING.as_json())
    defined = SCHEMA["$defs"]
    assert set(defined["check"]["properties"]) == set(CheckResult.__dataclass_fields__)
    assert set(defined["signin"]["properties"]) == set(SignInResult.__dataclass_fields__)
    assert set(defined["app_lines"]["items"]["properties"]) == set(AppLine.__dataclass_fields__)


def test_every_number_carries_its_unit() -> None:
    """Whoever reads a number knows what it counts; codes and counts say so themselves."""
    numbers = [
        name
        for part in (SCHEMA, *SCHEMA["$defs"].values())
        for name, member in part.get("properties", {}).items()
        if "number" in json.dumps(member.get("type", ""))
    ]
    shares = {"confidence"}
    assert numbers
    assert all(name.endswith(("_s", "_ms", "_per_hour")) for name in set(numbers) - shares)


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    """A round trip through the file changes nothing and leaves no other file."""
    path = tmp_path / "results.json"
    write_results(path, EVERYTHING)
    assert read_results(path) == EVERYTHING
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def changed(**members: object) -> bytes:
    """Write the sample with members changed."""
    return json.dumps({**EVERYTHING.as_json(), **members}).encode()


def first_check(**members: object) -> bytes:
    """Write the sample with its first check changed."""
    document: dict[str, Any] = EVERYTHING.as_json()
    document["checks"][0] |= members
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "expected type object"),
        (b"{}", "is a required property"),
        (changed(schema_version="1.1"), "schema_version is '1.1', this version reads"),
        (changed(schema_version=None), r"schema_version"),
        (changed(extra=1), "extra"),
        (changed(duration_s=-1), r"\$\.duration_s"),
        (changed(duration_s=1e400), "not JSON"),
        (changed(checks=[1]), r"\$\.checks\[0\]"),
        (first_check(status="fine"), r"\$\.checks\[0\]\.status: 'fine' is not one of"),
        (first_check(latency_ms="1"), r"\$\.checks\[0\]\.latency_ms"),
        (first_check(id="../x"), r"\$\.checks\[0\]\.id"),
    ],
)
def test_a_bad_file_is_refused_by_the_place_of_its_fault(data: bytes, message: str) -> None:
    """Whatever the bytes are, the answer is a sentence that says where and what."""
    with pytest.raises(ReportError, match=message):
        parse(data)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The message holds the path and the system's reason."""
    with pytest.raises(ReportError, match=r"missing\.json cannot be read: No such file"):
        read_results(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ReportError, match=r"bad\.json: not JSON"):
        read_results(tmp_path / "bad.json")

"""The ``judge`` command: a reply from a file or a pipe, the verdict as JSON, and the exit code."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.cli import main, parser
from selftest.judge.verdict import MAX_RESPONSE_BYTES

POLICY = {"ClaimsMappingPolicy": {"ClaimsSchema": [{"Source": "CustomClaimsProvider", "ID": "b", "JwtClaimType": "b"}]}}


def body(claims: object) -> bytes:
    """Write the documented reply around these claims."""
    action = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": claims}
    return json.dumps({"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [action]}}).encode()


def parse(*words: str) -> argparse.Namespace:
    """Parse a command line as the program does."""
    return parser().parse_args(["judge", *words])


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Run the command and read what it printed."""
    code = main(["judge", *words])
    return code, json.loads(capsys.readouterr().out)


def test_good_reply_is_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reply that mints has a null code and exit code 0."""
    file = tmp_path / "reply.json"
    file.write_bytes(body({"a": "b"}))
    words = ("--status", "200", "--content-type", "application/json", "--body", str(file))
    code, verdict = run(capsys, *words)

    assert code == 0
    assert (verdict["code"], verdict["minted"], verdict["warnings"]) == (None, True, [])


def test_refused_reply_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reply that mints nothing has its code and exit code 1."""
    file = tmp_path / "reply.json"
    file.write_bytes(body(None))

    code, verdict = run(capsys, "--body", str(file))

    assert (code, verdict["code"], verdict["name"]) == (1, 1003007, "CustomExtensionNullClaimsResponse")


def test_body_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A dash reads standard input, byte for byte."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + body({"a": "b"}))))

    code, verdict = run(capsys, "--body", "-")

    assert (code, [warning["kind"] for warning in verdict["warnings"]]) == (0, ["byte-order-mark"])


def test_failure_needs_no_body(capsys: pytest.CaptureFixture[str]) -> None:
    """What never came can be judged too."""
    code, verdict = run(capsys, "--failure", "timeout")

    assert (code, verdict["code"]) == (1, 1003005)


def test_status_and_content_type_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head of the reply comes from the command line, and an empty type means that there was none."""
    file = tmp_path / "reply.json"
    file.write_bytes(body({"a": "b"}))

    assert run(capsys, "--body", str(file), "--status", "201")[1]["code"] == 1003002
    assert run(capsys, "--body", str(file), "--content-type", "")[1]["code"] == 1003006


def test_registered_and_mapping_add_their_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the extension and the policy of the app are compared with the reply."""
    file, policy = tmp_path / "reply.json", tmp_path / "policy.json"
    file.write_bytes(body({"a": "x", "B": "y"}))
    policy.write_text(json.dumps(POLICY))

    code, verdict = run(capsys, "--body", str(file), "--registered", " a, ,c", "--mapping", str(policy))

    assert code == 0
    assert [(warning["kind"], warning["claim"]) for warning in verdict["warnings"]] == [
        ("unmapped-claim", "a"),
        ("wrong-case", "B"),
        ("not-registered", "B"),
    ]


def test_one_line_form_is_the_same_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the verdict stands on one line."""
    file = tmp_path / "reply.json"
    file.write_bytes(body({"a": 1}))

    assert main(["judge", "--body", str(file), "--json"]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line) == run(capsys, "--body", str(file))[1]


def test_body_larger_than_the_bound_is_still_seen_as_larger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is read just far enough to know that it is too large."""
    file = tmp_path / "reply.json"
    file.write_bytes(b"[" + b" " * MAX_RESPONSE_BYTES * 2)

    assert run(capsys, "--body", str(file))[1]["code"] == 1003024


@pytest.mark.parametrize(
    ("reply", "policy", "message"),
    [
        ("missing.json", None, "cannot be read"),
        (".", None, "cannot be read"),
        ("nul\0.json", None, "nul"),
        ("reply.json", "missing.json", "cannot be read"),
        ("reply.json", "reply.json", "is not a claims mapping policy: ClaimsMappingPolicy should be a member"),
    ],
)
def test_file_that_cannot_be_used_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reply: str, policy: str | None, message: str
) -> None:
    """One line on stderr names the file and the reason, and nothing is judged."""
    (tmp_path / "reply.json").write_bytes(body({"a": "b"}))
    mapping = [] if policy is None else ["--mapping", str(tmp_path / policy)]

    assert main(["judge", "--body", str(tmp_path / reply), *mapping]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


@pytest.mark.parametrize(
    "words", [("--body", "x", "--failure", "timeout"), ("--failure", "late"), ("--body", "x", "--status", "ok")]
)
def test_usage_error_is_exit_code_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that cannot be meant is refused by the parser."""
    with pytest.raises(SystemExit) as caught:
        parse(*words)

    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_nothing_to_judge_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """A policy alone is no reply."""
    assert main(["judge", "--mapping", "policy.json"]) == 2
    assert "there is no reply to judge: give --body FILE" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_another_file_keeps_its_verdict_and_is_named(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the warnings, and on stderr for people."""
    file = tmp_path / "signins.json"
    file.write_text(json.dumps({"value": [{"appliedEventListeners": []}]}))
    assert main(["judge", "--body", str(file), *words]) == 1
    out, err = capsys.readouterr()
    verdict = json.loads(out)
    assert (verdict["code"], [each["kind"] for each in verdict["warnings"]]) == (1003003, ["other-file"])
    assert "looks like a sign-in log" in verdict["warnings"][0]["message"]
    assert ("judge: the file looks like a sign-in log" in err) == (not words)


def test_policy_of_the_other_format_leads_with_the_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What keeps the claims out comes before what may be meant, and the assumed format is named as assumed."""
    file, policy = tmp_path / "reply.json", tmp_path / "policy.json"
    file.write_bytes(body({"b": "x"}))
    schema = [{"Source": "CustomClaimsProvider", "ID": name, "SamlClaimType": name} for name in ("a", "b")]
    policy.write_text(json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": schema}}))
    words = ("--body", str(file), "--mapping", str(policy))

    code, verdict = run(capsys, *words)
    assert code == 0
    assert verdict["reason"].endswith("; a JSON Web Token gets none of them")
    assert [each["kind"] for each in verdict["warnings"]] == [
        "wrong-protocol",
        "wrong-protocol",
        "format-assumed",
        "not-returned",
    ]
    _, verdict = run(capsys, *words, "--saml")
    assert [each["kind"] for each in verdict["warnings"]] == ["not-returned"]
    assert "none of them" not in verdict["reason"]

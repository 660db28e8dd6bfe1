"""The table of codes: complete, told in words, shown by samples that are right, open about its gaps and conflicts."""

import base64
import datetime as dt
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from selftest.checks import REGISTRY
from selftest.judge.codes import CODES, Code, CodePhase, ObjectPair, ReplyPair, ReplySample, code_in_log
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import Verdict, judge
from selftest.tenant.doctor.evidence.graph_model import read_model
from selftest.tenant.doctor.evidence.key_credential import KeyCredential
from tests.checkout import ROOT

NUMBERS = range(1003000, 1003028)
LETTERED = (
    "AADSTS1100001",
    "AADSTS1100000",
    "AADSTS50146",
    "AADSTS501461",
    "AADSTS50105",
    "AADSTS7000112",
    "AADB2C90063",
)
#: Nothing that a reply or an object says: a rate, and a list of Microsoft's own.
WITHOUT_SAMPLE = {1003004, 1003023}
PLACEHOLDER = re.compile(r"\b(todo|tbd|fixme|xxx|lorem|n/a|see above)\b", re.IGNORECASE)
ENTRIES = list(CODES.values())


def test_every_documented_code_is_there_in_order() -> None:
    """The table runs from 1003000 to 1003027 without a hole, then the codes that users see."""
    assert list(CODES)[: len(NUMBERS) + len(LETTERED)] == [*NUMBERS, *LETTERED]
    assert all(key == entry.code for key, entry in CODES.items())


def test_every_number_of_the_emulated_sign_in_is_explained() -> None:
    """What an app meets here, `explain` knows; and it knows no other number of that kind."""
    folders = (ROOT / "selftest" / "entra", ROOT / "selftest" / "signin")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".toml"}]
    used = {number for path in files for number in re.findall(r"aadsts ?=? ?(\d{4,8})\b", path.read_text())}
    known = list(CODES)[len(NUMBERS) + len(LETTERED) :]
    assert len(used) > 30
    assert {f"AADSTS{number}" for number in used} <= {str(code) for code in CODES}
    assert set(known) <= {f"AADSTS{number}" for number in used}


def test_steps_of_a_signing_key_run(tmp_path: Path) -> None:
    """The commands that make the key are run as printed, and what they make is a valid signing key to the doctor."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl was not found")
    text = "\n".join(CODES["AADSTS50146"].steps)
    make = text[text.index("openssl req") : text.index("az rest --method PATCH", text.index("body.json"))]
    for placeholder, value in {
        "<password>": "p ass",
        "<start as 2026-01-01T00:00:00Z>": "2026-01-01T00:00:00Z",
        "<end>": "2090-01-01T00:00:00Z",
    }.items():
        assert placeholder in make
        make = make.replace(placeholder, value)
    done = subprocess.run(["sh", "-e", "-c", make], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("notBefore=20")
    body = json.loads((tmp_path / "body.json").read_text())
    sign, verify = (read_model(KeyCredential, one, "a key") for one in body["keyCredentials"])
    assert (sign.signs, verify.signs) == (True, False)
    assert sign.state(dt.datetime.now(dt.UTC)) == "valid"
    assert body["passwordCredentials"][0]["keyId"] == sign.key_id
    assert load_pkcs12(base64.b64decode(body["keyCredentials"][0]["key"]), b"p ass").key is not None


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_every_text_says_something(entry: Code) -> None:
    """No text is empty, padded or a placeholder, and every cause is its own."""
    texts = (entry.name, entry.meaning, entry.confirm, entry.fix, entry.source, entry.seen, entry.conflict)
    written = [text for text in (*texts, *entry.cause, *entry.commands) if text is not None]

    assert entry.cause
    assert len(set(entry.cause)) == len(entry.cause)
    for text in written:
        assert text == text.strip()
        assert len(text) > 3
        assert not PLACEHOLDER.search(text)


@pytest.mark.parametrize("name", ["meaning", "confirm", "fix", "cause"])
def test_no_two_codes_share_a_text(name: str) -> None:
    """A text copied from a neighbor would explain the wrong code."""
    texts = [getattr(entry, name) for entry in ENTRIES]

    assert len(set(texts)) == len(texts)


def test_names_are_told_apart() -> None:
    """Each code has a name of its own, and the documented ones are one word."""
    names = [CODES[number].name for number in NUMBERS if number != 1003013]

    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.startswith(("CustomExtension", "EventHandler")) for name in names)


def test_every_phase_is_used() -> None:
    """The three phases are those of the type, and each has codes."""
    assert {entry.phase for entry in ENTRIES} == set(get_args(CodePhase.__value__))


def test_code_before_the_call_says_that_no_request_came() -> None:
    """Where Entra never calls, the way to tell is that nobody was called."""
    for entry in ENTRIES:
        if entry.phase == "before the call":
            assert "0 attempts" in entry.confirm


def test_gap_is_told_as_a_gap() -> None:
    """1003013 is in no table: the entry says so and invents no name."""
    gap = CODES[1003013]

    assert gap.name == "(not documented)"
    assert "gap" in gap.meaning


@pytest.mark.parametrize(
    "code",
    [
        "AADSTS1100001",
        "AADSTS1100000",
        "AADB2C90063",
        1003002,
        1003004,
        1003005,
        1003011,
        1003012,
        1003017,
        1003018,
        1003019,
        1003021,
        1003024,
        1003025,
        1003027,
    ],
)
def test_disagreement_between_sources_is_told(code: int | str) -> None:
    """Where the sources differ or are silent on a number, the entry says so."""
    assert CODES[code].conflict


@pytest.mark.parametrize(
    "code", [1003002, 1003004, 1003005, 1003011, 1003012, 1003017, 1003018, 1003019, 1003021, 1003027]
)
def test_documented_conflict_comes_with_what_to_try(code: int) -> None:
    """Two sources that contradict each other leave the reader with something to do."""
    assert re.search(r"\bTry\b", CODES[code].conflict or "")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_related_checks_are_groups_or_ids(entry: Code) -> None:
    """Each relation is something that `check` or `doctor` can select; a check's id is one that exists."""
    for name in entry.related:
        assert name[0] in "CTBFLID"
        assert name[1:] == "" or (name[1:].isdigit() and (name in REGISTRY or name[0] in "LD"))


def verdict_on(sample: ReplySample) -> Verdict:
    """Judge a sample as it is on the wire."""
    return judge(
        ReceivedReply(
            status=sample.status, content_type=sample.content_type, body=sample.body_bytes(), failure=sample.failure
        )
    )


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.phase == "during the call"], ids=lambda entry: str(entry.code)
)
def test_bad_reply_gets_this_code_and_the_good_one_a_token(entry: Code) -> None:
    """Every code of the call is shown by a reply that gets it and no other, beside one without fault or warning."""
    assert isinstance(entry.pair, ReplyPair)
    assert verdict_on(entry.pair.bad).code == entry.code
    good = verdict_on(entry.pair.good)
    assert (good.minted, good.warnings) == (True, ())


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.phase == "before the call"], ids=lambda entry: str(entry.code)
)
def test_code_before_the_call_shows_the_object_at_fault(entry: Code) -> None:
    """Every code of the configuration is shown by members of a Graph object; what differs is all that is shown."""
    if entry.code in WITHOUT_SAMPLE:
        assert entry.pair is None
        return
    assert isinstance(entry.pair, ObjectPair)
    assert entry.pair.bad != entry.pair.good
    assert entry.pair.bad is None or set(entry.pair.bad) == set(entry.pair.good)


def test_sample_shows_what_it_is() -> None:
    """A body of any size is short on the page and whole on the wire; a missing body and reply say so."""
    sample = ReplySample(content_type=None, body="<3073 x a>")

    assert (sample.lines(), sample.body_bytes()) == (("HTTP/1.1 200", "", "<3073 x a>"), b"a" * 3073)
    assert ReplySample().lines()[-1] == "(no body)"
    assert "timeoutInMilliseconds" in ReplySample(failure="timeout").lines()[0]


@pytest.mark.parametrize(
    ("number", "code"), [(1003005, 1003005), (1100001, "AADSTS1100001"), (50105, "AADSTS50105"), (50126, None)]
)
def test_number_of_a_log_finds_its_entry(number: int, code: int | str | None) -> None:
    """A log writes AADSTS codes as numbers."""
    found = code_in_log(number)
    assert (None if found is None else found.code) == code

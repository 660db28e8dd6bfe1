"""Every file that people save is read alike, and a file that cannot be read is named with the reason."""

import io
from pathlib import Path

import jwt
import pytest

from selftest.base.bounded_file import FileError, read_text
from selftest.cli import main
from selftest.signin.tenant.file import read_tenant_file
from selftest.tenant.direct_call.token_text import decode
from tests.checkout import ROOT

TEXT = '{"Name": "Zoë"}\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_is_read_as_people_save_it(encoding: str, tmp_path: Path) -> None:
    """With a byte order mark or without."""
    path = tmp_path / "saved"
    path.write_bytes(TEXT.encode(encoding))
    assert read_text(path, 100) == TEXT


def test_big_endian_with_a_mark(tmp_path: Path) -> None:
    """As some editors save it."""
    path = tmp_path / "saved"
    path.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert read_text(path, 100) == TEXT


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the path is the text of a dash; a path with that name is a file."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode("utf-16"))))
    assert read_text("-", 100) == TEXT
    with pytest.raises(FileError, match="cannot be read"):
        read_text(Path("-absent-"), 100)


@pytest.mark.parametrize(
    ("data", "limit", "reason"),
    [
        (b"", 9, "is empty"),
        (b"\xff\xfe \x00", 9, "is empty"),
        (b"\xff", 9, "is not UTF-8 \\(byte 0\\)"),
        (b"\xff\xfea", 9, "is not UTF-16-LE \\(byte 2\\)"),
        (b"\x7fELF\x00", 9, "is binary data"),
        (b"PK\x03\x04", 9, "is a workbook or an archive"),
        (b"\x1f\x8b", 9, "is compressed"),
        (b"x" * 10, 9, "has more than 9 bytes; is it the right file"),
        (b"x" * 1025, 1024, "has more than 1 KiB; "),
        (b"x" * (2**20 + 1), 2**20, "has more than 1 MiB; "),
    ],
)
def test_other_files_are_refused(data: bytes, limit: int, reason: str, tmp_path: Path) -> None:
    """The message names the file and the reason."""
    path = tmp_path / "saved"
    path.write_bytes(data)
    with pytest.raises(FileError, match=reason) as caught:
        read_text(path, limit)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "words",
    [
        ("doctor", "--file"),
        ("compare-callout",),
        ("judge", "--failure", "timeout", "--mapping"),
        ("signin-log", "--file"),
        ("token", "--token-file"),
    ],
)
def test_no_command_refuses_utf_16(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with this file is its content."""
    path = tmp_path / "saved"
    path.write_bytes("[1]".encode("utf-16"))
    assert main([*words, str(path)]) == 2
    assert "UTF" not in capsys.readouterr().err


def test_token_is_read_as_powershell_saves_it() -> None:
    """`... > token.txt` there."""
    token = jwt.encode({"aud": "x"}, "k" * 32)
    assert decode(f"{token}\r\n".encode("utf-16")).claims == {"aud": "x"}


def test_tenant_file_is_read_as_editors_save_it(tmp_path: Path) -> None:
    """With a byte order mark, which TOML does not have."""
    path = tmp_path / "tenant.toml"
    path.write_text((ROOT / "selftest" / "signin" / "tenant" / "sample.toml").read_text(), "utf-8-sig")
    assert read_tenant_file(path).apps

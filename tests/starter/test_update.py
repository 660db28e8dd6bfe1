"""What an update does to each file, and that an interruption loses nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.base.program import LOCAL, MANIFEST
from selftest.cli import main
from selftest.commands.starter import new, update
from selftest.starter import writing
from selftest.starter.answers import Answers
from selftest.starter.comparison import FileAction, FileChange, compare
from selftest.starter.contents import Contents
from selftest.starter.manifest import Manifest, file_hash, provider_warning, version_warning
from selftest.starter.writing import apply, read_file, write_new

OLD, NEW, MINE = b"old\n", b"new\n", b"mine\n"


@pytest.mark.parametrize(
    ("delivered", "current", "wanted", "action"),
    [
        (OLD, OLD, NEW, FileAction.REPLACE),
        (OLD, NEW, NEW, FileAction.NOTHING),
        (OLD, OLD, OLD, FileAction.NOTHING),
        (OLD, MINE, OLD, FileAction.KEEP_CHANGED),
        (OLD, MINE, NEW, FileAction.CONFLICT),
        (OLD, None, NEW, FileAction.LEAVE_REMOVED),
        (OLD, None, OLD, FileAction.LEAVE_REMOVED),
        (OLD, OLD, None, FileAction.REMOVE),
        (OLD, MINE, None, FileAction.KEEP_DROPPED),
        (OLD, None, None, FileAction.NOTHING),
        (None, None, NEW, FileAction.ADD),
        (None, NEW, NEW, FileAction.NOTHING),
        (None, MINE, NEW, FileAction.CONFLICT),
        (OLD, b"old\r\n", NEW, FileAction.REPLACE),  # Git may check text out with CRLF
        (b"\0\r\n", b"\0\n", NEW, FileAction.CONFLICT),  # but not what is no text
    ],
)
def test_each_case(delivered: bytes | None, current: bytes | None, wanted: bytes | None, action: FileAction) -> None:
    """Three contents decide: as delivered, as it is, as the new version has it."""
    hashes = {} if delivered is None else {"f": file_hash(delivered)}
    new_files = {} if wanted is None else {"f": wanted}
    contents = {} if current is None else {"f": current}
    assert list(compare(hashes, new_files, contents.get)) == [FileChange("f", action, wanted)]


def test_conflict_that_is_not_settled_is_named_again() -> None:
    """As long as the new version is next to the file; afterwards the file is the copier's."""
    hashes, files = {"f": file_hash(NEW)}, {"f": MINE, "f.new": NEW}
    (change,) = compare(hashes, {"f": NEW}, files.get)
    assert change.action is FileAction.CONFLICT
    del files["f.new"]
    (change,) = compare(hashes, {"f": NEW}, files.get)
    assert change.action is FileAction.KEEP_CHANGED


@dataclass
class Releases:
    """Two versions of a small starter, which `new` and `update` deliver in place of the real one."""

    monkeypatch: pytest.MonkeyPatch

    def deliver(self, version: str, managed: Mapping[str, bytes]) -> None:
        """Let the commands be of this version."""
        copiers = {"provider.py": f"as in {version}\n".encode()}
        for command in (new, update):
            self.monkeypatch.setattr(command, "__version__", version)
            self.monkeypatch.setattr(command, "tool_wheel", lambda _path: ("tool.whl", b""))
            self.monkeypatch.setattr(command, "contents", lambda _answers, _wheel: Contents(dict(managed), copiers))


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> Releases:
    """Return the releases that the commands deliver."""
    return Releases(monkeypatch)


def files_of(directory: Path) -> dict[str, bytes]:
    """Return every file but the manifest."""
    found = [path for path in directory.rglob("*") if path.is_file() and path.name != MANIFEST]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def test_update_from_one_version_to_the_next(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unchanged files are replaced, added and removed; the copier's stay; a conflict is named and left alone."""
    copy = tmp_path / "contoso"
    releases.deliver("0.2.0", {"claims/a.py": OLD, "claims/b.py": OLD, "gone.py": OLD, "infra/x.bicep": OLD})
    assert main(["new", str(copy)]) == 0
    (copy / "claims/b.py").write_bytes(MINE)
    (copy / "provider.py").write_bytes(MINE)
    before = files_of(copy)
    releases.deliver("0.3.0", {"claims/a.py": NEW, "claims/b.py": NEW, "claims/c.py": NEW, "infra/x.bicep": OLD})
    capsys.readouterr()

    assert main(["update", str(copy), "--dry-run"]) == 1
    assert files_of(copy) == before
    assert capsys.readouterr().out.splitlines()[-2].startswith("would update 0.2.0 to 0.3.0: 1 added, 1 replaced")

    assert main(["update", str(copy)]) == 1
    assert "CONFLICT   claims/b.py" in capsys.readouterr().out
    assert files_of(copy) == {
        "claims/a.py": NEW,
        "claims/b.py": MINE,
        "claims/b.py.new": NEW,
        "claims/c.py": NEW,
        "infra/x.bicep": OLD,
        "provider.py": MINE,
    }
    (copy / "claims/b.py.new").unlink()
    assert main(["update", str(copy)]) == 0
    assert "yours      claims/b.py" in capsys.readouterr().out


@pytest.mark.parametrize("writes", range(5))
def test_update_that_is_interrupted_can_be_repeated(
    writes: int, releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it ends: each file is the old one or the new one, and the second run brings all of them."""
    copy = tmp_path / "contoso"
    names = [f"claims/{letter}.py" for letter in "abcd"]
    releases.deliver("0.2.0", dict.fromkeys(names, OLD))
    assert main(["new", str(copy)]) == 0
    releases.deliver("0.3.0", dict.fromkeys(names, NEW))
    left = iter(range(writes))
    replace = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    assert main(["update", str(copy)]) == 130
    monkeypatch.setattr(Path, "replace", replace)
    found = files_of(copy)
    assert found == {"provider.py": b"as in 0.2.0\n"} | {
        name: NEW if number < writes else OLD for number, name in enumerate(names)
    }
    assert Manifest.read(copy).version == "0.2.0"
    assert main(["update", str(copy)]) == 0
    assert files_of(copy) == {"provider.py": b"as in 0.2.0\n", **dict.fromkeys(names, NEW)}
    assert Manifest.read(copy).version == "0.3.0"


def test_a_tool_that_is_not_newer_says_so(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It still brings back what was deleted."""
    releases.deliver("0.3.0", {"a": OLD})
    assert main(["new", str(tmp_path / "contoso")]) == 0
    assert main(["update", str(tmp_path / "contoso")]) == 0
    assert "this tool is not newer than the copy" in capsys.readouterr().out
    releases.deliver("0.3.1", {"a": NEW})
    assert main(["update", str(tmp_path / "contoso")]) == 0
    assert "not newer" not in capsys.readouterr().out


def test_older_tool_refuses_a_newer_copy(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would bring old files back."""
    releases.deliver("0.3.0", {"a": OLD})
    assert main(["new", str(tmp_path / "contoso")]) == 0
    releases.deliver("0.2.9", {"a": NEW})
    assert main(["update", str(tmp_path / "contoso")]) == 2
    assert "an older tool does not update a newer copy" in capsys.readouterr().err
    assert (tmp_path / "contoso/a").read_bytes() == OLD


@pytest.mark.parametrize(
    ("tool", "warned"), [("0.3.0", False), ("0.3.7", False), ("0.2.9", True), ("0.4.0", True), ("1.3.0", True)]
)
def test_tool_and_endpoint_belong_together(tool: str, warned: bool, releases: Releases, tmp_path: Path) -> None:  # noqa: FBT001 (a column)
    """The same major and minor version; a folder without a manifest has no version."""
    releases.deliver("0.3.1", {"a": OLD})
    assert main(["new", str(tmp_path / "contoso")]) == 0
    assert (version_warning(tmp_path / "contoso", tool) is not None) == warned
    assert version_warning(tmp_path, tool) is None


def test_a_copy_whose_own_provider_does_not_answer(releases: Releases, tmp_path: Path) -> None:
    """Its provider is named, and how it is called; a folder without one answers as it always did."""
    releases.deliver("0.3.1", {"a": OLD})
    copy = tmp_path / "contoso"
    assert provider_warning(tmp_path) is None
    assert main(["new", str(copy)]) == 0
    assert provider_warning(copy) is None
    (copy / "claims/providers").mkdir(parents=True)
    (copy / "claims/providers/contoso.py").touch()
    warning = provider_warning(copy)
    assert warning is not None
    for part in ("sample answers", "claims/providers/contoso.py", LOCAL, "--setting Claims__Provider=contoso"):
        assert part in warning


def test_command_warns_of_an_app_of_another_version(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command that starts an app says so, and goes on: here to an app that does not start."""
    releases.deliver("99.0.0", {"function_app.py": b"raise SystemExit\n", "host.json": b"{}"})
    assert main(["new", str(tmp_path / "contoso")]) == 0
    assert main(["signin", "--app", str(tmp_path / "contoso")]) == 2
    (warning, *rest) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: the endpoint has version 99.0.0 and this tool ")
    assert rest


def test_new_leaves_a_folder_alone_that_is_not_empty(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty Git repository is as good as an empty folder."""
    releases.deliver("0.2.0", {"a": OLD})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_bytes(MINE)
    assert main(["new", str(tmp_path / "full")]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert files_of(tmp_path / "full") == {"mine": MINE}
    (tmp_path / "fresh/.git").mkdir(parents=True)
    assert main(["new", str(tmp_path / "fresh")]) == 0


def test_new_that_fails_leaves_nothing(releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, or Ctrl-C."""
    releases.deliver("0.2.0", {"a": OLD, "b/c": OLD})

    def write_one(directory: Path, path: str, content: bytes) -> None:
        if path == "b/c":
            raise OSError(28, "No space left on device")
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)

    monkeypatch.setattr(writing, "_write", write_one)
    assert main(["new", str(tmp_path / "contoso")]) == 2
    assert not (tmp_path / "contoso").exists()


def test_links_do_not_lead_out_of_the_copy(tmp_path: Path) -> None:
    """Neither a link in the copy nor a path in its manifest."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_bytes(MINE)
    copy = tmp_path / "copy"
    manifest = Manifest(version="0.2.0", answers=Answers(name="contoso"), hashes={"claims/a.py": file_hash(MINE)})
    write_new(copy, {}, manifest)
    (copy / "claims").symlink_to(outside)
    with pytest.raises(CannotRun, match="leads out"):
        read_file(copy, "claims/a.py")
    with pytest.raises(CannotRun, match="leads out"):
        apply(copy, [FileChange("claims/a.py", FileAction.REPLACE, NEW)], manifest)
    assert (outside / "a.py").read_bytes() == MINE
    for path in ("../outside/a.py", "/etc/hosts", "claims\\..\\..\\a", "C:/a"):
        document = json.loads((copy / MANIFEST).read_text()) | {"files": {path: "0"}}
        (copy / MANIFEST).write_text(json.dumps(document))
        with pytest.raises(CannotRun, match="not a path inside"):
            Manifest.read(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "x", "answers": {"name": "contoso"}, "files": {}}'])
def test_manifest_that_is_none(text: str, tmp_path: Path) -> None:
    """The message names the file; a folder without one is no copy."""
    with pytest.raises(CannotRun, match="In a full clone"):
        Manifest.read(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(CannotRun, match=r"cannot be read|is not a version"):
        Manifest.read(tmp_path)

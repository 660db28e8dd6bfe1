"""``.entra-selftest.json`` in a copy: the version, the answers, and the hash of each file that an update may replace.

The tool and the copy belong together when major and minor version are equal: a patch version changes no setting, flag
or file that the other one depends on. A newer tool updates an older copy, an older tool refuses a newer one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from selftest.base.app_folder import DEFAULT_PROVIDER
from selftest.base.bounded_file import FileError, read_text
from selftest.base.cannot_run import CannotRun
from selftest.base.program import LOCAL, MANIFEST
from selftest.base.setting_names import PROVIDER
from selftest.starter.answers import Answers

_MAX_BYTES: Final = 1024 * 1024
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is known of a copy.

    Attributes:
        version: Of the tool that made or last updated it.
        answers: Those that it was made with.
        hashes: By path with slashes: `file_hash` of what was delivered.
    """

    version: str
    answers: Answers
    hashes: Mapping[str, str]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the manifest of a copy.

        Raises:
            CannotRun: There is none, or it is not one.
        """
        if not (directory / MANIFEST).is_file():
            raise CannotRun(
                f"{directory} is not a copy made by `entra-selftest new`: it has no {MANIFEST}. "
                "In a full clone, the page on the starter describes how it becomes one."
            )
        try:
            document = json.loads(read_text(directory / MANIFEST, _MAX_BYTES))
            manifest = cls(
                version=str(document["version"]),
                answers=Answers.read(document["answers"]),
                hashes={str(path): str(digest) for path, digest in document["files"].items()},
            )
        except (FileError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CannotRun(f"{directory / MANIFEST} cannot be read: {error!r}") from error
        version_of(manifest.version)
        if outside := [path for path in manifest.hashes if not _is_inside(path)]:
            raise CannotRun(f"{directory / MANIFEST} names {outside[0]!r}, which is not a path inside the copy")
        return manifest

    def as_text(self) -> str:
        """Return the file's text."""
        document: dict[str, Any] = {"version": self.version, "answers": self.answers.as_json()}
        return json.dumps({**document, "files": dict(sorted(self.hashes.items()))}, indent=2) + "\n"


def file_hash(content: bytes) -> str:
    """Return the SHA-256 of a file; a text has the same one whether Git checked it out with LF or CRLF."""
    text = b"\0" not in content
    return hashlib.sha256(content.replace(b"\r\n", b"\n") if text else content).hexdigest()


def version_of(text: str) -> tuple[int, int, int]:
    """Return major, minor and patch version.

    Raises:
        CannotRun: The text is not such a version.
    """
    found = _VERSION.match(text)
    if found is None:
        raise CannotRun(f"{text[:40]!r} is not a version like 0.2.0")
    return int(found[1]), int(found[2]), int(found[3])


def require_not_newer(copy: str, tool: str) -> None:
    """Require a tool that is at least as new as the copy.

    Raises:
        CannotRun: The copy was made or updated by a newer tool.
    """
    if version_of(tool) < version_of(copy):
        raise CannotRun(
            f"the copy has version {copy} and this tool {tool}: an older tool does not update a newer copy; "
            "use the wheel in its folder tools/, or a newer one"
        )


def version_warning(directory: Path, tool: str) -> str | None:
    """Return why the tool does not belong to the copy in a folder, or None; a folder that is no copy has no version.

    Raises:
        CannotRun: The manifest cannot be read.
    """
    if not (directory / MANIFEST).is_file():
        return None
    copy = Manifest.read(directory).version
    if version_of(copy)[:2] == version_of(tool)[:2]:
        return None
    advice = "run `entra-selftest update`" if version_of(copy) < version_of(tool) else "use the wheel in its tools/"
    return f"the endpoint has version {copy} and this tool {tool}: their major and minor version must agree; {advice}"


def provider_warning(directory: Path) -> str | None:
    """Return that not the copy's own provider answers where no setting names one, or None if the folder has none.

    Raises:
        CannotRun: The manifest cannot be read.
    """
    if not (directory / MANIFEST).is_file():
        return None
    module = Manifest.read(directory).answers.module
    if not (directory / "claims" / "providers" / f"{module}.py").is_file():
        return None
    return (
        f"the provider {DEFAULT_PROVIDER} answers, and not this project's own claims/providers/{module}.py: type "
        f"`{LOCAL}` for the name of the tool, or add --setting {PROVIDER}={module}"
    )


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\\" not in path and ":" not in path

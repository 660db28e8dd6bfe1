"""``update``: bring a copy to this version of the endpoint, its deployment and the tool."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Final

from selftest import __version__
from selftest.base.cannot_run import FAILED, PASSED
from selftest.commands.starter.new import add_wheel_argument
from selftest.starter.comparison import NEW_SUFFIX, FileAction, compare
from selftest.starter.contents import contents
from selftest.starter.manifest import Manifest, file_hash, require_not_newer
from selftest.starter.tool_wheel import tool_wheel
from selftest.starter.writing import apply, read_file

_WIDTH: Final = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the flags to the parser."""
    parser.description = (
        "Replace the files that were delivered and not changed. A file that you and the new version changed "
        f"stays, and the new version is written next to it ({NEW_SUFFIX}). "
        "Exit code 0: done. 1: done, with conflicts to settle. 2: not done."
    )
    default = Path()
    parser.add_argument("directory", type=Path, nargs="?", default=default, metavar="DIR", help="default: this folder")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and write nothing")
    add_wheel_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Update the copy.

    Raises:
        CannotRun: The folder is no copy, or a newer one.
    """
    directory: Path = args.directory
    manifest = Manifest.read(directory)
    require_not_newer(manifest.version, __version__)
    new = contents(manifest.answers, tool_wheel(args.wheel)).managed
    changes = list(compare(manifest.hashes, new, lambda path: read_file(directory, path)))
    if not args.dry_run:
        hashes = {path: file_hash(content) for path, content in new.items()}
        apply(directory, changes, Manifest(version=__version__, answers=manifest.answers, hashes=hashes))
    for change in changes:
        if change.action is not FileAction.NOTHING:
            print(f"{change.action.value:{_WIDTH}} {change.path}")
        if change.action is FileAction.CONFLICT:
            print(f"{'':{_WIDTH}} compare: git diff --no-index {change.path} {change.path}{NEW_SUFFIX}")
    counts = Counter(change.action for change in changes)
    done = "would update" if args.dry_run else "updated"
    summary = ", ".join(f"{counts[action]} {action.value}" for action in FileAction if counts[action])
    print(f"{done} {manifest.version} to {__version__}: {summary}")
    if manifest.version == __version__:
        print("this tool is not newer than the copy: for a newer version, run the `update` of that version's tool")
    if counts[FileAction.CONFLICT]:
        print(f"settle each conflict, then delete its {NEW_SUFFIX} file")
        return FAILED
    return PASSED

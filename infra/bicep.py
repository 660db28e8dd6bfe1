"""Bicep's own compiler: where it is, what it reports about the files, and what it makes of them.

``python -m infra.bicep`` compiles every file of ``infra/``, prints each diagnostic of the compiler and its linter, and
writes ``preflight.json``: what `infra.preflight` has to know of ``main.bicep``, so that a deployment's values can be
judged where there is no compiler.

Source: `bicep --help` of 0.49.2; diagnostics as SARIF 2.1.0 (OASIS).
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

INFRA: Final = Path(__file__).parent
PREFLIGHT: Final = INFRA / "preflight.json"
#: Names the compiler where it is in none of the usual places.
COMPILER: Final = "BICEP"
HOW_TO_GET_IT: Final = f"install it with `az bicep install`, or name one in {COMPILER}"
_FOUND: Final = 1
_COULD_NOT_RUN: Final = 2
#: In the compiled template: an app setting made of one parameter, and by what function.
_SETTING: Final = re.compile(r"\[(?:([\w.]+)\()?parameters\('(\w+)'\)")
_KEY_VAULT_REFERENCE: Final = "__bicep.keyVaultReference"


class CompilerError(Exception):
    """Raised when the compiler is missing, or did not do what it was asked; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What the compiler or its linter reports.

    Attributes:
        line: The line, counted from 1.
    """

    file: Path
    line: int
    rule: str
    message: str


def find_compiler(environ: Mapping[str, str], *places: Path) -> Path | None:
    """Return the compiler, or None where there is none.

    Args:
        environ: The environment; ``BICEP`` in it names the compiler.
        places: Where to look before the PATH and the places where `az` and `azd` install it.

    Raises:
        CompilerError: ``BICEP`` names a file that does not exist.
    """
    named = environ.get(COMPILER)
    if named:
        if not Path(named).is_file():
            raise CompilerError(f"{COMPILER} names {named}, which does not exist")
        return Path(named)
    on_path = shutil.which("bicep", path=environ.get("PATH"))
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or os.curdir)
    installed = [home / folder / "bin" / name for folder in (".azure", ".azd") for name in ("bicep", "bicep.exe")]
    candidates = [*places, *([Path(on_path)] if on_path else []), *installed]
    return next((path for path in candidates if path.is_file()), None)


def build(compiler: Path, folder: Path, pattern: str, out: Path) -> list[Diagnostic]:
    """Compile every matching file into ``out`` in one process; a file with errors has no template afterwards.

    Returns:
        What the compiler and its linter report, warnings too. (With warnings alone its exit code is 0.)

    Raises:
        CompilerError: It did not run to its end.
    """
    flags = ("--pattern", pattern, "--outdir", str(out), "--no-restore", "--diagnostics-format", "sarif")
    done = _run(compiler, ("build", *flags), folder)
    found = list(_diagnostics(done.stderr))
    if done.returncode not in {0, 1} or (done.returncode == 1 and not found):
        raise CompilerError(f"bicep build ended with {done.returncode}: {done.stderr.strip()[:300]}")
    return found


def preflight_rules(main: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `infra.preflight` reads: parameters with their rules, and the app settings made of them."""
    parameters = {
        name: {key: value for key, value in rules.items() if key != "metadata"}
        for name, rules in main["parameters"].items()
    }
    made = {name: found for name, value in main["variables"]["trust"].items() if (found := _SETTING.match(value))}
    secret = {name for name, found in made.items() if found[1] == _KEY_VAULT_REFERENCE}
    return {
        "parameters": parameters,
        "settings": {name: found[2] for name, found in made.items() if name not in secret},
        "secrets": {name: found[2] for name, found in made.items() if name in secret},
    }


def written(rules: Mapping[str, Any]) -> str:
    """Return the text of ``preflight.json``."""
    return json.dumps(rules, indent=2) + "\n"


def _run(compiler: Path, arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Without ICU it ends at once unless it is told to do without; its one file unpacks a library into the home folder.
    environ = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    with tempfile.TemporaryDirectory() as unpacked:
        if not os.access(os.environ.get("HOME", ""), os.W_OK):
            environ["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = unpacked
        return subprocess.run(  # noqa: S603 (the compiler that the caller chose)
            [compiler, *arguments], cwd=folder, env=environ, capture_output=True, encoding="utf-8", check=False
        )


def _diagnostics(sarif: str) -> Iterator[Diagnostic]:
    """Read one SARIF document a compiled file, one after the other."""
    decoder, rest = json.JSONDecoder(), sarif.strip()
    while rest:
        try:
            document, end = decoder.raw_decode(rest)
        except json.JSONDecodeError as error:
            raise CompilerError(f"bicep wrote something other than SARIF: {rest[:300]}") from error
        rest = rest[end:].lstrip()
        for result in (result for run in document["runs"] for result in run["results"]):
            place = result["locations"][0]["physicalLocation"]
            file = Path(unquote(urlsplit(place["artifactLocation"]["uri"]).path))
            yield Diagnostic(file, place["region"]["startLine"], result["ruleId"], result["message"]["text"])


def _compiler(environ: Mapping[str, str]) -> Path:
    found = find_compiler(environ)
    if found is None:
        raise CompilerError(f"there is no Bicep compiler: {HOW_TO_GET_IT}")
    return found


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Compile and write. Exit code 0; 1 on any diagnostic, or with ``--check`` on a stale file; 2 could not run."""
    parser = argparse.ArgumentParser(prog="python -m infra.bicep", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help=f"fail when {PREFLIGHT.name} is stale, and write nothing")
    check = parser.parse_args(arguments).check
    try:
        with tempfile.TemporaryDirectory() as out:
            found = build(_compiler(os.environ if environ is None else environ), INFRA, "**/*.bicep", Path(out))
            template = Path(out) / "main.json"
            rules = written(preflight_rules(json.loads(template.read_text("utf-8")))) if template.exists() else None
    except CompilerError as error:
        print(f"bicep: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    for one in found:
        print(f"{one.file.relative_to(INFRA.parent)}:{one.line}: {one.rule}: {one.message}")
    stale = rules is not None and rules != PREFLIGHT.read_text(encoding="utf-8")
    if stale and check:
        print(f"infra/{PREFLIGHT.name} is stale: run python -m infra.bicep")
    elif stale and rules is not None:
        PREFLIGHT.write_text(rules, encoding="utf-8")
        print(f"written  infra/{PREFLIGHT.name}")
    return _FOUND if found or (stale and check) else 0


if __name__ == "__main__":
    sys.exit(main())

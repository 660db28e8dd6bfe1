"""``make package``: the zip that Azure Functions mounts, the same bytes from the same sources.

Flex Consumption runs a zip as it is, so everything that start-up time depends on is decided here: the pinned
dependencies as wheels for the platform's Python and Linux, and every module compiled with an unchecked-hash ``.pyc``.
One that is checked by time does not survive a zip, whose times have two-second steps: half of them would be compiled
again at every cold start (measured: 190 against 660 ms of imports).

Source: PEP 552 (hash-based pycs); Azure Functions Python developer guide (``.python_packages/lib/site-packages``).
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from infra.package_files import INCLUDE, PackageError, app_files
from infra.package_imports import missing_imports

ROOT: Final = Path(__file__).parents[1]
DEFAULT_OUT: Final = ROOT / "build" / "package.zip"
SITE_PACKAGES: Final = Path(".python_packages") / "lib" / "site-packages"
#: The platform's: functionAppConfig.runtime in infra/flex.bicep says the same, and a test holds them together.
PYTHON_VERSION: Final = (3, 13)
_PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
#: Where the platform mounts the zip; tracebacks name files below it.
_MOUNTED_AT: Final = "/home/site/wwwroot"
#: The earliest time that a zip can hold. No file's own time may matter.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_COULD_NOT_RUN: Final = 2
_WAY_ON: Final = (
    f"Name a file or package of yours in {INCLUDE}; add a library to pyproject.toml, and run make compile; "
    "put an import that may fail into try with except ImportError"
)
_IMPORTS: Final = ("azure.functions", "azure_functions_runtime", "claims.endpoint")
#: Whether this machine can import the package's extension modules.
_ON_PLATFORM: Final = (platform.system(), platform.machine()) == ("Linux", "x86_64")


def build(out: Path, *, root: Path = ROOT, extra: str = "") -> list[str]:
    """Make the zip and return the names in it.

    Args:
        out: where to; its directory is made. What was there is replaced only by a whole zip.
        root: the checkout.
        extra: whose ``requirements-<extra>.txt`` is taken in place of ``requirements.txt``, of which it has all pins.

    Raises:
        PackageError: the wrong Python, a file that is missing or secret, a module that does not compile or misses a
            module of the app's, or dependencies that cannot be had as wheels.
    """
    requirements = Path(f"requirements-{extra}.txt" if extra else "requirements.txt")
    if not (root / requirements).is_file():
        raise PackageError(f"there is no extra '{extra}': {requirements} is missing")
    files = app_files(root)
    modules = [path for path in files if path.suffix == ".py"]
    _refuse_broken(root, modules)
    if sys.version_info[:2] != PYTHON_VERSION:
        wanted = ".".join(map(str, PYTHON_VERSION))
        raise PackageError(
            f"the platform runs Python {wanted}, and only {wanted} compiles for it; make .venv with that"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        stage = Path(directory)
        for path in files:
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, stage / path)
        shutil.copyfile(root / requirements, stage / "requirements.txt")
        _stage_dependencies(root / requirements, stage / SITE_PACKAGES)
        # The store's client is an extra: without it the setting stops the start, and says so.
        used = [path for path in modules if path.stem != "redis_store" or extra == "shared-cache"]
        if missing := missing_imports(stage, stage / SITE_PACKAGES, used):
            raise PackageError("\n  ".join(["the package has no module for these imports:", *missing]) + f"\n{_WAY_ON}")
        _compile(stage)
        if _ON_PLATFORM:
            # Providers too, which are imported by name: what one of them misses would otherwise show in Azure only.
            dotted = (".".join(path.with_suffix("").parts) for path in used if path.parts[0] == "claims")
            _imported_ms(stage, [name.removesuffix(".__init__") for name in dotted])
        partial = out.with_suffix(".part")
        names = _zip(stage, partial)
        partial.replace(out)
    return names


def _refuse_broken(root: Path, files: Iterable[Path]) -> None:
    """Raise `PackageError` for the modules that are not valid Python: before anything slow, by any interpreter."""
    broken = []
    for path in files:
        try:
            with warnings.catch_warnings(action="ignore"):
                compile((root / path).read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            broken.append(f"{path}:{error.lineno or 1}: {type(error).__name__}: {error.msg}")
        except (ValueError, RecursionError, MemoryError) as error:
            broken.append(f"{path}:1: {type(error).__name__}: {error}")
    if broken:
        raise PackageError("\n  ".join(["these modules are not valid Python:", *broken]))


def _stage_dependencies(requirements: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", ".".join(map(str, PYTHON_VERSION))]
    command += [argument for platform in _PLATFORMS for argument in ("--platform", platform)]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--target", str(target), "-r", str(requirements)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(f"the dependencies cannot be installed for the platform:\n{done.stderr.strip()}")
    # Scripts name this machine's interpreter, and nothing calls them.
    shutil.rmtree(target / "bin", ignore_errors=True)


def _compile(stage: Path) -> None:
    """Compile every module in a process of its own: what this one has interned would show in the bytes."""
    command = [sys.executable, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "-s", str(stage), "-p", _MOUNTED_AT, str(stage)],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"a module does not compile:\n{done.stdout.strip()}")


def _zip(stage: Path, out: Path) -> list[str]:
    names = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
    # Level 9 takes four times as long and makes one per cent less.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # a plain file of Unix, readable by all
            archive.writestr(entry, (stage / name).read_bytes(), zipfile.ZIP_DEFLATED, 6)
    return names


def import_ms(directory: Path, *, runs: int = 5) -> float:
    """Measure what a worker imports before its first answer, from an unzipped package alone, in milliseconds.

    The median of fresh processes, each without site-packages of its own; interpreter start is not in it.
    """
    return median(_imported_ms(directory, _IMPORTS) for _ in range(runs))


def _imported_ms(directory: Path, modules: Iterable[str]) -> float:
    """Import modules from a package alone, in a fresh process, and return how long that took, in milliseconds.

    Raises:
        PackageError: A module cannot be imported.
    """
    paths = [str(directory), str(directory / SITE_PACKAGES)]
    script = (
        f"import importlib, sys, time; sys.path[:0] = {paths!r}; start_s = time.perf_counter(); "
        f"[importlib.import_module(name) for name in {list(modules)!r}]; "
        "print((time.perf_counter() - start_s) * 1000)"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise PackageError(
            f"the package does not import:\n{done.stderr.strip().replace(str(directory), '')}\n{_WAY_ON}"
        )
    return float(done.stdout.split()[-1])


def _describe(out: Path, names: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(out) as archive:
        archive.extractall(directory)
        imports = (
            f"imports in {import_ms(Path(directory)):.0f} ms (median of 5 fresh processes)"
            if _ON_PLATFORM
            else "imports are measured on Linux with x86-64 only"
        )
        unpacked_bytes = sum(entry.file_size for entry in archive.infolist())
    size_bytes, digest = out.stat().st_size, hashlib.sha256(out.read_bytes()).hexdigest()
    return (
        f"package  {out}\n"
        f"  {size_bytes / 1e6:.1f} MB, unpacked {unpacked_bytes / 1e6:.1f} MB in {len(names)} files\n"
        f"  {imports}\n"
        f"  sha256 {digest}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and describe. Exit code 0; 2 when no package can be made."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="FILE", help="default: build/package.zip")
    parser.add_argument(
        "--extra",
        default=os.environ.get("PACKAGE_EXTRA", ""),
        metavar="NAME",
        help="add what an optional setting needs: shared-cache (default: PACKAGE_EXTRA, which azd's hooks pass on)",
    )
    args = parser.parse_args(arguments)
    out: Path = args.out.resolve()
    try:
        names = build(out, extra=args.extra)
        print(_describe(out, names))
    except (PackageError, OSError) as error:
        print(f"package: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    return 0


if __name__ == "__main__":
    sys.exit(main())

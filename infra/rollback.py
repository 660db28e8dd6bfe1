"""``python -m infra.rollback``: deploy the package before, with one command and without building anything.

azd's postdeploy hook keeps what was deployed (``--keep``) in ``build/<environment>/``: ``deployed.zip``, and the one
before as ``previous.zip``. A rollback uploads the bytes of ``previous.zip`` with the Azure CLI and asks the endpoint
for its health. It changes neither settings nor Entra, and runs no hook. What it took back is kept as
``rolled-back.zip``; a second rollback in a row has nothing to go back to.

Not tried against Azure. Read: Learn, ``az functionapp deployment source config-zip`` (2026).
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infra.package import DEFAULT_OUT, ROOT
from infra.parameters import ENVIRONMENT_NAME, read_environment

ENVIRONMENT: Final = "AZURE_ENV_NAME"
#: Outputs of main.bicep.
_NEEDED: Final = ("AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_APP", "ENDPOINT_HOST")
_FAILED: Final = 1
_COULD_NOT_RUN: Final = 2
_HEALTH_TRIES: Final = 12
_HEALTH_PAUSE_S: Final = 5.0


class RollbackError(Exception):
    """Raised when nothing was deployed; the message says what to do."""


def keep(package: Path, folder: Path) -> None:
    """Remember a package that was deployed; the same one again changes nothing."""
    deployed = folder / "deployed.zip"
    if deployed.is_file():
        if _digest(deployed) == _digest(package):
            return
        deployed.replace(folder / "previous.zip")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(package, deployed)


def roll_back(folder: Path, environ: Mapping[str, str]) -> None:
    """Deploy the package before, and remember that.

    Raises:
        RollbackError: There is no such package, the environment is not deployed, or the Azure CLI failed.
    """
    previous, deployed = folder / "previous.zip", folder / "deployed.zip"
    if not previous.is_file():
        raise RollbackError(
            f"there is no {previous}: it was not deployed from this checkout, or has been rolled back already; "
            "deploy the commit before from a checkout or, by the pipeline, from a tag v* (docs/deploy.md, Go back)"
        )
    if missing := [name for name in _NEEDED if not environ.get(name)]:
        raise RollbackError(f"azd's environment has no {', '.join(missing)}: name it with --env")
    az = shutil.which("az", path=environ.get("PATH"))
    if az is None:
        raise RollbackError("the Azure CLI is not installed, or not on the PATH: https://aka.ms/azure-cli")
    print(f"deploying  {previous}\n  sha256 {_digest(previous)}", flush=True)
    where = ("--resource-group", environ[_NEEDED[0]], "--name", environ[_NEEDED[1]])
    source = ("--src", str(previous), "--build-remote", "false")
    command = [az, "functionapp", "deployment", "source", "config-zip", *where, *source]
    if subprocess.call(command):  # noqa: S603 (the Azure CLI, with azd's own values)
        raise RollbackError("the Azure CLI failed; sign in with az login, then run the same command again")
    deployed.replace(folder / "rolled-back.zip")
    previous.replace(deployed)


def is_healthy(url: str, *, tries: int = _HEALTH_TRIES, pause_s: float = _HEALTH_PAUSE_S) -> bool:
    """Return whether the endpoint can judge a token within a minute."""
    for turn in range(tries):
        time.sleep(pause_s if turn else 0)
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (https, or a test's)
                return bool(answer.status == 200)  # noqa: PLR2004 (OK)
        except OSError:
            continue
    return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main(arguments: Sequence[str] | None = None, given: Mapping[str, str] | None = None) -> int:
    """Roll back, or keep. Exit code 0; 1 when the endpoint is not healthy afterwards; 2 when nothing was deployed."""
    parser = argparse.ArgumentParser(prog="python -m infra.rollback", description=__doc__.partition("\n")[0])
    parser.add_argument("--env", metavar="NAME", help=f"the azd environment (default: {ENVIRONMENT})")
    parser.add_argument("--keep", action="store_true", help="remember build/package.zip as what was deployed")
    args = parser.parse_args(arguments)
    shell = os.environ if given is None else given
    name = args.env or shell.get(ENVIRONMENT) or ""
    if not ENVIRONMENT_NAME.fullmatch(name):
        print(f"rollback: name the azd environment with --env or {ENVIRONMENT}", file=sys.stderr)
        return _COULD_NOT_RUN
    folder = DEFAULT_OUT.parent / name
    if args.keep:
        keep(DEFAULT_OUT, folder)
        return 0
    try:
        environ = {**shell, **read_environment(name, ROOT)}
        roll_back(folder, environ)
    except (RollbackError, OSError, ValueError) as error:
        print(f"rollback: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    url = f"https://{environ['ENDPOINT_HOST']}/api/health"
    if not is_healthy(url):
        print(f"rollback: deployed, and {url} is not 200: objects disable APP_ID (docs/runbook.md)", file=sys.stderr)
        return _FAILED
    print(f"healthy    {url}\nkept       {folder / 'rolled-back.zip'}, which was taken back")
    return 0


if __name__ == "__main__":
    sys.exit(main())

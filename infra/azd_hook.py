"""``python -m infra.azd_hook NAME``: what each of azd's hooks runs, without a shell, so that Windows runs them, too.

Before anything is created, the values are checked. The app registration is made before the first provisioning, because
the app's settings have its id, which ``--set-azd-env`` writes into azd's environment; a later provisioning needs no
sign-in. No code is deployed to an app that lacks a setting. What contains the host's name, and what tells Entra where
to call, is made once there is something that answers; sign-ins change only with ``objects apply --enable``, by hand. At
the end the package is remembered for `infra.rollback`, and warnings are repeated.

With ``ENTRA_OBJECTS=manual`` the commands for the Entra objects are left out: a pipeline's identity may not change
them, and they exist since the first deployment.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

_OBJECTS: Final = "selftest.commands.objects_session"
#: The modules and their arguments, by the hook's name; the first that fails stops azd.
HOOKS: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "preprovision": [
        ["infra.preflight"],
        [_OBJECTS, "keep", "apply", "--phase", "A", "--sign-in-for", "C", "--set-azd-env"],
    ],
    "predeploy": [["infra.preflight", "--deployed"], ["infra.package"]],
    "postdeploy": [[_OBJECTS, "end", "apply"], ["infra.rollback", "--keep"], ["infra.preflight", "--deployed"]],
}
#: azd has them after the first provisioning, and not after `azd down`.
_PROVISIONED: Final = ("ENTRA_API_APP_ID", "ENDPOINT_HOST")
_NEEDED: Final = (3, 13)


def commands(name: str, environ: Mapping[str, str]) -> list[Sequence[str]]:
    """Return what a hook runs in azd's environment."""
    registered = name == "preprovision" and all(environ.get(one) for one in _PROVISIONED)
    without_objects = registered or environ.get("ENTRA_OBJECTS") == "manual"
    return [command for command in HOOKS[name] if not (without_objects and command[0] == _OBJECTS)]


def main(name: str) -> int:
    """Run a hook's commands; return 0, or the exit code of the command that failed."""
    if sys.version_info[:2] < _NEEDED:
        print(
            f"azd runs its hooks with Python {sys.version.split()[0]}: put 3.13 or newer first on the PATH",
            file=sys.stderr,
        )
        return 2
    for command in commands(name, os.environ):
        code = subprocess.call([sys.executable, "-m", *command])  # noqa: S603 (the table above)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""``python -m infra.azd_hook NAME``: what each of azd's hooks runs, without a shell, so that Windows runs them, too.

Before anything is created, the values are checked. The app registration is made first, because the app's settings have
its id, which ``--set-azd-env`` writes into azd's environment. The identifier URI contains the host's name, which is
known after provisioning. Entra is told where to call once there is something that answers; sign-ins change only with
``objects apply --enable``, by hand.

With ``ENTRA_OBJECTS=manual`` the commands for the Entra objects are left out: a pipeline's identity may not change
them, and they are there since the first deployment.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

#: The modules and their arguments, by the hook's name; the first that fails stops azd.
HOOKS: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "preprovision": [
        ["infra.preflight"],
        ["selftest", "objects", "apply", "--phase", "A", "--set-azd-env"],
    ],
    "postprovision": [
        ["infra.preflight", "--deployed"],
        ["selftest", "objects", "apply", "--phase", "B"],
    ],
    "predeploy": [["infra.package"]],
    "postdeploy": [["selftest", "objects", "apply", "--phase", "C"]],
}
_NEEDED: Final = (3, 13)


def main(name: str) -> int:
    """Run a hook's commands; return 0, or the exit code of the command that failed."""
    if sys.version_info[:2] < _NEEDED:
        print(
            f"azd runs its hooks with Python {sys.version.split()[0]}: put 3.13 or newer first on the PATH",
            file=sys.stderr,
        )
        return 2
    for command in HOOKS[name]:
        if command[0] == "selftest" and os.environ.get("ENTRA_OBJECTS") == "manual":
            print(f"left out, because ENTRA_OBJECTS is manual: {' '.join(command)}")
            continue
        code = subprocess.call([sys.executable, "-m", *command])  # noqa: S603 (the table above)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

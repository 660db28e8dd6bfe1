"""The hook predeploy: build the package (`infra.azd_hook`)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "infra.azd_hook", Path(__file__).stem], cwd=ROOT))  # noqa: S603

"""What the tool was called as, for the commands that its texts name."""

import sys
from pathlib import Path
from typing import Final

#: The name of the distribution and of its console script.
DISTRIBUTION: Final = "entra-selftest"
PROGRAM: Final = DISTRIBUTION if Path(sys.argv[0]).stem == DISTRIBUTION else "python -m selftest"

"""The checkout that the tests are part of."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

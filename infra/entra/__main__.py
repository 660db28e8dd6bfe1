"""Runs ``python -m infra.entra``."""

import sys

from infra.entra.cli import main

sys.exit(main())

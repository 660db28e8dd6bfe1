"""The command runs where the endpoint's own requirements are installed."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_it_needs_nothing_but_what_the_endpoint_needs() -> None:
    """So that a hook of azd can run it from requirements.txt, without the harness's packages."""
    script = "import sys, selftest.commands.objects; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    named = {"attrs": "attr"}
    ours = {named.get(name, name.replace("-", "_")).lower() for name in pinned} | {"infra", "selftest", "claims"}
    foreign = {name for name in done.stdout.split() if not name.startswith("_")} - set(sys.stdlib_module_names)
    assert {name for name in foreign if name.lower() not in ours and "runtime" not in name} == set()


def test_no_command_loads_azure_core_before_it_signs_in() -> None:
    """It takes longer to import than most commands take to run, and a tool without a tenant does without it."""
    script = "import sys, selftest.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert not {"azure", "msal"} & set(done.stdout.split())

"""Copies of the app whose provider is at fault, as somebody's first one may be."""

import shutil
from pathlib import Path
from typing import Final

from tests.checkout import ROOT

#: The line of the provider that does it.
FAULTY_LINE: Final = 8
BODIES: Final = {
    "raises": '        return {"A": event.context.user.adress}',
    "blocks": '        time.sleep(2.6); return {"A": "b"}',
    "hangs": '        time.sleep(60); return {"A": "b"}',
    "late": '        await asyncio.sleep(30); return {"A": "b"}',
    "garbage": '        return {"A": object()}',
    "dies": "        os._exit(3)",
    "sleeps": '        time.sleep(0.6); return {"A": "b"}',
    "lacks": '        return {"A": None, "B": 1}',
}
_SOURCE: Final = """import asyncio
import os
import time
SETTINGS = ()
class Mine:
    claim_names = frozenset({"A"})
    async def provide(self, event, context):
BODY
def create(environ):
    return Mine()
"""


def copy_app(directory: Path, **bodies: str) -> Path:
    """Copy what is deployed, with a provider for each body of ``provide``, so that a test can edit it."""
    app = directory / "app"
    app.mkdir()
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, app)
    shutil.copytree(ROOT / "claims", app / "claims", ignore=shutil.ignore_patterns("__pycache__"))
    for name, body in bodies.items():
        (app / "claims" / "providers" / f"{name}.py").write_text(_SOURCE.replace("BODY", body))
    return app

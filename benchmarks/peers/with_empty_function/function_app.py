"""The app of this checkout plus an empty function, so that both can be called in one process.

The worker library takes one app a process. The endpoint's own entry is loaded from its file, not copied.
"""

import importlib.util
from pathlib import Path

import azure.functions as func

_ENTRY = Path(__file__).parents[3] / "function_app.py"
_spec = importlib.util.spec_from_file_location("endpoint_entry", _ENTRY)
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_ENTRY} cannot be loaded")
_entry = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_entry)

app: func.FunctionApp = _entry.app


@app.route(route="empty", methods=["POST"])
async def empty(req: func.HttpRequest) -> func.HttpResponse:
    """Answer without looking: what a function costs that does nothing."""
    del req
    return func.HttpResponse(b"{}", mimetype="application/json")

"""An app that reports which modules it finds."""

import importlib.util
import json
import sys

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="finds")
async def finds(req: func.HttpRequest) -> func.HttpResponse:
    """Return the names of the query that can be imported, and this interpreter."""
    names = req.params["names"].split(",")
    found = [name for name in names if importlib.util.find_spec(name) is not None]
    loaded = [name for name in names if name in sys.modules]
    return func.HttpResponse(json.dumps({"found": found, "loaded": loaded, "python": sys.executable}))

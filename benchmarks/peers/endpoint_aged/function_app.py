"""The app of this checkout, with an hour of its keys' life in two seconds: nothing else is changed.

There is no setting for it, on purpose. Refresh and hard limit are shortened in proportion, so that a benchmark can see
hours of an outage; the pause after a failed refresh is as long as the one after a good one.
"""

import importlib.util
from pathlib import Path

import azure.functions as func

from claims.token import key_document

_HOUR_S = 2.0

vars(key_document).update(REFRESH_S=_HOUR_S, RETRY_S=_HOUR_S, MAX_AGE_S=24 * _HOUR_S)

_ENTRY = Path(__file__).parents[3] / "function_app.py"
_spec = importlib.util.spec_from_file_location("endpoint_entry", _ENTRY)
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_ENTRY} cannot be loaded")
_entry = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_entry)

app: func.FunctionApp = _entry.app

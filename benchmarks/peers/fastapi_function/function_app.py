"""The FastAPI peer as a function: behind AsgiMiddleware, as Microsoft's documentation says.

Microsoft's host has an interpreter of its own, in which FastAPI is not installed: it comes from the benchmarks'
environment, and the peer from this checkout, after everything that this interpreter has itself.

Source: Microsoft's documentation of Azure Functions for Python, "Web frameworks".
"""

import os
import site

import azure.functions as func

site.addsitedir(os.environ["BENCHMARK_ROOT"])
site.addsitedir(os.environ["BENCHMARK_PACKAGES"])

from benchmarks.peers.fastapi_endpoint import app as fastapi_app

app = func.AsgiFunctionApp(app=fastapi_app, http_auth_level=func.AuthLevel.ANONYMOUS)

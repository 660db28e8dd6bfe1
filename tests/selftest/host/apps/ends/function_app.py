"""A worker that ends, and one that takes too long."""

# ruff: noqa: ARG001 - the worker passes the request by name, also to those that do not read it

import asyncio
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="pid", methods=["GET"])
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the number of the worker's process."""
    return func.HttpResponse(str(os.getpid()))


@app.route(route="ends", methods=["GET"])
async def ends(req: func.HttpRequest) -> func.HttpResponse:
    """End the worker."""
    os._exit(3)


@app.route(route="hangs", methods=["GET"])
async def hangs(req: func.HttpRequest) -> func.HttpResponse:
    """Never answer."""
    await asyncio.sleep(3600)
    return func.HttpResponse("never")

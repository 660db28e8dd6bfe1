"""An app that blocks its event loop, as a synchronous client does, and one whose thread does the same."""

# ruff: noqa: ARG001, ASYNC251 - the worker passes the request by name; to block is what it is for

import asyncio
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="blocks", methods=["GET"])
async def blocks(req: func.HttpRequest) -> func.HttpResponse:
    """Answer after a second in which nobody else is answered."""
    time.sleep(1.0)
    return func.HttpResponse("ok")


@app.route(route="waits", methods=["GET"])
async def waits(req: func.HttpRequest) -> func.HttpResponse:
    """Answer after a second in which others are answered."""
    await asyncio.to_thread(time.sleep, 1.0)
    return func.HttpResponse("ok")

"""The app that both hosts serve: a function for each thing that a host does to a request, an answer or a log line."""

# ruff: noqa: ARG001 (the worker passes the request by name, also to those that do not read it)

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import azure.functions as func

#: Synchronous calls that must run at once.
TOGETHER = 20
#: Headers that a client or a host adds by itself.
_NOISE = ("host", "x-", "user-agent", "was-default", "max-forwards", "disguised", "client-ip", "x-arr")

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("probe")
log.warning("said at import")
_barrier = threading.Barrier(TOGETHER)
_tasks: set[asyncio.Task[None]] = set()


@app.route(route="Items/{kind}/{number:int?}")
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with everything that arrived."""
    body = req.get_body()
    seen = {
        "method": req.method,
        "path": urlsplit(req.url).path,
        "headers": {name: value for name, value in sorted(req.headers.items()) if name.startswith("probe-")},
        "authorization": req.headers.get("authorization"),
        "type": req.headers.get("content-type"),
        "query": dict(req.params),
        "route": dict(req.route_params),
        "length": len(body),
        "body": body[:64].decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen, sort_keys=True), mimetype="application/json")


@app.route(route="len/{x:length(2,3)}", methods=["GET"])
async def length(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the parameter."""
    return func.HttpResponse(req.route_params.get("x"))


@app.route(route="def/{x=5}", methods=["GET"])
async def default(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the parameter."""
    return func.HttpResponse(req.route_params.get("x"))


def _with(name: str, value: str) -> func.HttpResponse:
    return func.HttpResponse("body", headers={name: value})


ANSWERS: dict[str, Callable[[], object]] = {
    "plain": lambda: _with("X-Given", "1"),
    "bytes": lambda: func.HttpResponse(b"\x00\xff", mimetype="application/octet-stream"),
    "empty": func.HttpResponse,
    "text": lambda: "a text",
    "none": lambda: None,
    "dict": lambda: {"not": "a response"},
    "line-break": lambda: _with("X-Name", "a\nb"),
    "not-ascii": lambda: _with("X-Name", "naïve"),
    "space-in-name": lambda: _with("X Name", "a"),
    "length-right": lambda: _with("Content-Length", "4"),
    "length-short": lambda: _with("Content-Length", "2"),
    "length-long": lambda: _with("Content-Length", "9"),
    "chunked": lambda: _with("Transfer-Encoding", "chunked"),
    "connection-close": lambda: _with("Connection", "close"),
    "server": lambda: _with("Server", "mine"),
    "custom": lambda: _with("X-Custom", "of the function"),
    **{
        f"status-{status}": partial(func.HttpResponse, "body", status_code=status)
        for status in (0, 99, 100, 199, 201, 204, 304, 404, 500, 600, 999, 1000)
    },
}


@app.route(route="answer/{name}", methods=["GET"])
async def answer(req: func.HttpRequest) -> func.HttpResponse:
    """Answer as a name says; some answers are wrong."""
    return ANSWERS[req.route_params["name"]]()  # type: ignore[return-value]  # the subject of the probes


@app.route(route="keyed", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    """Answer to those who have the key."""
    return func.HttpResponse("never")


@app.route(route="together", methods=["GET"])
def together(req: func.HttpRequest) -> func.HttpResponse:
    """Answer when enough calls run in threads at the same time."""
    try:
        _barrier.wait(timeout=8)
    except threading.BrokenBarrierError:
        return func.HttpResponse("alone")
    return func.HttpResponse("together")


@app.route(route="logs", methods=["GET"])
async def logs(req: func.HttpRequest) -> func.HttpResponse:
    """Write to the log in every way."""

    async def in_a_task() -> None:
        log.warning("said in a task, while the request runs")
        await asyncio.sleep(0.5)
        log.warning("said after the answer")

    log.warning("said in the handler")
    log.info("said as information")
    log.debug("said as debug")
    logging.getLogger("azure.functions.mine").warning("said by azure.functions")
    _tasks.add(asyncio.create_task(in_a_task()))
    thread = threading.Thread(target=log.warning, args=("said in a thread",))
    thread.start()
    thread.join()
    await asyncio.to_thread(log.warning, "said in to_thread")
    return func.HttpResponse("logged")


@app.route(route="logs/sync", methods=["GET"])
def logs_sync(req: func.HttpRequest) -> func.HttpResponse:
    """Write to the log in a synchronous handler."""
    log.warning("said in a synchronous handler")
    return func.HttpResponse("logged")


@app.route(route="slow/{seconds}", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Answer after a while."""
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("slow")


@app.route(route="crash", methods=["GET"])
async def crash(req: func.HttpRequest) -> func.HttpResponse:
    """End the worker."""
    os._exit(1)


@app.route(route="pid", methods=["GET"])
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the process's number."""
    return func.HttpResponse(str(os.getpid()))


@app.route(route="blocking", methods=["GET"])
async def blocking(req: func.HttpRequest) -> func.HttpResponse:
    """Hold up everybody for a moment."""
    time.sleep(0.01)  # noqa: ASYNC251 (the subject of a probe)
    return func.HttpResponse("blocked")

"""One function for each thing that the HTTP edge does to a request or an answer."""

# ruff: noqa: ARG001 - the worker passes the request by name, also to those that do not read it

import asyncio
import json
import logging

import azure.functions as func
from azure_functions_runtime import invocation_id_cv  # type: ignore[import-untyped]  # Microsoft ships no types

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_meeting = asyncio.Event()
_tasks: set[asyncio.Task[None]] = set()
logging.getLogger("app").info("logged at import")


@app.route(route="plain", methods=["GET"])
async def plain(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse("ok")


@app.route(route="Items/{kind}/{number:int?}", methods=["POST"])
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer with everything that arrived."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": list(req.headers.items()),
        "query": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "traceparent": context.trace_context.trace_parent,
        "tracestate": context.trace_context.trace_state,
        "function": context.function_name,
        "invocation": context.invocation_id,
        "invocation_of_logs": invocation_id_cv.get(),
        "loop": type(asyncio.get_running_loop()).__module__,
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="raises", methods=["GET"])
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    """Fail."""
    raise LookupError("secret detail")


@app.route(route="dict", methods=["GET"])
async def returns_dict(req: func.HttpRequest):  # type: ignore[no-untyped-def]  # noqa: ANN201 - with a type the start is refused
    """Return what cannot be sent."""
    return {"not": "a response"}


@app.route(route="text", methods=["GET"])
async def text(req: func.HttpRequest) -> str:
    """Return a text."""
    return "naïve"


@app.route(route="escape", methods=["GET"])
async def escape(req: func.HttpRequest) -> func.HttpResponse:
    """Let cancellation out."""
    raise asyncio.CancelledError


@app.route(route="meet", methods=["GET"])
async def meet(req: func.HttpRequest) -> func.HttpResponse:
    """Answer only when a second request is in the same loop at the same time."""
    if req.params.get("first"):
        await _meeting.wait()
    _meeting.set()
    return func.HttpResponse("met")


@app.route(route="abandoned", methods=["GET"])
async def abandoned(req: func.HttpRequest) -> func.HttpResponse:
    """Go on after the client has left."""
    _meeting.clear()
    logging.getLogger("app").info("abandoned started")
    await _meeting.wait()
    logging.getLogger("app").info("abandoned went on")
    return func.HttpResponse("too late")


@app.route(route="headers", methods=["GET"])
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    """Set headers that the host changes."""
    length = {"Content-Length": "999"} if req.params.get("long") else {}
    answer = func.HttpResponse("body", headers={**length, "X-Given": "1"})
    answer.headers.add("Set-Cookie", "a=1; Path=/x; HttpOnly; SameSite=Strict; Max-Age=60")
    answer.headers.add("Set-Cookie", "b=2; Secure; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
    return answer


@app.route(route="badheader", methods=["GET"])
async def badheader(req: func.HttpRequest) -> func.HttpResponse:
    """Set a header that HTTP cannot carry."""
    return func.HttpResponse("body", headers={"X-Name": "naïve"})


@app.route(route="sync", methods=["GET"])
def sync(req: func.HttpRequest) -> func.HttpResponse:
    """Answer from a thread."""
    return func.HttpResponse("from a thread")


@app.route(route="keyed", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def keyed(req: func.HttpRequest) -> func.HttpResponse:
    """Answer to those who have the key."""
    return func.HttpResponse("never")


@app.route(route="log", methods=["GET"])
async def log(req: func.HttpRequest) -> func.HttpResponse:
    """Write to the log in every way."""
    logging.getLogger("app").info('{"one": "line"}')
    logging.getLogger("app").info("two\nlines")
    logging.getLogger("azure.core").info("a library talking")
    print("printed")  # noqa: T201 - the subject of a test
    return func.HttpResponse("ok")


@app.route(route="later", methods=["GET"])
async def later(req: func.HttpRequest) -> func.HttpResponse:
    """Write to the log in the request, and in a task after the answer."""

    async def after() -> None:
        await asyncio.sleep(0.1)
        logging.getLogger("app").info("logged after the answer")

    logging.getLogger("app").info("logged in the request")
    _tasks.add(asyncio.create_task(after()))
    return func.HttpResponse("ok")

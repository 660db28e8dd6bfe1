"""A prefix of nothing, a route by name, the rest of a path, a timer, and a claims package of its own."""

# ruff: noqa: ARG001 - the worker passes the request by name, also to those that do not read it

import azure.functions as func

import claims

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route()
async def ByName(req: func.HttpRequest) -> func.HttpResponse:  # noqa: N802 - the route takes the function's name
    """Take any method."""
    return func.HttpResponse(f"{req.method} {claims.WHOSE}")  # type: ignore[attr-defined]  # the namesake beside this file


@app.route(route="files/{*rest}", methods=["GET"])
async def files(req: func.HttpRequest) -> func.HttpResponse:
    """Take the rest of the path."""
    return func.HttpResponse(req.route_params.get("rest", "nothing"))


@app.route(route="files/readme", methods=["GET"])
async def readme(req: func.HttpRequest) -> func.HttpResponse:
    """Be more specific."""
    return func.HttpResponse("the readme")


@app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
async def hourly(timer: func.TimerRequest) -> None:
    """Have no address."""

"""Drives ``azure_functions_runtime``, the library that runs Python functions in Azure, inside this process.

The seam is the one between the platform's worker and the library: the exported coroutines and the injected message
classes. ``invocation_request`` is called rather than ``native_invocation``, which is quicker but not exported: an
upgrade may move it, and a harness that proves what Azure does should enter where Azure enters. Indexing, metadata,
binding conversion and the encoding of answers are therefore Microsoft's.

The library keeps its functions in module globals: one app a process, started once.

Source: azure-functions-runtime 1.3.0 ``handle_event.py``; the order of steps is that of the platform's proxy worker.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Final, Self

import azure_functions_runtime as runtime  # type: ignore[import-untyped]  # Microsoft ships no types with it
from azure_functions_runtime.bindings.context import (  # type: ignore[import-untyped]  # see above
    _invocation_id_local as _of_the_thread,
)

from selftest.host import protos

#: What Azure's worker calls itself when it is asked where streaming requests go; nothing listens there.
_WORKER_HOST: Final = "127.0.0.1"
_FRAME: Final = re.compile(r'File "([^"]+)", line (\d+)')


class StartError(Exception):
    """The app cannot be served. The message is the app's own, with the place where it was raised."""


class InvocationFailedError(Exception):
    """The function raised, or returned what cannot be sent.

    Attributes:
        stack_trace: as the worker reports it to the host; for the log only.
    """

    def __init__(self, message: str, stack_trace: str = "") -> None:
        self.stack_trace = stack_trace
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function as the host sees it after indexing.

    Attributes:
        trigger: the binding's type, ``httpTrigger`` for those that are served.
        parameter: the name of the handler's parameter that takes the request.
        methods: upper case; empty means every method.
        auth_level: ``ANONYMOUS``, ``FUNCTION`` or ``ADMIN``.
        raw_bindings: the JSON texts that the host receives, for a comparison with a golden file.
    """

    name: str
    function_id: str
    trigger: str
    parameter: str
    route: str
    methods: frozenset[str]
    auth_level: str
    raw_bindings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRequest:
    """A request in the form in which the host hands it to a worker."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route_params: Mapping[str, str]
    body: bytes
    trace_parent: str
    trace_state: str


class Worker:
    """A started app.

    Attributes:
        functions: all of them, also those with other triggers.
    """

    def __init__(self, functions: tuple[Function, ...]) -> None:
        self.functions = functions
        self._running: set[str] = set()

    @classmethod
    async def start(cls, app_dir: Path) -> Self:
        """Import and index the app in this directory, on the running loop, as the platform does.

        Args:
            app_dir: resolved; no other app may have been started in this process.

        Raises:
            StartError: the app cannot be imported or indexed, or needs what is not imitated.
        """
        # The worker library leaves the path to its caller; Azure puts the app first.
        sys.path.insert(0, str(app_dir))
        runtime.start_threadpool_executor()
        with _without_duplicate_errors():
            initialized = await _initialize(app_dir)
        if initialized.result.status != protos.StatusResult.Success:
            raise StartError(_explain(initialized.result.exception, app_dir))
        if "HttpUri" in initialized.capabilities:
            raise StartError("the app uses the FastAPI streaming extension, which this host does not imitate")
        response = await runtime.functions_metadata_request(SimpleNamespace())
        if not response.function_metadata_results:
            raise StartError(f"there is no function_app.py with at least one function in {app_dir}")
        for metadata in response.function_metadata_results:
            load = SimpleNamespace(function_id=metadata.function_id)
            await runtime.function_load_request(SimpleNamespace(request=SimpleNamespace(function_load_request=load)))
        return cls(tuple(_as_function(metadata) for metadata in response.function_metadata_results))

    async def invoke(self, function: Function, request: FunctionRequest, invocation_id: str) -> protos.TypedData:
        """Call the function once and return its answer, an ``http`` or a ``string`` value.

        Run it in a task of its own: the invocation id is set for the whole context.

        Raises:
            InvocationFailedError: the function raised an ``Exception`` or returned something else than a response.
            asyncio.CancelledError: it left the function; the library lets it through, and Azure's host gets no answer.
        """
        token = runtime.invocation_id_cv.set(invocation_id)
        self._running.add(invocation_id)
        try:
            response: protos.InvocationResponse = await runtime.invocation_request(
                _invocation(function, request, invocation_id)
            )
        finally:
            self._running.discard(invocation_id)
            runtime.invocation_id_cv.reset(token)
        failure = response.result.exception
        if failure is not None:
            raise InvocationFailedError(failure.message, failure.stack_trace)
        if response.return_value is None:
            raise InvocationFailedError("the function returned nothing that the host could send")
        return response.return_value

    def in_an_invocation(self) -> bool:
        """Whether a function runs in whose name the calling code may log.

        Azure's host drops the records of background tasks, once the request that began them is answered, and those of
        threads other than a synchronous handler's.
        """
        of_the_thread = getattr(_of_the_thread, "invocation_id", None)
        return of_the_thread is not None and runtime.invocation_id_cv.get() in self._running

    def stop(self) -> None:
        """Wait for synchronous handlers and end their threads."""
        runtime.stop_threadpool_executor()


async def _initialize(directory: Path) -> protos.WorkerInitResponse:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(directory))
    request = SimpleNamespace(
        request=SimpleNamespace(worker_init_request=init),
        properties={"host": _WORKER_HOST, "protos": protos},
    )
    try:
        response: protos.WorkerInitResponse = await runtime.worker_init_request(request)
    except SystemExit as stop:
        raise StartError(f"the app called sys.exit({stop.code!r}) while it was imported") from stop
    return response


def _invocation(function: Function, request: FunctionRequest, invocation_id: str) -> SimpleNamespace:
    http = protos.RpcHttp(
        method=request.method,
        url=request.url,
        headers=dict(request.headers),
        params=dict(request.route_params),
        query=dict(request.query),
        # A request without a body has a body message without a value.
        body=protos.TypedData(bytes=request.body or None),
    )
    invocation = SimpleNamespace(
        invocation_id=invocation_id,
        function_id=function.function_id,
        input_data=[protos.ParameterBinding(name=function.parameter, data=protos.TypedData(http=http))],
        trigger_metadata={},
        trace_context=SimpleNamespace(
            trace_parent=request.trace_parent, trace_state=request.trace_state, attributes={}
        ),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    return SimpleNamespace(request=SimpleNamespace(invocation_request=invocation))


def _as_function(metadata: protos.RpcFunctionMetadata) -> Function:
    bindings = [json.loads(text) for text in metadata.raw_bindings]
    trigger = next(binding for binding in bindings if binding["type"].lower().endswith("trigger"))
    return Function(
        name=metadata.name,
        function_id=metadata.function_id,
        trigger=trigger["type"],
        parameter=trigger["name"],
        route=trigger.get("route") or metadata.name,
        methods=frozenset(method.upper() for method in trigger.get("methods") or ()),
        auth_level=(trigger.get("authLevel") or "FUNCTION").upper(),
        raw_bindings=tuple(metadata.raw_bindings),
    )


@contextmanager
def _without_duplicate_errors() -> Iterator[None]:
    """Keep the library from logging a start-up failure with its stack: the same failure comes back as the result."""

    def below_error(record: logging.LogRecord) -> bool:
        return record.levelno < logging.ERROR

    logger = logging.getLogger("azure.functions")
    logger.addFilter(below_error)
    try:
        yield
    finally:
        logger.removeFilter(below_error)


def _explain(failure: protos.RpcException | None, directory: Path) -> str:
    """Shorten the worker's report to the app's own message and the app's own line."""
    if failure is None:
        return "the worker library gave no reason"
    # For a missing module the library appends every directory of sys.path.
    message = failure.message.partition(" Current sys.path:")[0]
    for file, line in reversed(_FRAME.findall(failure.stack_trace)):
        path = Path(file)
        if path.is_relative_to(directory) and "site-packages" not in path.parts:
            return f"{message}\nraised at {path.relative_to(directory)}:{line}"
    return message

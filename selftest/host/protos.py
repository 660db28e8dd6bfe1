"""The messages between the Functions host and a Python worker, for a worker that runs in the same process.

``azure_functions_runtime`` is handed its message classes and never imports protobuf; this module is what it is handed.
Fields are checked where protobuf would check them on the way to the host (text is valid Unicode, bodies are bytes), so
that an answer which cannot leave a real worker cannot leave this one either. Messages that HTTP functions never need
are absent.

Source: azure-functions-language-worker-protobuf ``FunctionRpc.proto``, of which azure-functions-runtime 1.3.0 uses
these fields.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import ClassVar


def _check_text(field_name: str, value: object) -> None:
    """Refuse what protobuf refuses in a string field."""
    if not isinstance(value, str):
        raise TypeError(f"{field_name}: expected str, got {type(value).__name__} ({value!r})")
    if not value.isascii():
        value.encode()  # a lone surrogate has no UTF-8 form


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableString:
    """A text that may be absent."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableBool:
    """A truth value that may be absent."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A time in seconds since 1970, UTC."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NullableTimestamp:
    """A time that may be absent."""

    value: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcException:
    """What a failed step reports: ``message`` is ``TypeName: text``."""

    message: str
    stack_trace: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """How a step ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    Cancelled: ClassVar[int] = 2

    status: int
    exception: RpcException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerMetadata:
    """Which worker this is."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInitResponse:
    """The app was imported and indexed, or could not be."""

    capabilities: dict[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingInfo:
    """One binding of a function; the numbers are the directions."""

    undefined: ClassVar[int] = 0
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2

    type: str
    data_type: int | None
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcRetryOptions:
    """A function's own retry policy, which HTTP functions do not use."""

    max_retry_count: int
    retry_strategy: str
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcFunctionMetadata:
    """One indexed function; ``raw_bindings`` are JSON texts."""

    name: str
    function_id: str
    managed_dependency_enabled: bool
    directory: str
    script_file: str
    entry_point: str
    is_proxy: bool
    language: str
    bindings: dict[str, BindingInfo]
    raw_bindings: list[str]
    retry_options: RpcRetryOptions | None
    properties: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionMetadataResponse:
    """Every function of the app; None when the app's file does not exist or declares none."""

    use_default_metadata_indexing: bool
    function_metadata_results: list[RpcFunctionMetadata] | None
    result: StatusResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLoadResponse:
    """One function is ready."""

    function_id: str
    result: StatusResult


class _SameSite(IntEnum):
    Lax = 1
    Strict = 2
    ExplicitNone = 3


# "None" is a member's name on the wire and a keyword here.
setattr(_SameSite, "None", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcHttpCookie:
    """One cookie that the function sets."""

    SameSite: ClassVar[type[_SameSite]] = _SameSite

    name: str
    value: str
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


class TypedData:
    """A value of one kind or, without any field, no value."""

    __slots__ = ("_kind", "bytes", "double", "http", "int", "json", "string")

    _kind: str | None
    bytes: bytes
    double: float
    http: "RpcHttp"
    int: int
    json: str
    string: str

    def __init__(self, **fields: object) -> None:
        self._kind = None
        for kind, value in fields.items():
            if value is None:
                continue
            if self._kind is not None:
                raise TypeError(f"TypedData carries one value, got {self._kind} and {kind}")
            if kind in {"string", "json"}:
                _check_text(kind, value)
            elif not isinstance(value, _KINDS[kind]):
                raise TypeError(f"{kind}: expected {_KINDS[kind].__name__}, got {type(value).__name__}")
            setattr(self, kind, value)
            self._kind = kind

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Name the field that is set."""
        del group
        return self._kind


@dataclass(slots=True, kw_only=True)
class RpcHttp:
    """A request on its way to the worker, or an answer on its way back."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: TypedData | None = None
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    status_code: str = ""
    cookies: list[RpcHttpCookie] | None = None
    enable_content_negotiation: bool = False

    def __post_init__(self) -> None:
        _check_text("status_code", self.status_code)
        for name, value in self.headers.items():
            _check_text("header name", name)
            _check_text(name, value)


_KINDS: dict[str, type] = {"bytes": bytes, "double": float, "http": RpcHttp, "int": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterBinding:
    """A named value that goes into or comes out of a function."""

    name: str
    data: TypedData

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        """Name the field that is set; shared memory is not offered, so it is always the data."""
        del group
        return "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResponse:
    """What one call of a function came to."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)

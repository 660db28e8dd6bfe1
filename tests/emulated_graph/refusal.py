"""How the emulated Graph says no: statuses and codes as Graph's; codes of our own where it documents none.

Source: microsoft-graph-docs ``concepts/errors.md``, ``concepts/resolve-auth-errors.md``, ``concepts/throttling.md``;
the codes of the directory (``Request_…``) as its answers have them in public reports.
"""

from typing import Any


class Refusal(Exception):
    """An answer that is an error.

    Attributes:
        status: of the answer.
        code: what a program reads.
        message: what a person reads.
        detail: the code of one detail, where Graph gives one.
    """

    def __init__(self, status: int, code: str, message: str, *, detail: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail

    def as_json(self, request_id: str, date: str) -> dict[str, Any]:
        """Give the body."""
        inner = {"date": date, "request-id": request_id, "client-request-id": request_id}
        error: dict[str, Any] = {"code": self.code, "message": self.message, "innerError": inner}
        if self.detail is not None:
            error["details"] = [{"code": self.detail, "message": self.message}]
        return {"error": error}


def bad_request(message: str, *, detail: str | None = None) -> Refusal:
    """Give the directory's refusal of a request that is wrong in itself."""
    return Refusal(400, "Request_BadRequest", message, detail=detail)


def not_found(name: str) -> Refusal:
    """Give the refusal for an object that is not there, or not there yet."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(404, "Request_ResourceNotFound", message)


def no_such_reference(name: str) -> Refusal:
    """Give the refusal for a body that names an object that is not there, or not there yet."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(400, "Request_ResourceNotFound", message)


def conflict(message: str) -> Refusal:
    """Give the refusal of a second object with a value that has to be the only one."""
    return Refusal(409, "Request_MultipleObjectsWithSameKeyValue", message)

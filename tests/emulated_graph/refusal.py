"""The refusals of the emulated Graph: Graph's statuses and codes; invented codes where it documents none.

Source: microsoft-graph-docs ``concepts/errors.md``, ``concepts/resolve-auth-errors.md``, ``concepts/throttling.md``;
the codes of the directory (``Request_…``) as its answers have them in public reports.
"""

from typing import Any


class Refusal(Exception):
    """An answer that is an error.

    Attributes:
        status: Of the answer.
        code: For programs.
        message: For people.
        detail: The code of one detail, where Graph has one.
    """

    def __init__(self, status: int, code: str, message: str, *, detail: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail

    def as_json(self, request_id: str, date: str) -> dict[str, Any]:
        """Return the body."""
        inner = {"date": date, "request-id": request_id, "client-request-id": request_id}
        error: dict[str, Any] = {"code": self.code, "message": self.message, "innerError": inner}
        if self.detail is not None:
            error["details"] = [{"code": self.detail, "message": self.message}]
        return {"error": error}


def bad_request(message: str, *, detail: str | None = None) -> Refusal:
    """Return the directory's refusal of an invalid request."""
    return Refusal(400, "Request_BadRequest", message, detail=detail)


def not_found(name: str) -> Refusal:
    """Return the refusal for an object that does not exist, or not yet."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(404, "Request_ResourceNotFound", message)


def no_such_reference(name: str) -> Refusal:
    """Return the refusal for a body that names an object that does not exist, or not yet."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(400, "Request_ResourceNotFound", message)


def conflict(message: str) -> Refusal:
    """Return the refusal of a second object with a unique value."""
    return Refusal(409, "Request_MultipleObjectsWithSameKeyValue", message)

"""Rows of an export: a Graph page, a list, objects one after another, a query's tables, diagnostic records, or CSV.

The content decides about the format, not the file's name. Rows are not interpreted here.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.judge.reply_json import ReplyJsonError, loads_each
from selftest.tenant.signin_log.fields import Fields, plain_name
from selftest.tenant.signin_log.read_text import InputError

_WANTED: Final = "expected a Graph page (value), a list, objects, a query's result (tables), records or CSV"
_DELIMITERS: Final = ",;\t"
#: One member of a sign-in as JSON text; Python's own limit is 128 KiB.
_MAX_CELL_CHARACTERS: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row and its place in the file, for messages."""

    place: str
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file.

    Attributes:
        rows: In the file's order.
        more: Whether the file names a next page.
    """

    rows: tuple[LogRow, ...] = field(repr=False)
    more: bool = False


def read_table(text: str, path: str) -> Table:
    """Read rows from text.

    Raises:
        InputError: The format is unknown, or the file is truncated; the message names the place.
    """
    if text.lstrip()[:1] in {"{", "["}:
        return _json_table(text, path)
    rows = tuple(_csv_rows(text, path))
    if not rows:
        raise InputError(path, "a first line without rows; it is not CSV, or an export without sign-ins")
    return Table(rows=rows)


def _json_table(text: str, path: str) -> Table:
    """Read one document, or documents one after another: JSON lines, pages, or objects as PowerShell writes them."""
    tables: list[Table] = []
    lines, counted = 1, 0
    try:
        for start, document in loads_each(text):
            lines, counted = lines + text.count("\n", counted, start), start
            tables.append(_document_table(document, path, f"line {lines}, " if tables else ""))
    except ReplyJsonError as error:
        if text.rstrip()[-1:] not in {"]", "}"}:
            raise InputError(path, f"{error}; the end of the file is missing: export or save it again") from error
        raise InputError(path, f"{error}; {_WANTED}, and the complete file") from error
    return Table(rows=tuple(row for table in tables for row in table.rows), more=tables[-1].more)


def _document_table(document: Any, path: str, before: str) -> Table:
    if isinstance(document, list):
        return Table(rows=tuple(_rows(document, path, f"{before}entry")))
    if not isinstance(document, dict):
        raise InputError(path, f"not a JSON object; {_WANTED}", place=before.removesuffix(", "))
    members = Fields(document)
    for name in ("value", "records"):
        if isinstance(items := members.any(name), list):
            more = members.any("@odata.nextLink") is not None
            return Table(rows=tuple(_rows(items, path, f"{before}{name}, entry")), more=more)
    if isinstance(tables := members.any("tables"), list):
        return Table(rows=tuple(row for table in tables for row in _query_rows(table, path)))
    if "value" in members or "tables" in members or not document:
        raise InputError(path, f"a JSON object without rows; {_WANTED}")
    return Table(rows=tuple(_rows([document], path, f"{before}entry")))


def _rows(items: Iterable[Any], path: str, kind: str) -> Iterator[LogRow]:
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise InputError(path, f"not a JSON object; {_WANTED}", place=f"{kind} {number}")
        # The members of a diagnostic record are one level down.
        inner = item.get("properties")
        yield LogRow(f"{kind} {number}", Fields({**inner, **item} if isinstance(inner, dict) else item))


def _query_rows(table: Any, path: str) -> Iterator[LogRow]:
    columns = table.get("columns") if isinstance(table, dict) else None
    rows = table.get("rows") if isinstance(table, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise InputError(path, "a query's result needs columns and rows", place="tables")
    names = [column.get("name") if isinstance(column, dict) else column for column in columns]
    heads = [name for name in names if isinstance(name, str)]
    if len(heads) != len(names):
        raise InputError(path, "a column without a name", place="tables, columns")
    for number, cells in enumerate(rows, start=1):
        if not isinstance(cells, list) or len(cells) != len(heads):
            raise InputError(path, f"expected {len(heads)} cells", place=f"tables, row {number}")
        yield LogRow(f"row {number}", Fields(dict(zip(heads, cells, strict=True))))


def _csv_rows(text: str, path: str) -> Iterator[LogRow]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in first:
        raise InputError(path, f"neither JSON nor CSV: its first line has one column; {_WANTED}", place="line 1")
    previous = csv.field_size_limit(_MAX_CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        heads: list[str] | None = None
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if heads is None:
                heads = [plain_name(cell) for cell in cells]
            elif len(cells) != len(heads):
                reason = f"{len(cells)} columns instead of {len(heads)}; is the file whole?"
                raise InputError(path, reason, place=f"line {reader.line_num}")
            else:
                yield LogRow(f"line {reader.line_num}", Fields(dict(zip(heads, cells, strict=True))))
    except csv.Error as error:
        raise InputError(path, f"not CSV: {error}", place=f"line {reader.line_num}") from error
    finally:
        csv.field_size_limit(previous)

"""`Dialect`: the differences between databases that understand nearly the same SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeAlias

import attrs

from persona_cases.export.columns.types import ColumnType
from persona_cases.export.formats.sqlite_cells import quoted

__all__ = ["INDEXES", "Cells", "Connection", "Dialect", "Rows"]

INDEXES: Final = (
    "CREATE INDEX cases_by_created_at ON cases (created_at)",
    "CREATE INDEX cases_by_status ON cases (status)",
    "CREATE INDEX fields_by_case ON fields (case_id)",
    "CREATE INDEX relationships_by_case ON relationships (case_id)",
    "CREATE INDEX relationships_by_id ON relationships (id)",
    "CREATE INDEX versions_by_creation ON persona_versions (created_at)",
)
"""The statements that create the indexes, except one on `fields` that depends on the database."""

Cells: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Converts the values of a column to those that the database stores."""

Rows: TypeAlias = list[tuple[Any, ...]]


class Connection(Protocol):
    """A connection to a database."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement, and return its rows."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


@attrs.frozen(kw_only=True)
class Dialect:
    """The differences of a database.

    Attributes:
        mark: the placeholder for a parameter.
        native: returns the database's type for a column.
        cells: returns a function that converts the values of a column to those that the database stores.
        field_cell: the same for one value in the table `fields`.
        any_type: the type of a column for any values.
        key: the suffix of the definition of a key column.
        indexes: the statements that create the indexes; empty if the database needs none.
        begin: the statement that begins a transaction.
        most_columns: maximum number of columns per table.
        most_parameters: maximum number of parameters per statement.
        by_columns: whether to insert rows as one list per column, which is faster in some databases.
        guard: converts errors of the database to ours, which contain no values.
    """

    mark: str
    native: Callable[[ColumnType], str]
    cells: Callable[[ColumnType], Cells]
    field_cell: Callable[[Any], Any]
    any_type: str
    key: str
    indexes: tuple[str, ...]
    begin: str
    most_columns: int
    most_parameters: int
    by_columns: bool = False
    guard: Callable[[], AbstractContextManager[None]]

    def name(self, name: str) -> str:
        """Return a name quoted for a statement."""
        return quoted(name).replace("%", "%%") if self.mark == "%s" else quoted(name)

    def marks(self, count: int) -> str:
        """Return placeholders in brackets."""
        return f"({', '.join([self.mark] * count)})"

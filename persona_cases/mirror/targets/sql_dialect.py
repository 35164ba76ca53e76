"""`Dialect`: in what databases differ that understand nearly the same SQL."""

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
"""The statements that make the indexes, but for one of `fields` that depends on the database."""

Cells: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Turns the values of a column into what the database stores."""

Rows: TypeAlias = list[tuple[Any, ...]]


class Connection(Protocol):
    """A connection to a database."""

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement, and return the rows that it gives."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


@attrs.frozen(kw_only=True)
class Dialect:
    """In what a database differs.

    Attributes:
        mark: the placeholder of a parameter.
        native: the type that the database is told for a column.
        cells: what turns the values of a column into what the database stores.
        field_cell: the same for one value in the table `fields`.
        any_type: the type of a column of any values.
        key: what follows the definition of a column that is the key of a table.
        indexes: the statements that make the indexes; none if the database needs none.
        begin: the statement that begins a transaction.
        most_columns: how many columns a table can have.
        most_parameters: how many parameters a statement can have.
        by_columns: whether rows are inserted as one list per column, which some databases take faster.
        guard: turns errors of the database into ours, in whose texts no value is.
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
        """Return a name as a statement has it."""
        return quoted(name).replace("%", "%%") if self.mark == "%s" else quoted(name)

    def marks(self, count: int) -> str:
        """Return placeholders in brackets."""
        return f"({', '.join([self.mark] * count)})"

"""A table of cases that is printed page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from persona_cases.cli.screen.table_cells import cell
from persona_cases.models import Case

__all__ = ["CaseTable"]

# The most useful first: the table shows as many as fit.
_COLUMNS: Final = ("id", "status", "name", "created_at", "updated_at", "assignee_id", "tags", "resolution")
_STYLES: Final = {"id": "cyan", "status": "bold"}
_NARROWEST: Final = 8
_GAP: Final = 2


class CaseTable:
    """A table whose column widths are fixed by the first page of cases.

    Args:
        console: where to print the table.
        columns: the attributes to show beside the id; None to choose columns that fit.
    """

    def __init__(self, console: Console, columns: Sequence[str] | None) -> None:
        self._console = console
        self._asked = columns
        self._widths: dict[str, int] = {}

    def write(self, items: Iterable[Case]) -> None:
        """Print more rows."""
        documents = [case.to_dict() for case in items]
        if not documents:
            return
        first = not self._widths
        if first:
            self._widths = self._fitted(documents)
        table = Table(
            box=box.SIMPLE_HEAD,
            show_header=first,
            show_edge=False,
            pad_edge=False,
            padding=(0, _GAP - 1, 0, 0),
        )
        for name, width in self._widths.items():
            # A truncated id is useless.
            whole = name == "id"
            table.add_column(
                name,
                width=width,
                no_wrap=not whole,
                overflow="fold" if whole else "ellipsis",
                style=_STYLES.get(name, ""),
            )
        for document in documents:
            table.add_row(*(Text(cell(document, name)) for name in self._widths))
        self._console.print(table)

    def finish(self) -> None:
        """Do nothing: nothing follows the last row."""

    def _fitted(self, documents: list[dict[str, Any]]) -> dict[str, int]:
        names = _COLUMNS if self._asked is None else tuple(dict.fromkeys(("id", *self._asked)))
        widths = {name: _widest(documents, name) for name in names}
        if self._asked is None:
            return _leading(widths, self._console.width)
        return _narrowed(widths, self._console.width)


def _widest(documents: list[dict[str, Any]], name: str) -> int:
    return max(cell_len(name), *(cell_len(cell(document, name)) for document in documents))


def _leading(widths: dict[str, int], room: int) -> dict[str, int]:
    """Return as many columns from the left as fit, but at least one."""
    kept: dict[str, int] = {}
    used = 0
    for name, width in widths.items():
        used += width + (_GAP if kept else 0)
        if kept and used > room:
            break
        kept[name] = width
    return kept


def _narrowed(widths: dict[str, int], room: int) -> dict[str, int]:
    """Return all columns, with the widest, except the id, narrowed until they fit."""
    narrowed = dict(widths)
    while sum(narrowed.values()) + _GAP * (len(narrowed) - 1) > room:
        name, width = max(narrowed.items(), key=lambda column: 0 if column[0] == "id" else column[1])
        if name == "id" or width <= _NARROWEST:
            break
        narrowed[name] = width - 1
    return narrowed

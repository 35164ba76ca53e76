"""The options of changes of many cases, and what they select."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import attrs
from typer import Argument

from persona_cases.changes import Change, Update
from persona_cases.cli.options.given import json_document, path_or_stdin
from persona_cases.cli.options.option_groups import under
from persona_cases.cli.options.selection import expression
from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.urls import segment
from persona_cases.query import Predicate

__all__ = ["Bulk", "CaseIds", "FirstId", "Which", "pairs_in_csv"]

_which: Final = under("Which cases")
_many: Final = under("Many cases")

CaseIds: TypeAlias = Annotated[
    list[str] | None,
    Argument(metavar="ID", help="Ids of the cases; without them, --where or --ids.", show_default=False),
]

FirstId: TypeAlias = Annotated[
    str | None, Argument(metavar="ID", help="Id of the case; leave it out with --where or --ids.", show_default=False)
]

_NO_CASE: Final = "no case given: give its id, or several with --ids or --where"
_JSON: Final = ":json"


@attrs.frozen(kw_only=True)
class Bulk:
    """Which cases to change, and how to change many."""

    where: Annotated[
        list[str] | None,
        _which(metavar="TEXT", help="All cases that match: \"status == 'open'\". If repeated, all must hold."),
    ] = None
    ids_from: Annotated[
        str | None,
        _which("--ids", metavar="PATH|-", help="Cases of a file or stdin: an id per line, or cases as JSON Lines."),
    ] = None
    only_if: Annotated[
        str | None, _which(metavar="TEXT", help="Skip cases for which this does not hold right before their change.")
    ] = None
    journal: Annotated[
        str | None,
        _many(metavar="PATH", help="Where to write down what is done; the same command resumes from it."),
    ] = None
    dry_run: Annotated[bool, _many("--dry-run", help="Only say what would become of each case.")] = False
    yes: Annotated[bool, _many("--yes", "-y", help="Change many cases without asking.")] = False
    max_failures: Annotated[int | None, _many(min=1, metavar="N", help="End after this many failed cases.")] = None
    retry_failed: Annotated[
        bool, _many("--retry-failed", help="Try cases again that an earlier run left as failed or indeterminate.")
    ] = False
    restart: Annotated[bool, _many("--restart", help="Discard the journal, and select the cases again.")] = False
    concurrency: Annotated[
        int | None, _many(min=1, metavar="N", help="How many cases to change at the same time. Default: 10.")
    ] = None

    @property
    def is_given(self) -> bool:
        """Whether any of them is given."""
        return self != Bulk()

    @property
    def from_stdin(self) -> bool:
        """Whether the ids come from stdin."""
        return self.ids_from == "-"


@attrs.frozen
class Which:
    """The cases to change, as the command line gives them.

    Attributes:
        ids: the ids among the arguments.
        bulk: the other options.
    """

    ids: Sequence[str]
    bulk: Bulk

    @classmethod
    def of(cls, ids: Sequence[str] | None, bulk: Bulk) -> Which:
        """Return the cases of a command whose arguments may be ids."""
        return cls(ids or (), bulk)

    @classmethod
    def split(cls, first: str | None, others: Sequence[str] | None, bulk: Bulk) -> tuple[Which, list[str]]:
        """Return the cases, and the other words: the first word is an id, unless `--where` or `--ids` says which."""
        listed = [*([] if first is None else [first]), *(others or ())]
        count = 0 if bulk.where or bulk.ids_from else 1
        return cls(listed[:count], bulk), listed[count:]

    @property
    def one(self) -> str | None:
        """The id if one case is to be changed and printed; None for many, and for one with a journal or the like.

        Raises:
            InvalidArgumentError: if there is none.
        """
        if self.bulk.is_given or len(self.ids) > 1:
            return None
        if not self.ids:
            raise InvalidArgumentError(_NO_CASE)
        return self.ids[0]

    def selected(self) -> Predicate | list[str]:
        """Return the query or the ids; it may read stdin.

        Raises:
            InvalidArgumentError: if there is none or more than one of them, or a file cannot be read.
            QueryError: if the query is invalid.
        """
        options = (("ids", self.ids), ("--where", self.bulk.where), ("--ids", self.bulk.ids_from))
        given = [name for name, value in options if value]
        if not given:
            raise InvalidArgumentError(_NO_CASE)
        if len(given) > 1:
            raise InvalidArgumentError(f"give {' or '.join(given)}: only one can say which cases")
        if self.bulk.where:
            return expression(self.bulk.where, "--where")
        if self.bulk.ids_from is not None:
            return list(_ids_in(path_or_stdin(self.bulk.ids_from, "--ids")))
        for each in self.ids:
            segment(each, "each id")
        return list(self.ids)


def pairs_in_csv(given: str) -> list[tuple[str, Change]]:
    """Return the updates in a CSV file: a column `id`, and one for each field, `KEY` or `KEY:json`.

    An empty cell leaves its field as it is.

    Args:
        given: the path of the file; `-` for stdin.

    Raises:
        InvalidArgumentError: if the file cannot be read, or a line makes no update. The message names the line and
            shows nothing of it.
    """
    table = csv.reader(io.StringIO(_text(path_or_stdin(given, "--csv"), "--csv"), newline=""), strict=True)
    try:
        columns = next(table, list[str]())
        if "id" not in columns or len(set(columns)) < len(columns) or len(columns) == 1 or not all(columns):
            raise InvalidArgumentError(
                "--csv: the first line must name the columns: id and the keys of fields, each once"
            )
        lines: dict[str, int] = {}
        pairs: list[tuple[str, Change]] = []
        for cells in table:
            which = f"--csv, line {table.line_num}"
            if not cells:
                continue
            if len(cells) != len(columns):
                raise InvalidArgumentError(f"{which}: it must have {len(columns)} cells, as the first line has")
            case_id, update = _update_in(dict(zip(columns, cells, strict=True)), which)
            if case_id in lines:
                raise InvalidArgumentError(f"{which}: the id is on line {lines[case_id]} already: keep one of them")
            lines[case_id] = table.line_num
            pairs.append((case_id, update))
    except csv.Error as error:
        raise InvalidArgumentError(f"--csv, line {table.line_num}: {error}") from None
    return pairs


def _update_in(row: dict[str, str], which: str) -> tuple[str, Change]:
    case_id = row.pop("id").strip()
    segment(case_id, f"{which}: the id")
    fields: dict[str, Any] = {}
    for column, cell in row.items():
        key = column.removesuffix(_JSON)
        if cell and column != key:
            fields[key] = json_document(cell.encode(), which, f"the cell of {column!r} is not JSON", exact=True)
        elif cell:
            fields[key] = cell
    if not fields:
        raise InvalidArgumentError(f"{which}: it sets no field: remove it")
    return case_id, Update(fields=fields)


def _ids_in(data: bytes) -> Iterator[str]:
    for number, line in enumerate(_text(data, "--ids").splitlines(), start=1):
        which = f"--ids, line {number}"
        if text := line.strip():
            case_id = _id_in(text, which) if text.startswith("{") else text
            segment(case_id, which)
            yield case_id


def _id_in(text: str, which: str) -> str:
    document = json_document(text.encode(), which, "it is neither an id nor a case as JSON")
    case_id = cast("dict[str, object]", document).get("id")
    if not isinstance(case_id, str):
        raise InvalidArgumentError(f"{which}: the JSON has no id")
    return case_id


def _text(data: bytes, option: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidArgumentError(f"{option}: the file must be UTF-8 text") from None

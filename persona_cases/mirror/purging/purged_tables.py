"""Erasure of redacted cases from Parquet files and SQLite databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.columns.batch import BatchReader
from persona_cases.export.columns.cells import as_values
from persona_cases.export.formats import packages
from persona_cases.export.formats.side_rows import relationship_rows
from persona_cases.export.formats.sqlite_cells import quoted, to_cells
from persona_cases.export.formats.sqlite_errors import guarded
from persona_cases.export.provenance import PROVENANCE
from persona_cases.export.spool.workplace import Workplace
from persona_cases.mirror.purging.left_behind import ExportedFile
from persona_cases.mirror.purging.redacted_rows import Holding, redacted_cells

__all__ = ["PurgedParquet", "PurgedSqlite"]

# pyarrow writes this entry itself.
_SCHEMA: Final = b"ARROW:schema"
_MIRROR: Final = "persona_sync"
_HELD: Final = "another program holds the database: close it, and purge again"


@attrs.frozen
class PurgedParquet(ExportedFile):
    """A Parquet file."""

    def find(self, redacted: AbstractSet[str]) -> Holding:
        """Return which of these cases are in the file."""
        with self._open() as file:
            if "id" not in file.schema_arrow.names:
                raise InvalidArgumentError(f"{self.path}: not an export of cases, because it has no column id")
            batches = file.iter_batches(columns=["id"])
            return Holding(frozenset(id for batch in batches for id in batch.column(0).to_pylist() if id in redacted))

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Write these cases as they are now, and return how many rows that changed."""
        with Workplace(self.path) as place:
            output = place.file()
            try:
                changed = self._write(output.part, redacted)
                if changed:
                    output.commit()
            finally:
                output.discard()
        return changed

    def _write(self, part: Path, redacted: Mapping[str, bytes]) -> int:
        changed = 0
        with self._open() as file:
            writer = packages.pyarrow("pyarrow.parquet").ParquetWriter(str(part), file.schema_arrow, compression="zstd")
            for number in range(file.num_row_groups):
                table, rows = _replaced(file.read_row_group(number), redacted)
                changed += rows
                writer.write_table(table, row_group_size=max(1, table.num_rows))
            told: dict[bytes, bytes] = file.metadata.metadata or {}
            writer.add_key_value_metadata({key: value for key, value in told.items() if key != _SCHEMA})
            writer.close()
        return changed

    def _open(self) -> Any:
        parquet = packages.pyarrow("pyarrow.parquet")
        try:
            return parquet.ParquetFile(str(self.path))
        except ValueError:
            # Arrow's own error quotes data.
            pass
        raise InvalidArgumentError(f"{self.path}: not a Parquet file: purge takes files that exports wrote")


def _replaced(table: Any, redacted: Mapping[str, bytes]) -> tuple[Any, int]:
    """Return the same table with new rows for some cases, and how many rows differ."""
    ids = table.column("id").to_pylist()
    wanted = {number: id for number, id in enumerate(ids) if id in redacted}
    if not wanted:
        return table, 0
    columns = [table.column(name).to_pylist() for name in table.column_names]
    changed = 0
    for number, id in wanted.items():
        before = [column[number] for column in columns]
        cells = redacted_cells(redacted[id], before, table.column_names, as_values)
        changed += cells != before
        for column, cell in zip(columns, cells, strict=True):
            column[number] = cell
    return packages.pyarrow("pyarrow").Table.from_arrays(
        [
            packages.pyarrow("pyarrow").array(column, type=field.type)
            for column, field in zip(columns, table.schema, strict=True)
        ],
        schema=table.schema,
    ), changed


@attrs.frozen
class PurgedSqlite(ExportedFile):
    """A SQLite database that an export wrote."""

    def find(self, redacted: AbstractSet[str]) -> Holding:
        """Return which of these cases are in the database."""
        with guarded(_HELD), closing(self._open()) as database:
            return Holding(frozenset(id for (id,) in database.execute("SELECT id FROM cases") if id in redacted))

    def replace(self, redacted: Mapping[str, bytes]) -> int:
        """Write these cases as they are now, and return how many rows that changed."""
        changed = 0
        with guarded(_HELD), closing(self._open()) as database:
            database.execute("PRAGMA secure_delete = ON")
            names = [row[1] for row in database.execute("PRAGMA table_info(cases)")]
            database.execute("BEGIN IMMEDIATE")
            # An export of some attributes has the rows of no other relationships.
            related = {name for (name,) in database.execute("SELECT DISTINCT name FROM relationships")}
            for id, line in redacted.items():
                changed += _replace_rows(database, names, related, id, line)
            database.execute("COMMIT")
            if changed:
                # Rows that moved between pages may have left copies.
                database.execute("VACUUM")
                # If the database was switched to a write-ahead log, the log has the old pages.
                ((busy, *_),) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if busy:
                    raise ClientStateError(_HELD)
        return changed

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError:
            names = set[str]()
        if PROVENANCE in names:
            return database
        database.close()
        if _MIRROR in names:
            raise InvalidArgumentError(f"{self.path}: a mirror: sync it, which erases what was redacted")
        raise InvalidArgumentError(f"{self.path}: not an export of cases: purge takes files that exports wrote")


def _replace_rows(database: sqlite3.Connection, names: list[str], related: set[str], id: str, line: bytes) -> bool:
    listed = ", ".join(map(quoted, names))
    there = database.execute(f"SELECT {listed} FROM cases WHERE id = ?", (id,)).fetchone()  # noqa: S608 - quoted names
    if there is None:
        return False
    shown = redacted_cells(line, there, names, to_cells)
    if list(there) == shown:
        return False
    database.execute("DELETE FROM fields WHERE case_id = ?", (id,))
    database.execute("DELETE FROM relationships WHERE case_id = ?", (id,))
    assigned = ", ".join(f"{quoted(name)} = ?" for name in names)
    database.execute(f"UPDATE cases SET {assigned} WHERE id = ?", (*shown, id))  # noqa: S608 - quoted names
    rows = relationship_rows(BatchReader().read([line]))
    database.executemany("INSERT INTO relationships VALUES (?, ?, ?, ?)", [row for row in rows if row[1] in related])
    return True

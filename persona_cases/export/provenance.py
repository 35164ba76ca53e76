"""`Provenance`: how a file was made, written into files that have a place for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["PROVENANCE", "Provenance"]

PROVENANCE: Final = "persona_export"
"""The name of the table in SQLite, and of the entry in the metadata of Parquet."""


class Provenance:
    """How a file was made.

    Args:
        settings: the arguments of the export, by name, as plain data for JSON.
        library: the version of this library.
        snapshot_at: when the export began, in UTC; a resumed export keeps the time of its first run.
    """

    def __init__(self, *, settings: Mapping[str, Any], library: str, snapshot_at: datetime) -> None:
        self._settings = settings
        self._library = library
        self.snapshot_at: datetime = snapshot_at

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return {
            **self._settings,
            "library": f"persona-cases {self._library}",
            "snapshot_at": self.snapshot_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

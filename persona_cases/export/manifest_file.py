"""`<name>.manifest.json` next to an exported file: how the file was made, and what it contains."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from persona_cases.export.provenance import Provenance
from persona_cases.export.report import ExportReport
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.disk import set_mode

__all__ = ["account_path", "write_account"]

_COUNTS: Final = ("cases", "size", "rejected", "empty_columns", "attachments")
_PERMISSIONS: Final = 0o777


def account_path(output: str | os.PathLike[str]) -> Path:
    """Return the path of a file's manifest."""
    path = Path(os.fsdecode(output))
    return path.with_name(f"{path.name}.manifest.json")


def write_account(output: str | os.PathLike[str], provenance: Provenance, report: ExportReport) -> None:
    """Write the manifest of a complete file atomically, with the permissions of the file.

    Args:
        output: the file.
        provenance: how it was made.
        report: what it contains.

    Raises:
        OSError: if it cannot be written.
    """
    told = report.to_dict()
    content = {"file": Path(os.fsdecode(output)).name, **provenance.to_dict(), **{name: told[name] for name in _COUNTS}}
    file = AtomicFile(account_path(output))
    try:
        if not file.path.exists():
            set_mode(file.part, stat.S_IMODE(Path(os.fsdecode(output)).stat().st_mode) & _PERMISSIONS)
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        file.commit()
    finally:
        file.discard()

"""Exports of pages to files: JSON Lines, CSV, Parquet, SQLite, and custom sinks.

Each name is imported on first use, so the command line can list the formats without loading them.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.export.attachments.attachment_report import AttachmentReport
    from persona_cases.export.columns.column import Column
    from persona_cases.export.columns.declared import columns_from
    from persona_cases.export.columns.types import ColumnKind, ColumnType
    from persona_cases.export.formats.target import CompressionName, FormatName
    from persona_cases.export.progress import ExportProgress, OnProgress
    from persona_cases.export.ranges.time_range import TimeRange
    from persona_cases.export.report import ExportReport
    from persona_cases.export.sinks import Sink

__all__ = [
    "AttachmentReport",
    "Column",
    "ColumnKind",
    "ColumnType",
    "CompressionName",
    "ExportProgress",
    "ExportReport",
    "FormatName",
    "OnProgress",
    "Sink",
    "TimeRange",
    "columns_from",
]

_HOMES = {
    "persona_cases.export.attachments.attachment_report": ("AttachmentReport",),
    "persona_cases.export.columns.column": ("Column",),
    "persona_cases.export.columns.declared": ("columns_from",),
    "persona_cases.export.columns.types": ("ColumnKind", "ColumnType"),
    "persona_cases.export.formats.target": ("CompressionName", "FormatName"),
    "persona_cases.export.progress": ("ExportProgress", "OnProgress"),
    "persona_cases.export.ranges.time_range": ("TimeRange",),
    "persona_cases.export.report": ("ExportReport",),
    "persona_cases.export.sinks": ("Sink",),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

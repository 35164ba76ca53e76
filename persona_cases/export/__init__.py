"""From pages to files: JSON Lines, CSV, Parquet, SQLite, and sinks of one's own."""

from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.columns.column import Column
from persona_cases.export.columns.declared import columns_from
from persona_cases.export.columns.types import ColumnKind, ColumnType
from persona_cases.export.formats.target import CompressionName, FormatName
from persona_cases.export.progress import ExportProgress, OnProgress
from persona_cases.export.ranges.time_range import TimeRange
from persona_cases.export.report import ExportReport
from persona_cases.export.sinks import Sink
from persona_cases.surface import publish

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

publish("persona_cases", ExportProgress, ExportReport)
publish(__name__, AttachmentReport, Column, ColumnKind, ColumnType, Sink, TimeRange, columns_from)


def __dir__() -> list[str]:
    return __all__

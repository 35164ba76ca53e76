"""`Column`, and the columns with which every table of cases begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from persona_cases.export.columns.types import JSON, TEXT, TEXTS, TIME, ColumnType
from persona_cases.surface import publish

__all__ = ["ATTACHMENTS", "FIXED", "RAW", "RELATIONSHIP_COLUMNS", "Column"]

ATTACHMENTS: Final = "attachments"
RAW: Final = "raw"
"""The column that has the whole case as the API sent it, in tables that are to have it."""


@attrs.frozen
class Column:
    """A column of a table of cases.

    Attributes:
        name: its name.
        type: the type of its values; any value may be missing.
    """

    name: str
    type: ColumnType


RELATIONSHIP_COLUMNS: Final[Mapping[str, Column]] = {
    "accounts": Column("account_ids", TEXTS),
    "case_template": Column("case_template_id", TEXT),
    "case_queue": Column("case_queue_id", TEXT),
    "inquiries": Column("inquiry_ids", TEXTS),
    "reports": Column("report_ids", TEXTS),
    "verifications": Column("verification_ids", TEXTS),
    "txns": Column("transaction_ids", TEXTS),
    "case_comments": Column("case_comment_ids", TEXTS),
}
"""The columns of relationships, by the API's names of these."""

FIXED: Final[tuple[Column, ...]] = (
    Column("id", TEXT),
    *(Column(name, TEXT) for name in ("status", "name", "resolution")),
    *(Column(f"{name}_at", TIME) for name in ("created", "updated", "assigned", "resolved", "redacted", "sla_expires")),
    *(
        Column(name, TEXT)
        for name in (
            "creator_id",
            "creator_type",
            "assignee_id",
            "assigner_id",
            "assigner_type",
            "resolver_id",
            "resolver_type",
            "updater_id",
            "updater_type",
        )
    ),
    Column("tags", TEXTS),
    Column(ATTACHMENTS, JSON),
    *RELATIONSHIP_COLUMNS.values(),
)
"""The documented attributes of every case. See https://docs.withpersona.com/api-reference/cases."""


publish("persona_cases.export", Column)

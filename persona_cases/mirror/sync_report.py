"""`SyncReport`: the result of a sync."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

import attrs

from persona_cases.export.wording import duration, plural
from persona_cases.surface import publish

__all__ = ["Reconciled", "SyncReport"]

Reconciled: TypeAlias = Literal["no", "asked", "gap"]
"""Whether a sync compared the mirror with the list, and the reason."""


@attrs.frozen(kw_only=True)
class SyncReport:
    """The result of a sync.

    Attributes:
        added: number of cases that the mirror did not have.
        updated: number of cases that had changed.
        unchanged: number of cases that were read and had not changed.
        redacted: number of cases that had been redacted; their old values are erased.
        departed: number of cases that no longer match or no longer exist; their rows are deleted.
        rejected: number of undecodable cases in the table `rejected` after this sync.
        requests: number of requests to the API. Each attempt counts, even if it failed.
        elapsed: seconds that the sync took.
        watermark: the `updated_at` up to which changes are in the mirror, in UTC; None if there are no cases.
        reconciled: whether the mirror was compared with the list: `no`, `asked`, or `gap` if searches missed changes.
        resumed: whether this sync resumed an interrupted one.
    """

    added: int
    updated: int
    unchanged: int
    redacted: int
    departed: int
    rejected: int = 0
    requests: int
    elapsed: float
    watermark: datetime | None
    reconciled: Reconciled = "no"
    resumed: bool = False

    def __str__(self) -> str:
        counts = ", ".join(
            f"{getattr(self, name):,} {name}" for name in ("added", "updated", "unchanged", "redacted", "departed")
        )
        why = {"no": "", "asked": "; reconciled", "gap": "; reconciled because searches had missed changes"}
        took = f"{plural(self.requests, 'request')} in {duration(self.elapsed)}"
        aside = f"; set aside {plural(self.rejected, 'case')} that could not be decoded" if self.rejected else ""
        return f"{counts}: {took}{why[self.reconciled]}{aside}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON, under the names of the attributes; `elapsed` to the millisecond."""
        watermark = None if self.watermark is None else self.watermark.isoformat(timespec="milliseconds")
        return {
            **attrs.asdict(self),
            "elapsed": round(self.elapsed, 3),
            "watermark": None if watermark is None else watermark.replace("+00:00", "Z"),
        }


publish("persona_cases.mirror", SyncReport)

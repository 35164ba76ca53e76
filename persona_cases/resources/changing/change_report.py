"""`ChangeReport`: what became of each row, and what a run tells before and meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from persona_cases.changes import Change
from persona_cases.export.wording import duration, plural
from persona_cases.json_values import json_value
from persona_cases.models import UNSET
from persona_cases.surface import publish

__all__ = ["ChangePlan", "ChangeProgress", "ChangeReport", "ChangeRow", "RowOutcome"]

RowOutcome: TypeAlias = Literal["changed", "unchanged", "skipped", "failed", "indeterminate", "pending"]
"""What became of a row; `pending` has not been tried, or certainly not been changed, and the next run tries it."""

_OUTCOMES: Final = ("changed", "unchanged", "skipped", "failed", "indeterminate")


@attrs.frozen(kw_only=True)
class ChangeRow:
    """One row of a run: its input, and what became of it.

    Attributes:
        case_id: the id of the case.
        change: the change; None if the function that makes it was not asked, or wanted none.
        outcome: `changed`; `unchanged`, if the case showed it already; `skipped`, if `only_if` did not hold or the
            function returned None; `failed`; `indeterminate`, if nobody knows; `pending`, if the run ended before.
        reason: why, in words; None for `changed` and `unchanged`.
        status: the HTTP status of the error, if there was one.
        titles: what the API said.
        request_id: the vendor's id of the request that failed.
    """

    case_id: str
    change: Change | None
    outcome: RowOutcome
    reason: str | None = None
    status: int | None = None
    titles: tuple[str, ...] = ()
    request_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data for JSON, with the values of the change."""
        return {
            "id": self.case_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "status": self.status,
            "titles": list(self.titles),
            "request_id": self.request_id,
            "change": None if self.change is None else _change_dict(self.change),
        }


@attrs.frozen(kw_only=True)
class ChangeProgress:
    """How far a run is.

    Attributes:
        done: rows that have ended, those of earlier runs included.
        total: all rows.
        failed: how many of the rows that have ended failed.
        indeterminate: of how many of them nobody knows whether they were changed.
    """

    done: int
    total: int
    failed: int
    indeterminate: int


@attrs.frozen(kw_only=True)
class ChangePlan:
    """What a run is about to do, before its first write.

    Attributes:
        case_ids: the ids of the cases of all rows, in their order.
        total: all rows.
        done: rows that earlier runs have ended.
        requests: how many requests the other rows take, at most if nothing fails.
        seconds: how long that takes at the rate limit as it is now.
    """

    case_ids: tuple[str, ...]
    total: int
    done: int
    requests: int
    seconds: float


@attrs.frozen(kw_only=True)
class ChangeReport:
    """What became of the rows of a run.

    Attributes:
        rows: each row, in the order of the selection.
        requests: requests to the API that this run sent. Each attempt counts.
        elapsed: how many seconds this run took.
        resumed: whether this run resumed an earlier one.
        dry_run: whether nothing was changed: outcomes are what would become of the rows.
        seconds: for a dry run, how long the run would take at the rate limit as it is now.
    """

    rows: tuple[ChangeRow, ...]
    requests: int
    elapsed: float
    resumed: bool = False
    dry_run: bool = False
    seconds: float | None = None

    @property
    def changed(self) -> int:
        """How many rows were changed."""
        return self.counts["changed"]

    @property
    def unchanged(self) -> int:
        """How many rows needed no change."""
        return self.counts["unchanged"]

    @property
    def skipped(self) -> int:
        """How many rows were not to be changed, as `only_if` or the function says."""
        return self.counts["skipped"]

    @property
    def failed(self) -> int:
        """How many rows failed."""
        return self.counts["failed"]

    @property
    def indeterminate(self) -> int:
        """Of how many rows nobody knows whether they were changed."""
        return self.counts["indeterminate"]

    @property
    def pending(self) -> int:
        """How many rows the next run tries."""
        return self.counts["pending"]

    @property
    def counts(self) -> Mapping[RowOutcome, int]:
        """How many rows have each outcome."""
        return Counter(row.outcome for row in self.rows)

    def __str__(self) -> str:
        counts = self.counts
        parts = [f"{counts[name]:,} {name}" for name in _OUTCOMES]
        if counts["pending"]:
            parts.append(f"{counts['pending']:,} pending")
        would = "dry run: " if self.dry_run else ""
        again = ", resumed" if self.resumed else ""
        took = f"{plural(self.requests, 'request')} in {duration(self.elapsed)}{again}"
        if self.seconds is not None:
            took += f"; the run would take about {duration(self.seconds)} at the present rate limit"
        return f"{would}{plural(len(self.rows), 'case')}: {', '.join(parts)}\n{took}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON, with the values of the changes."""
        return {
            **{name: self.counts[name] for name in (*_OUTCOMES, "pending")},
            "requests": self.requests,
            "elapsed": round(self.elapsed, 3),
            "resumed": self.resumed,
            "dry_run": self.dry_run,
            "seconds": self.seconds,
            "rows": [row.to_dict() for row in self.rows],
        }


def _change_dict(change: Change) -> dict[str, Any]:
    given = {
        name: value
        for name, value in attrs.asdict(change, recurse=False).items()
        if name not in {"attachments", "repeatable"} and value is not UNSET and value is not None
    }
    return {"name": type(change).__name__, **{name: json_value(value, name) for name, value in given.items()}}


publish("persona_cases", ChangePlan, ChangeProgress, ChangeReport, ChangeRow)

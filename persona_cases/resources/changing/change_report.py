"""`ChangeReport`: the outcome of each row, and the plan and progress of a run."""

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
"""The outcome of a row. A `pending` row was not tried, or certainly not changed, and the next run tries it."""

_OUTCOMES: Final = ("changed", "unchanged", "skipped", "failed", "indeterminate")


@attrs.frozen(kw_only=True)
class ChangeRow:
    """One row of a run: its input and its outcome.

    Attributes:
        case_id: the id of the case.
        change: the change; None if the function that makes it was not called, or returned None.
        outcome: `changed`; `unchanged`, if the case already showed the change; `skipped`, if `only_if` did not hold or
            the function returned None; `failed`; `indeterminate`, if it is unknown whether the change was made;
            `pending`, if the run ended first.
        reason: the reason in words; None for `changed` and `unchanged`.
        status: the HTTP status of the error, if there was one.
        titles: the titles of the API's errors.
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
    """The progress of a run.

    Attributes:
        done: number of finished rows, including those of earlier runs.
        total: number of all rows.
        failed: number of finished rows that failed.
        indeterminate: number of finished rows for which it is unknown whether they were changed.
    """

    done: int
    total: int
    failed: int
    indeterminate: int


@attrs.frozen(kw_only=True)
class ChangePlan:
    """The work that a run is about to do, before its first write.

    Attributes:
        case_ids: the case ids of all rows, in order.
        total: number of all rows.
        done: number of rows that earlier runs finished.
        requests: maximum number of requests that the other rows take if nothing fails.
        seconds: seconds that these requests take at the current rate limit.
    """

    case_ids: tuple[str, ...]
    total: int
    done: int
    requests: int
    seconds: float


@attrs.frozen(kw_only=True)
class ChangeReport:
    """The outcome of a run.

    Attributes:
        rows: each row, in the order of the selection.
        requests: number of requests that this run sent to the API. Each attempt counts.
        elapsed: seconds that this run took.
        resumed: whether this run resumed an earlier one.
        dry_run: whether nothing was changed. The outcomes are then predictions.
        seconds: for a dry run, the seconds that the real run would take at the current rate limit.
    """

    rows: tuple[ChangeRow, ...]
    requests: int
    elapsed: float
    resumed: bool = False
    dry_run: bool = False
    seconds: float | None = None

    @property
    def changed(self) -> int:
        """Number of rows that were changed."""
        return self.counts["changed"]

    @property
    def unchanged(self) -> int:
        """Number of rows that needed no change."""
        return self.counts["unchanged"]

    @property
    def skipped(self) -> int:
        """Number of rows that `only_if` or the function excluded."""
        return self.counts["skipped"]

    @property
    def failed(self) -> int:
        """Number of rows that failed."""
        return self.counts["failed"]

    @property
    def indeterminate(self) -> int:
        """Number of rows for which it is unknown whether they were changed."""
        return self.counts["indeterminate"]

    @property
    def pending(self) -> int:
        """Number of rows that the next run will try."""
        return self.counts["pending"]

    @property
    def counts(self) -> Mapping[RowOutcome, int]:
        """Number of rows by outcome."""
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

"""`ExportReport`: the result of an export."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import attrs

from persona_cases.export.attachments.attachment_report import AttachmentReport
from persona_cases.export.wording import duration, plural, size
from persona_cases.surface import publish

__all__ = ["ExportReport"]


_MOST_NAMES: Final = 5


@attrs.frozen(kw_only=True)
class ExportReport:
    """The result of an export.

    If the run resumed an earlier one, the cases of that run count, because they are in the file. Pages, requests, time
    and fetchers are only those of this run.

    Attributes:
        cases: number of cases exported, including those of an earlier run.
        pages: number of pages that this run fetched.
        size: size of the finished file in bytes; for a custom sink, the bytes passed to it.
        requests: number of requests that this run sent to the API. Each attempt counts, even if it failed.
        refused: how many of them got a 429 response (https://docs.withpersona.com/rate-limiting).
        elapsed: seconds that this run took.
        fetchers: number of pages that each fetcher of this run received, without the first requests to both ends of the
            time. An export page by page has one fetcher.
        resumed: whether this run resumed an earlier one.
        snapshot_at: when the export began, in UTC. Cases created later are not in it. A resumed export keeps the time
            of its first run.
        empty_columns: the columns of a table in which no case has a value.
        rejected: number of undecodable cases, which are in `<name>.rejected.jsonl` instead of the file.
        attachments: the result of the downloads; None if attachments were not exported.
    """

    cases: int
    pages: int
    size: int
    requests: int
    refused: int
    elapsed: float
    fetchers: tuple[int, ...]
    resumed: bool = False
    snapshot_at: datetime
    empty_columns: tuple[str, ...] = ()
    rejected: int = 0
    attachments: AttachmentReport | None = None

    def __str__(self) -> str:
        return self.text()

    def text(self, to: str | None = None) -> str:
        """Return the report in words: two lines, and one more per additional topic.

        Args:
            to: the name of the file; None leaves it out.

        Returns:
            The text.
        """
        where = "" if to is None else f" to {to}"
        counts = f"{plural(self.cases, 'case')} in {plural(self.pages, 'page')} ({size(self.size)})"
        parts = (
            self._sent(),
            self._shared(),
            f"resumed the snapshot of {_minute(self.snapshot_at)}" if self.resumed else "",
        )
        lines = (
            f"exported {counts}{where} in {duration(self.elapsed)}",
            "; ".join(filter(None, parts)),
            f"set aside {plural(self.rejected, 'case')} that could not be decoded" if self.rejected else "",
            self._without_values(),
            None if self.attachments is None else self.attachments.text(),
        )
        return "\n".join(filter(None, lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON, under the names of the attributes; `elapsed` to the millisecond."""
        return {
            **attrs.asdict(self),
            "elapsed": round(self.elapsed, 3),
            "fetchers": list(self.fetchers),
            "snapshot_at": self.snapshot_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "empty_columns": list(self.empty_columns),
            "attachments": None if self.attachments is None else self.attachments.to_dict(),
        }

    def _sent(self) -> str:
        return f"{plural(self.requests, 'request')}, {f'{self.refused:,}' if self.refused else 'none'} refused (429)"

    def _without_values(self) -> str:
        if not self.empty_columns or not self.cases:
            return ""
        more = len(self.empty_columns) - _MOST_NAMES
        named = ", ".join(self.empty_columns[:_MOST_NAMES])
        return f"no case has a value in {named}" + (f" and {plural(more, 'more column')}" if more > 0 else "")

    def _shared(self) -> str:
        if not self.fetchers:
            return ""
        least, most = min(self.fetchers), max(self.fetchers)
        share = plural(most, "page") if least == most else f"{least:,} to {plural(most, 'page')}"
        return f"{plural(len(self.fetchers), 'fetcher')}, {share}{' each' if len(self.fetchers) > 1 else ''}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


publish("persona_cases", ExportReport)

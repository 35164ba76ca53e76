"""`AttachmentReport`: the result of downloading the attachments of exported cases."""

from __future__ import annotations

from typing import Any

import attrs

from persona_cases.export.wording import plural, size
from persona_cases.surface import publish

__all__ = ["AttachmentReport"]


@attrs.frozen(kw_only=True)
class AttachmentReport:
    """The result of downloading the attachments of exported cases.

    Attributes:
        files: files downloaded by this run.
        there: files that existed already.
        missing: files that the vendor no longer has.
        size: bytes downloaded by this run.
        incomplete: the ids of the cases whose files are missing, each once.
        requests: requests of this run to the vendor's file host; a second URL of a file counts again.
        refused: how many of them got a 429 response.
        elapsed: seconds from the first download of this run to the last one.
    """

    files: int = 0
    there: int = 0
    missing: int = 0
    size: int = 0
    incomplete: tuple[str, ...] = ()
    requests: int = 0
    refused: int = 0
    elapsed: float = attrs.field(default=0.0, eq=False)

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return the report in words, on one line. File names are personal data, so it has none."""
        missing = f"{self.missing:,} missing" if self.missing else "none missing"
        cases = f" from {plural(len(self.incomplete), 'case')}" if self.missing else ""
        return f"{plural(self.files, 'attachment')} ({size(self.size)}), {self.there:,} there already, {missing}{cases}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON, under the names of the attributes; `elapsed` to the millisecond."""
        return {**attrs.asdict(self), "elapsed": round(self.elapsed, 3), "incomplete": list(self.incomplete)}


publish("persona_cases.export", AttachmentReport)

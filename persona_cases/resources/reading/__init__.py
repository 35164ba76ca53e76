"""Reading cases: searches, lists, single cases and files.

What makes models is imported on first use, because an export of raw cases needs none.
"""

from typing import TYPE_CHECKING, Final

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.resources.reading.case_pager import CasePager
    from persona_cases.resources.reading.case_watch import CaseWatch
    from persona_cases.resources.reading.many_cases import ManyCases, get_many

__all__ = ["DEFAULT_CONCURRENCY", "CasePager", "CaseWatch", "ManyCases", "get_many"]

DEFAULT_CONCURRENCY: Final = 10
"""Number of cases that `get_many` requests at the same time."""

_HOMES = {
    "persona_cases.resources.reading.case_pager": ("CasePager",),
    "persona_cases.resources.reading.case_watch": ("CaseWatch",),
    "persona_cases.resources.reading.many_cases": ("ManyCases", "get_many"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

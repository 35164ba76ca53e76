"""The query language: what cases to search for, as a value.

`Q` makes search expressions, `parse` reads their text form, and `Predicate` is what both give: a frozen tree that
turns into the API's JSON and back, and that can be evaluated here. Nothing in this room does I/O.
"""

from persona_cases.query.entry import as_predicate
from persona_cases.query.evaluation import evaluate
from persona_cases.query.limits import SearchLimits
from persona_cases.query.matching import check_decidable
from persona_cases.query.namespace import Q
from persona_cases.query.nodes import Predicate, leaves_of
from persona_cases.query.parser import parse
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES, Plan, plan
from persona_cases.query.relative import as_written
from persona_cases.query.sort import Sort

__all__ = [
    "DEFAULT_MAX_SEARCHES",
    "Plan",
    "Predicate",
    "Q",
    "SearchLimits",
    "Sort",
    "as_predicate",
    "as_written",
    "check_decidable",
    "evaluate",
    "leaves_of",
    "parse",
    "plan",
]

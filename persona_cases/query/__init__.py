"""The query language: search expressions as values.

`Q` makes search expressions, `parse` reads their text form, and `Predicate` is what both give: a frozen tree that
converts to the API's JSON and back, and that can be evaluated locally. Its nodes are `Comparison`, `AllOf`, `AnyOf` and
`Not`; tell them apart with `match`. Nothing in this room does I/O. What makes no expressions, such as the planner and
the parser, is imported on first use.
"""

from typing import TYPE_CHECKING

from persona_cases.query import node_methods
from persona_cases.query.field import AnyValue, Field, OrderedField, TimeField, TimeValue
from persona_cases.query.namespace import CustomFields, Namespace, Q
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Operator, Predicate, carry_out
from persona_cases.query.sort import Direction, Sort
from persona_cases.surface import lazily, publish

if TYPE_CHECKING:
    from persona_cases.query.evaluation import evaluate
    from persona_cases.query.planner.plan import Plan, plan
    from persona_cases.query.planner.search_limits import SearchLimits
    from persona_cases.query.text.parser import parse

__all__ = [
    "AllOf",
    "AnyOf",
    "AnyValue",
    "Comparison",
    "CustomFields",
    "Direction",
    "Field",
    "Namespace",
    "Node",
    "Not",
    "Operator",
    "OrderedField",
    "Plan",
    "Predicate",
    "Q",
    "SearchLimits",
    "Sort",
    "TimeField",
    "TimeValue",
    "evaluate",
    "parse",
    "plan",
]

_HOMES = {
    "persona_cases.query.evaluation": ("evaluate",),
    "persona_cases.query.planner.plan": ("Plan", "plan"),
    "persona_cases.query.planner.search_limits": ("SearchLimits",),
    "persona_cases.query.text.parser": ("parse",),
}

carry_out(node_methods)

publish("persona_cases", Predicate, Sort)
publish(__name__, AllOf, AnyOf, Comparison, CustomFields, Field, Namespace, Not, OrderedField)
publish(__name__, TimeField)

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

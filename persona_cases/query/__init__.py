"""The query language: what cases to search for, as a value.

`Q` makes search expressions, `parse` reads their text form, and `Predicate` is what both give: a frozen tree that
turns into the API's JSON and back, and that can be evaluated here. Its nodes are `Comparison`, `AllOf`, `AnyOf` and
`Not`, to be told apart with `match`. Nothing in this room does I/O.
"""

# The rooms that nodes uses match on its classes, so it has to come first.
from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Operator, Predicate

# isort: split
from persona_cases.query.evaluation import evaluate
from persona_cases.query.field import AnyValue, Field, TimeField, TimeValue
from persona_cases.query.namespace import CustomFields, Namespace, Q
from persona_cases.query.planner.plan import Plan, plan
from persona_cases.query.planner.search_limits import SearchLimits
from persona_cases.query.sort import Direction, Sort
from persona_cases.query.text.parser import parse
from persona_cases.surface import publish

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

publish("persona_cases", Predicate, Sort, parse)
publish(__name__, AllOf, AnyOf, Comparison, CustomFields, Field, Namespace, Not, Plan, SearchLimits, TimeField)
publish(__name__, evaluate, plan)


def __dir__() -> list[str]:
    return __all__

"""Public functions and methods say what they take, return and raise."""

import importlib
import inspect
import re
from collections.abc import Iterator
from types import FunctionType

import pytest

MODULES = (
    "persona_cases",
    "persona_cases.changes",
    "persona_cases.errors",
    "persona_cases.limits",
    "persona_cases.observers",
    "persona_cases.export",
    "persona_cases.models",
    "persona_cases.query",
    "persona_cases.testing",
    "persona_cases.typed",
    "persona_cases.webhooks",
    "persona_cases.mirror",
)

# Only the library calls these, though they are methods of public classes.
INTERNAL = {
    "FaultRule.sees",
    "FaultRule.is_due",
    "Faults.choose",
    "ManualClock.wakes",
    "Mishaps.choose",
    "RequestLog.record",
    "SimulatedWebhook.put",
    "WebhookDelivery.note",
    "TypedHash.to_wire",
    "WireHash.to_wire",
    "CaseVersion.seen_by_index",
    "Mark.walked_to",
    "Mark.swept_to",
}
# A docstring may refer to that of the method that it stands for.
_REFERENCE = re.compile(r"see `[\w.]+`", re.IGNORECASE)
_ENTRY = re.compile(r"^ {4}\*{0,2}(\w+): ", re.MULTILINE)
_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes):$", re.MULTILINE)


def public_functions() -> dict[str, FunctionType]:
    return {found.__qualname__: found for module in MODULES for found in _functions_of(importlib.import_module(module))}


def _functions_of(module: object) -> Iterator[FunctionType]:
    for name in module.__all__:
        public = getattr(module, name)
        if inspect.isfunction(public):
            yield inspect.unwrap(public)
        elif inspect.isclass(public):
            ours = (each for each in public.__mro__ if each.__module__.startswith("persona_cases"))
            members = (member for each in ours for key, member in vars(each).items() if not key.startswith("_"))
            yield from filter(inspect.isfunction, (inspect.unwrap(getattr(each, "__func__", each)) for each in members))


def complaints(function: FunctionType) -> list[str]:
    text = inspect.getdoc(function) or ""
    if not text:
        return ["has no docstring"]
    parameters = [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]
    missing = [] if _REFERENCE.search(text) else sorted(set(parameters) - set(_ENTRY.findall(text)))
    sections = _SECTION.findall(text)
    return [f"does not describe {name}" for name in missing] + (
        [] if len(set(sections)) == len(sections) else ["has a section twice"]
    )


def test_public_functions_describe_their_arguments():
    found = {
        name: complaints(function)
        for name, function in public_functions().items()
        if name not in INTERNAL and not name.endswith(".holds")
    }
    assert {name: each for name, each in found.items() if each} == {}


def test_internal_methods_exist():
    assert public_functions().keys() >= INTERNAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ["has no docstring"]),
        ("Do it.", ["does not describe other"]),
        ("Do it.\n\n    Args:\n        other: what.\n    ", []),
        ("Do it; see `Limiter.acquire`.", []),
        ("Do it.\n\n    Args:\n        other: what.\n\n    Args:\n        other: what.\n    ", ["has a section twice"]),
    ],
)
def test_docstrings_are_judged(text, expected):
    def judged(other): ...

    judged.__doc__ = text
    assert complaints(judged) == expected

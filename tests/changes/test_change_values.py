"""Changes as values: each is its method, checked when it is made, and shows nothing of what it holds."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import get_args

import msgspec
import pytest

from persona_cases import Cases, InvalidArgumentError, PersonaClient
from persona_cases.changes import (
    AddComment,
    AddObjects,
    AddTag,
    Assign,
    Change,
    RemoveObjects,
    RemoveTag,
    SetStatus,
    SetTags,
    Update,
)
from persona_cases.testing import Simulator

KINDS = get_args(Change)
NOT_OF_THE_CHANGE = {"self", "case", "include", "only", "idempotency_key"}
NO_CHANGES = {"apply", "change_each", "change_many", "create", "redact"}
"""Methods that write, and are not the change of one case that exists: redactions come one at a time."""
SECRET = "jane.roe@example.com"
EXAMPLES = [
    AddComment(SECRET),
    AddObjects([SECRET]),
    AddTag(SECRET),
    AddTag(tag_id=SECRET),
    Assign(SECRET),
    RemoveObjects([SECRET]),
    RemoveTag(SECRET),
    SetStatus(SECRET),
    SetTags([SECRET], tag_ids=[SECRET]),
    Update(fields={"email": SECRET}, case_queue_id=SECRET, sla_expires_in=60),
]


def method_of(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def arguments(call: object) -> list[tuple[str, object, object, object]]:
    parameters = inspect.signature(call, eval_str=True).parameters.values()
    return [(p.name, p.kind, p.default, p.annotation) for p in parameters if p.name not in NOT_OF_THE_CHANGE]


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_has_the_name_and_the_arguments_of_its_method(kind):
    assert arguments(kind) == arguments(getattr(Cases, method_of(kind)))


def test_every_method_that_takes_a_key_is_a_change():
    writes = {
        name
        for name, call in inspect.getmembers(Cases, inspect.isfunction)
        if not name.startswith("_") and "idempotency_key" in inspect.signature(call).parameters
    }
    assert writes - NO_CHANGES == set(map(method_of, KINDS))


@pytest.mark.parametrize("change", EXAMPLES, ids=lambda change: type(change).__name__)
def test_a_change_is_a_value_that_shows_nothing(change):
    twin = pickle.loads(pickle.dumps(change))
    assert twin == change == copy.deepcopy(change)
    assert hash(twin) == hash(change)
    assert SECRET not in repr(change)
    assert repr(change).startswith(f"{type(change).__name__}(")


def test_iterables_are_read_once():
    assert SetTags(name for name in ("a", "b")) == SetTags(["a", "b"])
    assert AddObjects(iter(["inq_1"])).object_ids == ("inq_1",)


def test_what_is_left_out_shows():
    assert repr(Update(case_queue_id=None)) == (
        "Update(fields=UNSET, case_queue_id=None, sla_expires_in=UNSET, attachments=(), repeatable=False)"
    )


async def test_apply_is_the_method():
    async with Simulator(cases=3) as sim, PersonaClient(sim.api_key, base_url=sim.base_url) as persona:
        case_id = next(iter(sim.store.cases))
        await persona.cases.set_status(case_id, "pending", only=["status"], idempotency_key="k-1")
        case = await persona.cases.apply(case_id, SetStatus("pending"), only=["status"], idempotency_key="k-1")
        assert (case.status, sim.requests[-1].replayed) == ("pending", True)
        case = await persona.cases.apply(case, Update(fields={"notes": "x"}, sla_expires_in=None))
        assert msgspec.json.decode(sim.requests[-1].body) == {
            "data": {"attributes": {"fields": {"notes": "x"}}},
            "meta": {"sla-expires-in-seconds": None},
        }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SetStatus, "change is the class SetStatus: make one, as in SetStatus(...)"),
        ("closed", "change must be a change of persona_cases.changes, such as SetStatus(...), not str"),
        (None, "change must be a change of persona_cases.changes, such as SetStatus(...), not NoneType"),
    ],
)
async def test_what_is_no_change_is_refused(change, said):
    async with PersonaClient("key", base_url="http://127.0.0.1:9") as persona:
        with pytest.raises(InvalidArgumentError) as caught:
            await persona.cases.apply("case_1", change)
    assert str(caught.value) == said

"""Made-up documents, and the strategies that make more of them."""

import copy
import json
from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from persona_cases.errors import PersonaError
from persona_cases.models import Case, CaseRelationships
from persona_cases.models.decoding import records as wire

UNNAMED = {"raw", "raw_line", "extras"}
TIMES = [name for name in wire.Attributes.__struct_fields__ if name.endswith("_at")]
TEXTS = [name for name in wire.Attributes.__struct_fields__ if name not in {*TIMES, "tags", "fields", "attachments"}]
TO_ONE = ["case_template", "case_queue"]
TO_MANY = [name for name in wire.Relationships.__struct_fields__ if name not in TO_ONE]


def a_case(**attributes: Any) -> dict[str, Any]:
    """A case with everything in it."""
    return {
        "type": "case",
        "id": "case_4GwPq",
        "attributes": {
            "status": "Open",
            "name": "LOAN-17",
            "resolution": None,
            "created_at": "2025-03-01T10:20:30.400Z",
            "updated_at": "2025-03-02T00:00:00.000Z",
            "assigned_at": None,
            "sla_expires_at": "2025-03-05T10:20:30.400+02:00",
            "creator_id": "rosa@example.org",
            "creator_type": "user",
            "tags": ["second look", "vip"],
            "fields": {
                "priority": {"type": "string", "value": "high"},
                "flat": 7,
            },
            "attachments": [
                {"filename": "lease.pdf", "url": "https://files.example.org/a?access_token=t", "byte_size": 9}
            ],
            **attributes,
        },
        "relationships": {
            "accounts": {"data": [{"type": "account", "id": "act_1"}]},
            "case_comments": {"data": []},
            "case_template": {"data": {"type": "case-template", "id": "ctmpl_1"}},
            "case_queue": {"data": None},
            "reports": {"data": [{"type": "report/watchlist", "id": "rep_1"}, {"type": "report/new", "id": "rep_2"}]},
        },
    }


def as_read(read: Case | CaseRelationships) -> dict[str, Any]:
    """All that is read from a case, by the names of its attributes, but for the text itself and what has no name."""
    found: dict[str, Any] = {}
    for name in dir(type(read)):
        if not (name.startswith("_") or name in UNNAMED or callable(getattr(type(read), name))):
            try:
                value = getattr(read, name)
            except PersonaError as error:
                value = type(error), str(error)
            found[name] = as_read(value) if isinstance(value, CaseRelationships) else value
    return found


def a_body(*cases: dict[str, Any], **members: Any) -> bytes:
    """The body of a page."""
    return json.dumps({"data": list(cases), "links": {"prev": None, "next": "/n"}, **members}).encode()


texts = st.text(max_size=6)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(timezones=offsets).map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["2025-01-02T03:04:05Z", "2025-01-02 03:04:05.123456789+05:30", "2025-01-02t03:04:05z"]
)
unknown_keys = st.one_of(
    texts,
    st.sampled_from(
        ["foo_bar", "fooBar", "foo-bar", "foo_1", "_x", "HTTPStatus", "a_b_c", "aB", "Foo", "x__y", "reference_id"]
    ),
).filter(lambda key: key not in {*wire.ATTRIBUTES, *wire.RELATIONSHIPS})
identifiers = st.fixed_dictionaries({"type": texts, "id": texts})


def _optional(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | value


def _with_unknown(known: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda ours, others: {**others, **ours}, known, st.dictionaries(unknown_keys, json_values, max_size=2)
    )


wrapped = st.recursive(
    scalars,
    lambda inner: st.fixed_dictionaries({"type": texts, "value": inner | st.dictionaries(texts, inner, max_size=2)}),
    max_leaves=4,
)
attachments = st.fixed_dictionaries(
    {}, optional={"filename": _optional(texts), "url": _optional(texts), "byte_size": _optional(st.integers())}
)
attributes = _with_unknown(
    st.fixed_dictionaries(
        {},
        optional={
            **{name: _optional(times) for name in TIMES},
            **{name: _optional(texts) for name in TEXTS},
            "tags": _optional(st.lists(texts, max_size=3)),
            "fields": _optional(st.dictionaries(texts, wrapped, max_size=3)),
            "attachments": _optional(st.lists(attachments, max_size=2)),
        },
    )
)
relationships = _with_unknown(
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.fixed_dictionaries({}, optional={"data": _optional(identifiers)}) for name in TO_ONE},
            **{
                name: st.fixed_dictionaries({}, optional={"data": _optional(st.lists(identifiers, max_size=2))})
                for name in TO_MANY
            },
        },
    )
)
cases = st.builds(
    lambda ours, others: {**others, **ours},
    st.fixed_dictionaries(
        {"type": st.just("case"), "id": texts},
        optional={"attributes": _optional(attributes), "relationships": _optional(relationships)},
    ),
    st.dictionaries(st.sampled_from(["meta", "links", "x_y"]), json_values, max_size=1),
)
pages = st.fixed_dictionaries(
    {"data": st.lists(cases, max_size=3)},
    optional={
        "links": _optional(st.fixed_dictionaries({}, optional={"prev": _optional(texts), "next": _optional(texts)})),
        "included": _optional(st.just([])),
        "meta": json_values,
    },
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a JSON value with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        found += [(value, key) for key in value]
    elif isinstance(value, list):
        found += [(value, index) for index in range(len(value))]
    for owner, key in list(found):
        found += places(owner[key])
    return found


@st.composite
def mutated_pages(draw: st.DrawFn) -> Any:
    """A valid page with one or two things done to it."""
    page = copy.deepcopy(draw(pages))
    for _ in range(draw(st.integers(1, 2))):
        found = places(page)
        owner, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["null", "replace", "delete", "add"])):
            case "null":
                owner[key] = None
            case "replace":
                owner[key] = draw(json_values)
            case "delete":
                del owner[key]
            case _:
                target = owner if isinstance(owner, dict) else {}
                name = draw(unknown_keys | st.sampled_from(["created-at", "createdAt", "Created-At", "caseQueue"]))
                target[name] = draw(json_values)
        if not places(page):
            break
    return page

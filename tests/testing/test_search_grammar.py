import pytest

from persona_cases.query import SearchLimits

LEAF = {"attribute": "status", "operator": "eq", "value": "open"}


def leaf(**changes):
    return {**LEAF, **changes}


def without(name):
    return {key: value for key, value in LEAF.items() if key != name}


ACCEPTED = {
    "leaf": LEAF,
    "not": {"not": LEAF},
    "one clause": {"and": [LEAF]},
    "20 alternatives": {"or": [LEAF] * 20},
    "20 clauses": {"and": [LEAF] * 20},
    "two levels": {"and": [LEAF, {"or": [LEAF, LEAF]}]},
    "two nots": {"and": [{"not": LEAF}, {"not": LEAF}]},
    "as much as fits": {"or": [{"and": [LEAF] * 20}] * 20},
    "not not": {"not": {"not": LEAF}},
    "not and": {"not": {"and": [LEAF]}},
    "custom field": leaf(attribute="fields.priority"),
    "integer": leaf(attribute="fields.risk_score", value=3),
    "number": leaf(attribute="fields.amount", operator="gte", value=3.5),
    "boolean": leaf(attribute="fields.tampered", value=True),
    "date": leaf(attribute="created_at", operator="lt", value="2025-01-01"),
    "time": leaf(attribute="created_at", operator="gte", value="2025-01-01T00:00:00Z"),
    **{
        name: leaf(attribute=name, operator="lte", value="2025-01-01")
        for name in [
            "template",
            "status",
            "state",
            "created_at",
            "updated_at",
            "resolved_at",
            "sla_expires_at",
            "assignee",
            "case_queue",
            "resolver",
            "case_template_id",
            "case_queue_id",
            "resolution",
            "account_id",
            "inquiry_id",
            "tag_id",
        ]
    },
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_the_grammar_is_accepted(api, name):
    answered = await api.search({"query": ACCEPTED[name]})
    assert answered.status == 200, answered.document


REFUSED = {
    "not an object": (["and"], "query must be an object"),
    "null": (None, "query must be an object"),
    "empty": ({}, "query.attribute is missing"),
    "no clauses": ({"and": []}, "query.and must have between 1 and 20 clauses"),
    "no alternatives": ({"or": []}, "query.or must have between 1 and 20 clauses"),
    "21 clauses": ({"and": [LEAF] * 21}, "query.and must have between 1 and 20 clauses"),
    "21 clauses below": ({"not": {"or": [LEAF] * 21}}, "query.not.or must have between 1 and 20 clauses"),
    "clauses no array": ({"and": LEAF}, "query.and must be an array"),
    "clause no object": ({"or": [LEAF, "open"]}, "query.or.1 must be an object"),
    "not of an array": ({"not": [LEAF]}, "query.not must be an object"),
    "three levels": ({"and": [{"or": [{"not": LEAF}]}]}, "query.and.0.or.0.not is nested deeper than 2 levels"),
    "three nots": ({"not": {"not": {"not": LEAF}}}, "query.not.not.not is nested deeper than 2 levels"),
    "two kinds at once": ({"and": [LEAF], "or": [LEAF]}, "is not allowed"),
    "kind and leaf": ({"not": LEAF, **LEAF}, "query.not is not allowed"),
    "extra member": (leaf(boost=1), "query.boost is not allowed"),
    "no attribute": (without("attribute"), "query.attribute is missing"),
    "no operator": (without("operator"), "query.operator is missing"),
    "no value": (without("value"), "query.value is missing"),
    "unknown operator": (leaf(operator="ne"), "query.operator must be one of"),
    "operator no text": (leaf(operator=["eq"]), "query.operator must be one of"),
    "null value": (leaf(value=None), "query.value must be a string, number or boolean"),
    "array value": (leaf(value=["open"]), "query.value must be a string, number or boolean"),
    "object value": (leaf(value={}), "query.value must be a string, number or boolean"),
    "attribute no text": (leaf(attribute=1), "query.attribute must be a string"),
    "unknown attribute": (leaf(attribute="statuss"), "query.attribute statuss is not searchable"),
    "kebab attribute": (leaf(attribute="created-at"), "query.attribute created-at is not searchable"),
    "attribute not searchable": (leaf(attribute="name"), "query.attribute name is not searchable"),
    "no field key": (leaf(attribute="fields."), "query.attribute fields. is not searchable"),
    "unknown field": (leaf(attribute="fields.shoe"), "query.attribute fields.shoe is not searchable"),
    "field not searchable": (leaf(attribute="fields.address"), "is not searchable"),
    "number beyond 64 bits": (leaf(value=2**70), "query"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_anything_else_is_refused_with_its_place(api, name):
    query, details = REFUSED[name]
    answered = await api.search({"query": query})
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")
    assert details in answered.error["details"]
    assert answered.error.keys() == {"title", "details"}


BODIES = {
    "array": ([], "body must be an object"),
    "unknown member": ({"filter": {}}, "body.filter is not allowed"),
    "sort no object": ({"sort": "created_at"}, "sort must be an object"),
    "sort without direction": ({"sort": {"attribute": "created_at"}}, "sort.direction is missing"),
    "sort without attribute": ({"sort": {"direction": "asc"}}, "sort.attribute is missing"),
    "sort with more": ({"sort": {"attribute": "status", "direction": "asc", "nulls": "last"}}, "sort.nulls"),
    "sort direction": ({"sort": {"attribute": "status", "direction": "ASC"}}, "sort.direction must be"),
    "sort direction no text": ({"sort": {"attribute": "status", "direction": {}}}, "sort.direction must be"),
    "sort attribute": ({"sort": {"attribute": "id", "direction": "asc"}}, "sort.attribute id is not searchable"),
    "page no object": ({"page": 1}, "page must be an object"),
    "page with more": ({"page": {"number": 1}}, "page.number is not allowed"),
    "page size text": ({"page": {"size": "10"}}, "page.size must be an integer"),
    "page size bool": ({"page": {"size": True}}, "page.size must be an integer"),
    "page size float": ({"page": {"size": 10.5}}, "page.size must be an integer"),
    "page size null": ({"page": {"size": None}}, "page.size must be an integer"),
    "page size 0": ({"page": {"size": 0}}, "page.size must be between 1 and 100"),
    "page size 101": ({"page": {"size": 101}}, "page.size must be between 1 and 100"),
    "cursor no text": ({"page": {"after": 1}}, "page.after must be a string"),
    "cursor unknown": ({"page": {"after": "case_x"}}, "page.after case_x is not found"),
    "both cursors": ({"page": {"after": "a", "before": "b"}}, "cannot be used together"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies_are_closed_and_typed(api, name):
    body, details = BODIES[name]
    answered = await api.send("POST", "/cases/search", json=body)
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")
    assert details in answered.error["details"]


@pytest.mark.parametrize(
    "attribute", ["case_template_id", "case_queue_id", "resolution", "account_id", "inquiry_id", "tag_id"]
)
async def test_the_six_newer_attributes_can_not_be_sorted_by(api, attribute):
    answered = await api.search({"sort": {"attribute": attribute, "direction": "asc"}})
    assert (answered.status, answered.error["details"]) == (
        400,
        f"sort.attribute {attribute} cannot be sorted by",
    )


@pytest.mark.parametrize(
    "attribute",
    [
        *[
            "template",
            "status",
            "state",
            "created_at",
            "updated_at",
            "resolved_at",
            "sla_expires_at",
            "assignee",
            "case_queue",
        ],
        "resolver",
        "fields.priority",
        "fields.amount",
        "fields.risk_tags",
    ],
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_the_others_can(api, attribute, direction):
    answered = await api.search({"sort": {"attribute": attribute, "direction": direction}})
    assert answered.status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"not json",
        b'{"page": {"size": NaN}}',
        b"\xff\xfe",
        b'{"query": "\\ud800"}',
        b"[" * 100_000,
        b'{"query": ' + b'{"not": ' * 5_000,
    ],
    ids=lambda raw: raw[:20],
)
async def test_what_is_no_json_is_refused(api, raw):
    answered = await api.send("POST", "/cases/search", data=raw, headers={"Content-Type": "application/json"})
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")


async def test_json_must_be_called_json(api):
    answered = await api.send("POST", "/cases/search", data=b"{}", headers={"Content-Type": "text/plain"})
    assert answered.status == 400
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    assert (await api.send("POST", "/cases/search", data=b"{}", headers=json_type)).status == 200


async def test_no_body_is_every_case(api):
    answered = await api.send("POST", "/cases/search")
    assert len(answered.ids) == 10


@pytest.mark.parametrize("query", ["include=accounts", "include=", "filter[status]=open", "query=x"])
async def test_the_query_string_takes_pages_and_fieldsets_only(api, query):
    answered = await api.send("POST", f"/cases/search?{query}", json={})
    assert answered.status == 400


async def test_the_limits_are_a_setting(simulate):
    api = await simulate(cases=1, limits=SearchLimits(max_depth=1, max_clauses=2))
    assert (await api.search({"query": {"and": [LEAF] * 2}})).status == 200
    assert (await api.search({"query": {"and": [LEAF] * 3}})).status == 400
    assert (await api.search({"query": {"not": {"not": LEAF}}})).status == 400

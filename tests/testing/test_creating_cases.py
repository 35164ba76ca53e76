from datetime import UTC, datetime

import pytest

from persona_cases.testing import FieldSpec, ManualClock, Template
from persona_cases.testing.world.catalog import API_KEY

OLD = {"Persona-Version": "2023-01-05"}


async def test_a_new_case_is_open_named_dated_and_listed_at_once(simulate):
    api = await simulate(cases=0, clock=ManualClock(datetime(2026, 5, 1, 8, tzinfo=UTC)))
    first, second = await api.create(), await api.create()
    assert (first.status, first.document.keys()) == (201, {"data"})
    assert [made.attributes["name"] for made in (first, second)] == ["KYC-1", "KYC-2"]
    assert first.attributes["status"] == "open"
    assert first.attributes["created-at"] == first.attributes["updated-at"] == "2026-05-01T08:00:00.000Z"
    assert first.attributes["creator-type"] == first.attributes["updater-type"] == "api-key"
    assert first.attributes["creator-id"] == first.attributes["updater-id"] == API_KEY.id
    assert set((await api.get("/cases")).ids) == {first.case["id"], second.case["id"]}
    assert (await api.get(f"/cases/{first.case['id']}")).case == first.case


async def test_the_name_counts_on_from_the_cases_that_are_there(api):
    numbers = [int(case.name.split("-")[1]) for case in api.sim.store.cases.values() if case.name.startswith("KYC")]
    assert (await api.create()).attributes["name"] == f"KYC-{max(numbers) + 1}"


async def test_everything_that_can_be_said_about_a_new_case(simulate):
    clock = ManualClock(datetime(2026, 5, 1, 8, tzinfo=UTC))
    api = await simulate(cases=5, clock=clock)
    store = api.sim.store
    queue, email = next(iter(store.queues)), next(iter(store.users))
    objects = [store.add_object(type_).id for type_ in ("inquiry", "report/watchlist", "transaction", "document")]
    made = await api.create(
        {
            "case-queue-id": queue,
            "creator-email-address": email,
            "fields": {
                "priority": "high",
                "risk_score": 7,
                "address": {"city": "Aarhus", "floor": 3, "lift": None, "geo": {"lat": 1.5}},
            },
        },
        {"object-ids": objects, "sla-expires-in-seconds": 90.5},
        params={"include": "inquiries,reports,txns"},
    )
    assert made.status == 201
    assert (made.attributes["creator-id"], made.attributes["creator-type"]) == (email, "user")
    assert made.case["relationships"]["case-queue"]["data"]["id"] == queue
    assert made.attributes["sla-expires-at"] == "2026-05-01T08:01:30.500Z"
    assert made.attributes["updated-at"] == made.attributes["created-at"]
    assert made.attributes["fields"] == {
        "priority": {"type": "choices", "value": "high"},
        "risk_score": {"type": "integer", "value": 7},
        "address": {
            "type": "hash",
            "value": {
                "city": {"type": "string", "value": "Aarhus"},
                "floor": {"type": "integer", "value": 3},
                "lift": {"type": "string", "value": None},
                "geo": {"type": "hash", "value": {"lat": {"type": "number", "value": 1.5}}},
            },
        },
    }
    assert [one["id"] for one in made.document["included"]] == objects[:3]
    assert [ref.id for ref in store.objects(made.case["id"])] == objects


@pytest.mark.parametrize("inflection", ["kebab", "snake", "camel"])
async def test_names_may_be_written_in_any_inflection(simulate, inflection):
    api = await simulate(cases=0)
    spell = {
        "kebab": lambda name: name,
        "snake": lambda name: name.replace("-", "_"),
        "camel": lambda name: name.split("-")[0] + name.title().replace("-", "")[len(name.split("-")[0]) :],
    }[inflection]
    attributes = {spell("case-template-id"): api.sim.store.template("KYC").id, "fields": {"risk_score": 1}}
    body = {"data": {"attributes": attributes}, "meta": {spell("sla-expires-in-seconds"): 60}}
    made = await api.post("/cases", body, headers={"Key-Inflection": inflection})
    assert made.status == 201
    assert made.attributes["fields"].keys() == {"risk_score"}
    assert made.attributes[spell("sla-expires-at")]


@pytest.mark.parametrize(
    ("attributes", "meta", "details"),
    [
        ({"case-template-id": "ctmpl_none"}, None, "data.attributes.case_template_id is not found"),
        ({"case-template-id": "KYC"}, None, "data.attributes.case_template_id is not found"),
        ({"case-queue-id": "cqueue_none"}, None, "data.attributes.case_queue_id is not found"),
        ({"creator-email-address": "x@example.com"}, None, "data.attributes.creator_email_address is not found"),
        ({}, {"object-ids": ["inq_none"]}, "meta.object_ids.0 is not found"),
    ],
)
async def test_what_is_referred_to_has_to_exist(api, attributes, meta, details):
    answered = await api.create(attributes, meta)
    assert (answered.status, answered.error) == (404, {"title": "Record not found", "details": details})


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, "data is missing"),
        ([], "body must be an object"),
        ({"data": None}, "data must be an object"),
        ({"data": {}}, "data.attributes.case_template_id is missing"),
        ({"data": {"attributes": []}}, "data.attributes must be an object"),
        ({"data": {"attributes": {"case-template-id": 7}}}, "data.attributes.case_template_id must be a string"),
        ({"data": {"attributes": {"case-template-id": ""}}}, "data.attributes.case_template_id must be filled"),
        ({"data": {"type": "case", "attributes": {}}}, "data.type is not allowed"),
        ({"data": {"attributes": {"status": "open"}}}, "data.attributes.status is not allowed"),
        ({"data": {"attributes": {"case-queue-id": "a", "case_queue_id": "b"}}}, "given more than once"),
        ({"data": {"attributes": {"case-template-id": "x", "fields": []}}}, "data.attributes.fields must be an object"),
        ({"data": {}, "extra": 1}, "extra is not allowed"),
    ],
)
async def test_a_body_that_does_not_fit_is_named(api, body, details):
    answered = await api.post("/cases", body)
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")
    assert details in answered.error["details"]


@pytest.mark.parametrize(
    ("meta", "details"),
    [
        ({"object-ids": "inq_1"}, "meta.object_ids must be an array"),
        ({"object-ids": None}, "meta.object_ids must be an array"),
        ({"object-ids": [1]}, "meta.object_ids.0 must be a string"),
        ({"sla": 1}, "meta.sla is not allowed"),
        ([], "meta must be an object"),
    ],
)
async def test_a_meta_that_does_not_fit_is_named(api, meta, details):
    answered = await api.create(meta=meta)
    assert (answered.status, answered.error) == (400, {"title": "Bad Request", "details": details})


@pytest.mark.parametrize("data", [b"{", b'{"data": 1', b"\xff", b"[" * 5000])
async def test_a_body_that_is_no_json_is_400(api, data):
    answered = await api.send("POST", "/cases", data=data, headers={"Content-Type": "application/json"})
    assert (answered.status, answered.error["details"]) == (400, "The body is not valid JSON")


async def test_a_body_that_is_not_called_json_is_400(api):
    answered = await api.send("POST", "/cases", data=b"{}", headers={"Content-Type": "text/plain"})
    assert (answered.status, answered.error["details"]) == (400, "Content-Type must be application/json")


EVERY_TYPE = Template(
    id="ctmpl_types",
    prefix="TYP",
    name="Types",
    initial="open",
    intermediate=(),
    end=("done",),
    fields=(
        *(
            FieldSpec(type_, type_, type_)
            for type_ in (
                "array", "boolean", "date", "datetime", "email-address", "file", "hash", "integer", "json", "number",
                "string",
            )
        ),
        FieldSpec("choices", "choices", "Choices", ("a", "b")),
        FieldSpec("multi-choices", "multi-choices", "Choices", ("a", "b")),
        FieldSpec("a/b~c", "integer", "Odd key"),
    ),
    queues=(),
)  # fmt: skip

FITTING = {
    "array": [[], [1, "two", None]],
    "boolean": [True, False],
    "choices": ["a", "b"],
    "date": ["2026-01-31"],
    "datetime": ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123+02:00"],
    "email-address": ["ann@example.com"],
    "hash": [{}, {"city": {"zip": 1}}],
    "integer": [0, -3, 123456789012345678901234567890],
    "json": [1, "x", [{}], {"a": [1.5]}],
    "multi-choices": [[], ["b", "a"]],
    "number": [1, 1.5, -2e10],
    "string": ["", "plain", "ü\u0000😀"],
    "file": ["anything", {"data": "x"}],
}
UNFITTING = {
    "array": [{}, "x", 1],
    "boolean": [0, 1, "true"],
    "choices": ["c", "", 1, ["a"]],
    "date": ["soon", "20260131", "2026-02-30", 20260131, "2026-01-31T09:30:00Z"],
    "datetime": ["2026-01-31", "09:30", 5],
    "email-address": [5, ["a"]],
    "hash": [[], "x"],
    "integer": [1.0, 1.5, "1", True],
    "multi-choices": ["a", ["c"], [1], ["a", "c"]],
    "number": ["1", True, []],
    "string": [1, {}, ["x"]],
    "a/b~c": ["x"],
}


@pytest.fixture
def typed(api):
    api.sim.store.add_template(EVERY_TYPE)
    return api


def of_every_type(fields):
    return {"case-template-id": EVERY_TYPE.id, "fields": fields}


@pytest.mark.parametrize("key", FITTING)
async def test_values_that_fit_their_field(typed, key):
    for value in FITTING[key]:
        field = (await typed.create(of_every_type({key: value}))).attributes["fields"][key]
        assert field["type"] == key.replace("-", "_")
        assert field["value"] == value or key == "hash"
        cleared = await typed.create(of_every_type({key: None}))
        assert cleared.attributes["fields"][key] == {"type": key.replace("-", "_"), "value": None}


@pytest.mark.parametrize("key", UNFITTING)
async def test_values_that_do_not_fit_are_422_with_a_pointer(typed, key):
    before = len(typed.sim.store.cases)
    for value in UNFITTING[key]:
        answered = await typed.create(of_every_type({key: value}))
        assert (answered.status, answered.error["title"]) == (422, "Record invalid"), value
        pointer = key.replace("~", "~0").replace("/", "~1")
        assert answered.error["source"] == {"pointer": f"/data/attributes/fields/{pointer}"}
    assert len(typed.sim.store.cases) == before


async def test_values_nested_without_end_are_422(typed):
    for wrap in (lambda inner: [inner], lambda inner: {"x": inner}):
        value = 1
        for _ in range(400):
            value = wrap(value)
        assert (await typed.create(of_every_type({"json": value}))).status == 422


async def test_unknown_fields_are_422_and_keys_are_not_respelt(api):
    for key in ("shoe", "risk-score", "riskScore"):
        answered = await api.create({"fields": {key: 1}})
        assert answered.status == 422
        assert answered.error["source"] == {"pointer": f"/data/attributes/fields/{key}"}


@pytest.mark.parametrize("seconds", [0, -1, 0.5, 7_776_001, 1e300])
async def test_an_sla_out_of_range_is_422(api, seconds):
    answered = await api.create(meta={"sla-expires-in-seconds": seconds})
    assert (answered.status, answered.error["source"]) == (422, {"pointer": "/meta/sla-expires-in-seconds"})


@pytest.mark.parametrize("seconds", ["60", True, [60]])
async def test_an_sla_that_is_no_number_is_400(api, seconds):
    answered = await api.create(meta={"sla-expires-in-seconds": seconds})
    assert (answered.status, answered.error["details"]) == (400, "meta.sla_expires_in_seconds must be a number")


@pytest.mark.parametrize("seconds", [1, 7_776_000, None])
async def test_an_sla_within_range(api, seconds):
    made = await api.create(meta={"sla-expires-in-seconds": seconds})
    assert (made.attributes["sla-expires-at"] is None) == (seconds is None)


async def test_nothing_is_created_if_the_answer_could_not_be_laid_out(api):
    before = len(api.sim.store.cases)
    for params in ({"include": "owner"}, {"page[size]": "5"}, {"filter[status]": "open"}):
        assert (await api.create(params=params)).status == 400
    assert len(api.sim.store.cases) == before


async def test_fieldsets_and_includes_are_honoured(api):
    made = await api.create(params={"fields[case]": "status", "include": "case-template"})
    assert made.attributes == {"status": "open"}
    assert [one["type"] for one in made.document["included"]] == ["case-template"]


async def test_before_2025_10_27_custom_fields_stand_beside_the_attributes_in_any_inflection(api):
    inquiry = api.sim.store.add_object("inquiry")
    made = await api.create(
        {"priority": "low", "risk-score": 3, "politicallyExposed": True}, {"object-ids": [inquiry.id]}, headers=OLD
    )
    assert made.attributes["fields"].keys() == {"priority", "risk-score", "politically-exposed"}
    case = api.sim.store.cases[made.case["id"]]
    assert {key: field["value"] for key, field in case.fields.items()} == {
        "priority": "low",
        "risk_score": 3,
        "politically_exposed": True,
    }
    assert [one["type"] for one in made.document["included"]] == ["inquiry"]
    for attributes in ({"fields": {"priority": "low"}}, {"shoe": 1}):
        assert (await api.create(attributes, headers=OLD)).status == 422


async def test_before_2025_10_27_keys_written_in_kebab_case_are_found_in_any_inflection(typed):
    for key in ("multi-choices", "multi_choices", "multiChoices"):
        made = await typed.create({"case-template-id": EVERY_TYPE.id, key: ["a"]}, headers=OLD)
        assert typed.sim.store.cases[made.case["id"]].fields["multi-choices"]["value"] == ["a"]

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from persona_cases.testing import ManualClock


def leaf(attribute, operator, value):
    return {"attribute": attribute, "operator": operator, "value": value}


async def found(api, query, **sort):
    body = {"query": query, **({"sort": sort} if sort else {})}
    pages = await api.walk("/cases/search", "next", body=body, params={"page[size]": "100"})
    return [case_id for page in pages for case_id in page]


async def test_newest_first_unless_sorted(api):
    ids = [case_id for page in await api.walk("/cases/search", "next", body={}) for case_id in page]
    assert ids == [case_id for page in await api.walk("/cases", "next") for case_id in page]


async def test_equal_and_missing_values_have_a_place(simulate):
    api = await simulate(cases=0)
    scores = [5, None, 7, 5, None, 1]
    ids = [api.sim.store.create_case("KYC", fields={"risk_score": score} if score else {}).id for score in scores]
    cases = dict(zip(ids, scores, strict=True))

    def expected(*, descending):
        filled = sorted((score, case_id) for case_id, score in cases.items() if score is not None)
        empty = sorted(case_id for case_id, score in cases.items() if score is None)
        if descending:
            filled.reverse()
            empty.reverse()
        return [case_id for _, case_id in filled] + empty

    sort = {"attribute": "fields.risk_score"}
    for direction in ("asc", "desc"):
        body = {"sort": {**sort, "direction": direction}}
        for size in range(1, 7):
            pages = await api.walk("/cases/search", "next", body=body, params={"page[size]": str(size)})
            assert [case_id for page in pages for case_id in page] == expected(descending=direction == "desc")


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("attribute", ["created_at", "status", "fields.priority", "resolved_at", "assignee"])
@pytest.mark.parametrize("size", [3, 10])
async def test_next_to_the_end_and_prev_back_to_the_start_show_the_same(api, attribute, direction, size):
    body = {"sort": {"attribute": attribute, "direction": direction}}
    forwards = await api.walk("/cases/search", "next", body=body, params={"page[size]": str(size)})
    ids = [case_id for page in forwards for case_id in page]
    assert len(ids) == len(set(ids)) == 40
    last = await api.search({**body, "page": {"after": forwards[-2][-1], "size": size}})
    assert last.ids == forwards[-1]
    backwards = await api.walk(last.document["links"]["prev"], "prev", body=body)
    assert [case_id for page in reversed(backwards) for case_id in page] == ids[: -len(forwards[-1])]


async def test_links_are_relative_and_name_cursor_and_size(api):
    first = await api.search({})
    assert first.document["links"] == {
        "prev": None,
        "next": f"/api/v1/cases/search?page%5Bafter%5D={first.ids[-1]}&page%5Bsize%5D=10",
    }
    second = await api.search({"page": {"after": first.ids[-1], "size": 5}})
    assert second.document["links"] == {
        "prev": f"/api/v1/cases/search?page%5Bbefore%5D={second.ids[0]}&page%5Bsize%5D=5",
        "next": f"/api/v1/cases/search?page%5Bafter%5D={second.ids[-1]}&page%5Bsize%5D=5",
    }


async def test_the_query_string_wins_over_the_body(api):
    body = {"page": {"size": 3}}
    assert len((await api.search(body, params={"page[size]": "4"})).ids) == 4
    first = await api.search(body)
    answered = await api.search(body, params={"page[after]": first.ids[-1]})
    assert len(answered.ids) == 3
    assert not set(answered.ids) & set(first.ids)
    both = await api.search({"page": {"before": first.ids[0]}}, params={"page[after]": first.ids[-1]})
    assert both.status == 400


async def test_missing_values_fail_comparisons_and_pass_their_complements(simulate):
    api = await simulate(cases=0)
    store = api.sim.store
    high = store.create_case("KYC", fields={"priority": "high", "risk_score": 9}).id
    unset = store.create_case("KYC", fields={"priority": None}).id
    other = store.create_case("CHB").id
    low = leaf("fields.risk_score", "lte", 5)
    assert await found(api, low) == []
    assert set(await found(api, {"not": low})) == {high, unset, other}
    assert await found(api, leaf("fields.risk_score", "gt", 5)) == [high]
    assert set(await found(api, {"not": leaf("fields.priority", "eq", "high")})) == {unset, other}


async def test_several_values_match_by_any_of_them(simulate):
    api = await simulate(cases=0)
    store = api.sim.store
    case = store.create_case("AML", fields={"rules": ["layering", "velocity"]}, tags=("urgent", "new tag"))
    store.create_case("AML", fields={"rules": ["smurfing"]}, tags=("vip",))
    assert await found(api, leaf("fields.rules", "eq", "velocity")) == [case.id]
    assert await found(api, leaf("tag_id", "eq", store.tag_id("new tag"))) == [case.id]


async def test_people_are_found_by_id_and_not_by_address(simulate):
    api = await simulate(cases=30)
    case = next(case for case in api.sim.store.cases.values() if case.assignee_id)
    assert await found(api, leaf("assignee", "eq", case.assignee_id)) == []
    user = api.sim.store.users[case.assignee_id]
    assert case.id in await found(api, leaf("assignee", "eq", user.id))


async def test_states_are_the_kinds_of_statuses(simulate):
    api = await simulate(cases=0)
    store = api.sim.store
    ids = {state: store.create_case("KYC", status=status).id for state, status in
           {"initial": "open", "intermediate": "pending", "end": "declined"}.items()}  # fmt: skip
    for state, case_id in ids.items():
        assert await found(api, leaf("state", "eq", state)) == [case_id]


async def test_only_the_latest_fifty_of_a_kind_are_searched(simulate):
    api = await simulate(cases=0)
    names = tuple(f"tag {number}" for number in range(51))
    case = api.sim.store.create_case("KYC", tags=names)
    assert await found(api, leaf("tag_id", "eq", api.sim.store.tag_id(names[0]))) == []
    assert await found(api, leaf("tag_id", "eq", api.sim.store.tag_id(names[1]))) == [case.id]


async def test_times_are_compared_as_moments(simulate):
    api = await simulate(cases=0)
    case = api.sim.store.create_case("KYC", created_at=datetime(2025, 3, 1, 12, tzinfo=UTC))
    assert await found(api, leaf("created_at", "eq", "2025-03-01T13:00:00+01:00")) == [case.id]
    assert await found(api, leaf("created_at", "gte", "2025-03-01")) == [case.id]
    assert await found(api, leaf("created_at", "lt", "2025-03-01")) == []


async def test_a_search_sees_each_case_as_it_was_a_lag_ago(simulate):
    clock = ManualClock()
    api = await simulate(cases=3, index_lag=60, clock=clock)
    store = api.sim.store
    assert len(await found(api, leaf("status", "gte", ""))) == 3, "what was there from the start is seen"
    clock.advance(5)
    case = store.create_case("KYC", status="open")
    pending = leaf("status", "eq", "pending")
    mine = leaf("created_at", "gte", clock.now().isoformat())
    clock.advance(30)
    store.update_case(case.id, status="pending")
    assert (await api.get("/cases")).ids[0] == case.id, "lists have no lag"
    clock.advance(29.9)
    assert await found(api, mine) == []
    clock.advance(0.2)
    (shown,) = (await api.search({"query": mine})).document["data"]
    assert (shown["id"], shown["attributes"]["status"]) == (case.id, "open")
    assert case.id not in await found(api, pending)
    clock.advance(30)
    assert case.id in await found(api, pending)
    store.remove_case(case.id)
    assert await found(api, mine) == [case.id]
    clock.advance(60)
    assert await found(api, mine) == []


async def test_a_case_that_is_not_indexed_yet_is_no_cursor(simulate):
    api = await simulate(cases=3, index_lag=60, clock=ManualClock())
    case = api.sim.store.create_case("KYC")
    assert (await api.search({"page": {"after": case.id}})).status == 400
    assert (await api.get("/cases", {"page[after]": case.id})).status == 200


async def test_a_walk_goes_on_where_it_was_although_its_cursor_left_the_result(simulate):
    api = await simulate(cases=40)
    query = leaf("status", "eq", "open")
    everything = await found(api, query)
    first = (await api.search({"query": query, "page": {"size": 3}})).ids
    api.sim.store.update_case(first[-1], status="pending")
    answered = await api.search({"query": query, "page": {"size": 3, "after": first[-1]}})
    assert answered.ids == everything[3:6]


async def test_many_walks_at_once_do_not_disturb_each_other(simulate):
    api = await simulate(cases=200)
    statuses = sorted({case.status for case in api.sim.store.cases.values()})
    bodies = [
        {"query": leaf("status", "eq", status), "sort": {"attribute": "created_at", "direction": direction}}
        for status, direction in itertools.product(statuses, ("asc", "desc"))
    ]
    walks = await asyncio.gather(
        *(api.walk("/cases/search", "next", body=body, params={"page[size]": "5"}) for body in bodies)
    )
    for body, pages in zip(bodies, walks, strict=True):
        wanted = {case.id for case in api.sim.store.cases.values() if case.status == body["query"]["value"]}
        ids = [case_id for page in pages for case_id in page]
        assert len(ids) == len(wanted)
        assert set(ids) == wanted


async def test_sparse_fieldsets_work_in_searches(api):
    (case, *_) = (await api.search({}, params={"fields[case]": "name"})).document["data"]
    assert case["attributes"].keys() == {"name"}

import pytest


async def test_newest_first_with_the_id_as_tiebreak(simulate):
    api = await simulate(cases=300, seed=5)
    pages = await api.walk("/cases", "next", params={"page[size]": "100"})
    ids = [case_id for page in pages for case_id in page]
    cases = sorted(api.sim.store.cases.values(), key=lambda case: (case.created_at, case.id), reverse=True)
    assert ids == [case.id for case in cases]
    assert len({case.created_at for case in cases}) < len(cases), "ties are part of the test"


async def test_ten_to_a_page_unless_asked_otherwise(api):
    assert len((await api.get("/cases")).ids) == 10
    assert len((await api.get("/cases", {"page[size]": "1"})).ids) == 1
    assert len((await api.get("/cases", {"page[size]": "100"})).ids) == 40


async def test_the_document_has_exactly_the_documented_members(api):
    document = (await api.get("/cases", {"page[size]": "1"})).document
    assert document.keys() == {"data", "links"}
    assert document["links"].keys() == {"prev", "next"}
    (case,) = document["data"]
    assert case.keys() == {"type", "id", "attributes", "relationships"}
    assert set(case["attributes"]) == {
        "status",
        "name",
        "resolution",
        "created-at",
        "updated-at",
        "assigned-at",
        "resolved-at",
        "redacted-at",
        "sla-expires-at",
        "creator-id",
        "creator-type",
        "assignee-id",
        "assigner-id",
        "assigner-type",
        "resolver-id",
        "resolver-type",
        "updater-id",
        "updater-type",
        "tags",
        "fields",
        "attachments",
    }
    assert set(case["relationships"]) == {
        "case-template",
        "case-queue",
        "case-comments",
        "accounts",
        "inquiries",
        "reports",
        "verifications",
        "txns",
    }


@pytest.mark.parametrize("size", ["0", "101", "-1", "1.5", "ten", "", "1e1", "+5", "٣"])
async def test_sizes_out_of_range_are_refused(api, size):
    answered = await api.get("/cases", {"page[size]": size})
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")
    assert answered.error["details"].startswith("page.size must be")


@pytest.mark.parametrize(
    "query",
    [
        "page[after]=case_unknown",
        "page[before]=case_unknown",
        "page[after]=",
        "page[number]=2",
        "page=2",
        "filter[state]=open",
        "filter[resolution]=Approved",
        "filter=open",
        "include=accounts",
        "include=",
        "sort=-created_at",
        "page[size]=1&page[size]=2",
        "fields=status",
        "page[size][x]=1",
    ],
)
async def test_what_is_not_documented_is_refused(api, query):
    answered = await api.get(f"/cases?{query}")
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")


async def test_both_cursors_together_are_refused(api):
    first = (await api.get("/cases")).ids[0]
    answered = await api.get("/cases", {"page[after]": first, "page[before]": first})
    assert answered.status == 400


async def test_the_cursor_of_a_case_that_is_gone_is_refused(api):
    first = (await api.get("/cases")).ids[0]
    api.sim.store.remove_case(first)
    assert (await api.get("/cases", {"page[after]": first})).status == 400


async def test_a_new_case_is_listed_at_once_and_does_not_shift_the_next_page(api):
    before = await api.walk("/cases", "next")
    created = api.sim.store.create_case("KYC")
    assert (await api.get("/cases")).ids[0] == created.id
    answered = await api.get("/cases", {"page[after]": before[0][-1]})
    assert answered.ids == before[1]


async def test_filters_by_what_a_case_belongs_to(api):
    store = api.sim.store
    mine = store.create_case("AML", reference_id="customer-x", status="pending")
    for case in [mine, *list(store.cases.values())[:10]]:
        wanted = {
            "status": case.status,
            "case-template-id": case.template_id,
            "account-id": case.accounts[0].id if case.accounts else None,
            "reference-id": store.reference_id(case.accounts[0].id) if case.accounts else None,
            "inquiry-id": case.inquiries[0].id if case.inquiries else None,
            "report-id": case.reports[0].id if case.reports else None,
        }
        for name, value in wanted.items():
            if value is not None:
                answered = await api.get("/cases", {f"filter[{name}]": value, "page[size]": "100"})
                assert case.id in answered.ids, name
                assert len(answered.ids) < len(store.cases)
    assert (await api.get("/cases", {"filter[reference-id]": "customer-x"})).ids == [mine.id]


async def test_filters_are_combined_with_and(api):
    store = api.sim.store
    kyc = store.template("KYC").id
    expected = {case.id for case in store.cases.values() if case.status == "open" and case.template_id == kyc}
    answered = await api.get("/cases", {"filter[status]": "open", "filter[case-template-id]": kyc, "page[size]": "100"})
    assert set(answered.ids) == expected
    assert expected


async def test_statuses_are_matched_to_the_letter(api):
    assert (await api.get("/cases", {"filter[status]": "Open"})).ids == []


async def test_an_empty_result_has_no_links(simulate):
    api = await simulate(cases=0)
    assert (await api.get("/cases")).document == {"data": [], "links": {"prev": None, "next": None}}


async def test_links_do_not_repeat_filters_unless_told_to(simulate):
    query = {"filter[status]": "open", "page[size]": "2", "fields[case]": "status"}
    plain = await simulate(cases=40)
    link = (await plain.get("/cases", query)).document["links"]["next"]
    assert link.startswith("/api/v1/cases?page%5Bafter%5D=case_")
    assert link.endswith("&page%5Bsize%5D=2")
    echoing = await simulate(cases=40, echo_filters=True)
    pages = await echoing.walk("/cases", "next", params=query)
    found = {case_id for page in pages for case_id in page}
    assert found == {case.id for case in echoing.sim.store.cases.values() if case.status == "open"}


async def test_links_name_the_size_only_if_the_request_did(api):
    link = (await api.get("/cases")).document["links"]["next"]
    assert "size" not in link


async def test_next_to_the_end_and_prev_back_to_the_start_show_the_same(api):
    forwards = await api.walk("/cases", "next", params={"page[size]": "7"})
    assert [len(page) for page in forwards] == [7, 7, 7, 7, 7, 5]
    last = await api.get("/cases", {"page[after]": forwards[-2][-1], "page[size]": "7"})
    backwards = await api.walk(last.document["links"]["prev"], "prev")
    # The page before the last one is full again; only where pages begin may differ.
    assert [case_id for page in reversed(backwards) for case_id in page] == [
        case_id for page in forwards[:-1] for case_id in page
    ]
    first = await api.get("/cases", {"page[size]": "7"})
    assert first.document["links"]["prev"] is None
    assert last.document["links"]["next"] is None

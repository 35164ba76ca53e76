import pytest

from persona_cases.testing import DEFAULT_EPOCH, FieldSpec, Queue, Ref, Template


async def test_a_case_by_its_id(api):
    case = next(iter(api.sim.store.cases.values()))
    document = (await api.get(f"/cases/{case.id}")).document
    assert document.keys() == {"data"}
    assert document["data"]["id"] == case.id
    assert document["data"]["attributes"]["created-at"] == case.created_at


@pytest.mark.parametrize("path", ["/cases/case_unknown", "/cases/%20", "/cases/..%2f", "/case-templates/ctmpl_x"])
async def test_unknown_objects_are_404(api, path):
    answered = await api.get(path)
    assert (answered.status, answered.document) == (404, {"errors": [{"title": "Record not found"}]})


ALL = "case-template,case-queue,case-comments,accounts,inquiries,reports,verifications,txns"


async def test_everything_around_a_case_can_be_included(simulate):
    api = await simulate(cases=60, seed=2)
    types = set()
    for case in api.sim.store.cases.values():
        document = (await api.get(f"/cases/{case.id}", {"include": ALL})).document
        linked = set()
        for relationship in document["data"]["relationships"].values():
            data = relationship["data"]
            linked |= {(link["type"], link["id"]) for link in (data if isinstance(data, list) else [data]) if link}
        assert {(one["type"], one["id"]) for one in document["included"]} == linked
        types |= {one["type"].partition("/")[0] for one in document["included"]}
    assert types == {
        "case-template", "case-queue", "case-comment", "account", "inquiry", "report", "verification", "transaction"
    }  # fmt: skip


async def test_an_empty_include_is_an_empty_list(api):
    case_id = (await api.get("/cases")).ids[0]
    assert (await api.get(f"/cases/{case_id}?include=")).document["included"] == []
    template_id = api.sim.store.template("KYC").id
    assert (await api.get(f"/case-templates/{template_id}?include=")).document["included"] == []


async def test_one_dot_is_followed_and_every_object_comes_once(api):
    case = next(case for case in api.sim.store.cases.values() if case.inquiries and case.verifications)
    document = (await api.get(f"/cases/{case.id}", {"include": "inquiries.verifications,inquiries"})).document
    expected = [*case.inquiries, *case.verifications]
    assert [Ref(one["type"], one["id"]) for one in document["included"]] == expected


@pytest.mark.parametrize("include", ["owner", "caseTemplate", "case_template", "inquiries.account.tags", "a.b"])
async def test_unknown_and_deep_includes_are_refused(api, include):
    case_id = (await api.get("/cases")).ids[0]
    assert (await api.get(f"/cases/{case_id}", {"include": include})).status == 400


async def test_templates_show_their_fields_and_include_nothing(api):
    template = api.sim.store.template("AML")
    data = (await api.get(f"/case-templates/{template.id}")).document["data"]
    assert (data["type"], data["id"]) == ("case-template", template.id)
    schemas = {schema["key"]: schema for schema in data["attributes"]["field-schemas"]}
    assert schemas["rules"]["type"] == "multi-choices"
    assert schemas["priority"]["config"]["options"] == ["low", "medium", "high"]
    assert (await api.get(f"/case-templates/{template.id}", {"include": "accounts"})).status == 400


async def test_a_sparse_fieldset_leaves_out_the_rest_and_the_relationships(api):
    case_id = (await api.get("/cases")).ids[0]
    data = (await api.get(f"/cases/{case_id}", {"fields[case]": "status, created-at,nonsense"})).document["data"]
    assert data.keys() == {"type", "id", "attributes"}
    assert data["attributes"].keys() == {"status", "created-at"}
    data = (await api.get(f"/cases/{case_id}", {"fields[case]": ""})).document["data"]
    assert data["attributes"] == {}


@pytest.mark.parametrize("spelling", ["created-at", "created_at", "createdAt"])
async def test_names_in_fieldsets_may_be_spelt_in_any_way(api, spelling):
    params = {"fields[case]": spelling}
    (case, *_) = (await api.get("/cases", params, {"Key-Inflection": "snake"})).document["data"]
    assert case["attributes"].keys() == {"created_at"}


async def test_older_versions_want_the_spelling_of_the_answer(api):
    headers = {"Persona-Version": "2023-01-05"}
    (case, *_) = (await api.get("/cases", {"fields[case]": "created_at,status"}, headers)).document["data"]
    assert case["attributes"].keys() == {"status"}


async def test_single_custom_fields_can_be_asked_for(api):
    case = api.sim.store.create_case("KYC", fields={"priority": "high", "risk_score": 7})
    data = (await api.get(f"/cases/{case.id}", {"fields[case]": "fields.risk_score"})).document["data"]
    assert data["attributes"] == {"fields": {"risk_score": {"type": "integer", "value": 7}}}


async def test_fieldsets_of_a_parent_type_cover_its_subtypes(api):
    case = next(case for case in api.sim.store.cases.values() if case.verifications)
    params = {"include": "verifications,case-template", "fields[verification]": "status"}
    included = (await api.get(f"/cases/{case.id}", params)).document["included"]
    for one in included:
        alone = one["attributes"].keys() == {"status"}
        assert alone == one["type"].startswith("verification/")


@pytest.mark.parametrize(
    ("inflection", "attribute", "relationship", "byte_size"),
    [
        ("kebab", "created-at", "case-template", "byte-size"),
        ("snake", "created_at", "case_template", "byte_size"),
        ("camel", "createdAt", "caseTemplate", "byteSize"),
    ],
)
async def test_names_follow_the_inflection_and_data_does_not(simulate, inflection, attribute, relationship, byte_size):
    api = await simulate(cases=60)
    case = next(case for case in api.sim.store.cases.values() if case.attachments and "risk_score" in case.fields)
    document = (
        await api.get(f"/cases/{case.id}", {"include": "case-template"}, {"Key-Inflection": inflection})
    ).document
    attributes, relationships = document["data"]["attributes"], document["data"]["relationships"]
    assert attribute in attributes
    assert relationships[relationship]["data"] == {"type": "case-template", "id": case.template_id}
    assert attributes["attachments"][0].keys() == {"filename", "url", byte_size}
    assert attributes["fields"].keys() == case.fields.keys()
    assert {"risk_score", "politically_exposed"} <= attributes["fields"].keys()
    schemas = next(value for name, value in document["included"][0]["attributes"].items() if "ield" in name)
    assert {"risk_score", "politically_exposed"} <= {schema["key"] for schema in schemas}


async def test_older_versions_inflect_the_keys_of_custom_fields_and_include_by_default(api):
    case = next(case for case in api.sim.store.cases.values() if "risk_score" in case.fields)
    headers = {"Persona-Version": "2023-01-05"}
    document = (await api.get(f"/cases/{case.id}", headers=headers)).document
    assert "risk-score" in document["data"]["attributes"]["fields"]
    types = {one["type"].partition("/")[0] for one in document["included"]}
    assert {"inquiry", "verification"} <= types
    assert types <= {"account", "inquiry", "report", "verification", "case-comment"}
    assert (await api.get(f"/cases/{case.id}?include=", headers=headers)).document["included"] == []


async def test_an_account_looks_the_same_from_every_case(simulate):
    api = await simulate(cases=200)
    by_account = {}
    for case in api.sim.store.cases.values():
        for account in case.accounts:
            document = (await api.get(f"/cases/{case.id}", {"include": "accounts"})).document
            by_account.setdefault(account.id, []).append(document["included"][0])
    assert max(map(len, by_account.values())) > 1
    for seen in by_account.values():
        assert all(one == seen[0] for one in seen)
        assert seen[0]["attributes"]["created-at"] < "2024"
        assert seen[0]["attributes"]["reference-id"].startswith("customer-")


async def test_what_the_simulator_does_not_have_is_not_included(api):
    case = api.sim.store.create_case("KYC", queue_id="cqueue_x", reports=(Ref("report/watchlist", "rep_x"),))
    params = {"include": "case-queue,reports.transaction,reports.account"}
    document = (await api.get(f"/cases/{case.id}", params)).document
    assert document["data"]["relationships"]["case-queue"]["data"] == {"type": "case-queue", "id": "cqueue_x"}
    assert [one["id"] for one in document["included"]] == ["rep_x"]


async def test_comments_are_included_as_written(api):
    case = api.sim.store.create_case("DOC")
    api.sim.store.add_comment(case.id, "Looks fine.")
    (comment,) = (await api.get(f"/cases/{case.id}", {"include": "case-comments"})).document["included"]
    assert comment["attributes"]["message"] == "Looks fine."


async def test_attachments_can_be_downloaded_without_the_key(api):
    case = next(case for case in api.sim.store.cases.values() if case.attachments)
    (shown, *_) = (await api.get(f"/cases/{case.id}")).document["data"]["attributes"]["attachments"]
    assert shown["url"].startswith(f"{api.sim.origin}/files/")
    async with api.session.get(shown["url"]) as response:
        assert response.status == 200
        assert len(await response.read()) == shown["byte-size"]
    async with api.session.get(shown["url"].partition("?")[0], params={"access_token": "wrong"}) as response:
        assert response.status == 403
    async with api.session.get(f"{api.sim.origin}/files/other?{shown['url'].partition('?')[2]}") as response:
        assert response.status == 404
    async with api.session.post(shown["url"]) as response:
        assert response.status == 405


async def test_a_template_of_ones_own(api):
    queue = Queue("cqueue_mine", "Mine")
    template = Template(
        id="ctmpl_mine",
        prefix="OWN",
        name="My own",
        initial="new",
        intermediate=(),
        end=("done",),
        fields=(FieldSpec("colour", "string", "Colour"),),
        queues=(queue,),
    )
    api.sim.store.add_template(template)
    case = api.sim.store.create_case("OWN", fields={"colour": "red"}, created_at=DEFAULT_EPOCH, queue_id=queue.id)
    data = (await api.get(f"/cases/{case.id}", {"include": "case-queue,case-template"})).document
    assert data["data"]["attributes"]["name"] == "OWN-1"
    assert data["data"]["attributes"]["fields"] == {"colour": {"type": "string", "value": "red"}}
    assert [one["attributes"]["name"] for one in data["included"]] == ["Mine", "My own"]
    leaf = {"attribute": "fields.colour", "operator": "eq", "value": "red"}
    assert (await api.search({"query": leaf})).ids == [case.id]


async def test_a_wrong_method_is_told_the_right_ones(api):
    answer = await api.send("PUT", "/rate-limits")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_search_is_an_id_like_any_other_where_it_is_no_action(api):
    assert (await api.send("GET", "/cases/search")).status == 404


async def test_an_id_with_a_line_break_is_not_found_like_any_other(api):
    answer = await api.send("GET", "/cases/%0Ay")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json; charset=utf-8")


async def test_a_body_that_is_null_is_refused(api):
    answer = await api.send("POST", "/cases/search", data=b"null", headers={"Content-Type": "application/json"})
    assert answer.status == 400

import pytest

from persona_cases.testing import Simulator

IDENTITY = {"Request-Id": "req_", "Persona-Environment-Id": "env_", "Persona-Organization-Id": "org_"}


@pytest.mark.parametrize(
    ("authorization", "title"),
    [
        ("", "Token is invalid"),
        ("Bearer wrong", "Token is invalid"),
        ("Basic persona_sandbox_simulator", "Token is invalid"),
    ],
)
async def test_a_wrong_key_gets_a_title_and_no_rate_limit_headers(api, authorization, title):
    answered = await api.get("/cases", headers={"Authorization": authorization})
    assert answered.status == 401
    assert answered.document == {"errors": [{"title": title}]}
    assert not {name for name in answered.headers if name.lower().startswith(("ratelimit", "request-id"))}


async def test_no_key_at_all_is_told_apart(api):
    async with api.session.get(api.sim.base_url + "/cases") as response:
        assert response.status == 401
        document = await response.json()
    assert document == {"errors": [{"title": "Must be authenticated to access this endpoint"}]}


@pytest.mark.parametrize("path", ["/cases", "/cases/nobody", "/nowhere", "/cases?page[size]=0", "/rate-limits"])
async def test_every_authenticated_answer_has_the_documented_headers(api, path):
    answered = await api.get(path)
    assert answered.headers["Content-Type"] == "application/json; charset=utf-8"
    for name, prefix in IDENTITY.items():
        assert answered.headers[name].startswith(prefix)
    for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"):
        assert answered.headers[name].isdecimal()


async def test_request_ids_differ(api):
    first, second = await api.get("/cases"), await api.get("/cases")
    assert first.headers["Request-Id"] != second.headers["Request-Id"]


@pytest.mark.parametrize("path", ["/nowhere", "/cases/case_1/nothing", "/", "/cases/", "/case-templates"])
async def test_unknown_paths_are_404_in_the_vendors_shape(api, path):
    answered = await api.get(path)
    assert (answered.status, answered.error) == (404, {"title": "Record not found"})


@pytest.mark.parametrize(("method", "path"), [("PUT", "/cases"), ("DELETE", "/rate-limits")])
async def test_known_paths_refuse_other_methods(api, method, path):
    answered = await api.send(method, path)
    assert (answered.status, answered.error["title"]) == (405, "Method not allowed")


async def test_a_path_outside_the_api_is_404(api):
    async with api.session.get(
        f"{api.sim.origin}/cases", headers={"Authorization": f"Bearer {api.sim.api_key}"}
    ) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "headers",
    [{"Persona-Version": "2024-02-30"}, {"Persona-Version": ""}, {"Key-Inflection": "pascal"}],
)
async def test_unknown_versions_and_inflections_are_refused(api, headers):
    answered = await api.get("/cases", headers=headers)
    assert (answered.status, answered.error["title"]) == (400, "Bad Request")


@pytest.mark.parametrize("version", ["2020-05-18", "2023-01-05", "2025-10-27", "2025-12-08", "2026-09-29"])
async def test_known_versions_are_accepted(api, version):
    answered = await api.get("/cases", headers={"Persona-Version": version})
    assert answered.status == 200


async def test_the_log_has_everything_but_the_key(api):
    await api.search({"page": {"size": 1}}, params={"page[size]": "2"}, headers={"Key-Inflection": "snake"})
    (request,) = api.sim.requests
    assert (request.method, request.path, request.status) == ("POST", "/cases/search", 200)
    assert request.params == {"page[size]": "2"}
    assert request.json() == {"page": {"size": 1}}
    assert request.headers["key-inflection"] == "snake"
    assert "authorization" not in request.headers
    assert api.sim.api_key not in repr(request)


async def test_the_log_can_be_sifted_sliced_and_cleared(api):
    for path in ("/cases", "/rate-limits", "/cases"):
        await api.get(path)
    log = api.sim.requests
    assert len(log.matching("GET", "/cases")) == 2
    assert log.matching("POST") == []
    assert [request.path for request in log[1:]] == ["/rate-limits", "/cases"]
    assert log[-1].path == "/cases"
    log.clear()
    assert len(log) == 0


async def test_a_custom_key_is_the_only_one_that_opens(simulate):
    api = await simulate(cases=1, api_key="other")
    assert (await api.get("/cases")).status == 200
    answered = await api.get("/cases", headers={"Authorization": "Bearer persona_sandbox_simulator"})
    assert answered.status == 401


def test_the_repr_shows_no_key():
    assert "secret" not in repr(Simulator(cases=0, api_key="secret"))

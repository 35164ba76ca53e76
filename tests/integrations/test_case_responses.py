"""Cases as responses of FastAPI: with a schema, showing what was chosen, page by page; files that browsers send."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
from typing import Annotated

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
import attrs
import httpx
import jsonschema_rs
from fastapi import Body, FastAPI, UploadFile
from starlette.datastructures import UploadFile as StarletteUploadFile

from persona_cases import Case, CaseTemplate, InvalidArgumentError, NotLoadedError, PersonaClient, Q, Upload
from persona_cases.integrations.case_out import schema_of, shown_of
from persona_cases.integrations.fastapi import (
    CaseId,
    CaseOut,
    CasePage,
    PersonaDep,
    add_error_handlers,
    get_persona,
    readiness_route,
)
from persona_cases.models import Resource
from persona_cases.testing import Fault, Simulator

NAMES = (
    *("status", "fields.priority", "created_at", "tags", "attachments", "case-queue", "accounts", "extra.newer"),
    "relationships.newer",
)


class Summary(CaseOut, only=("status", "fields.priority")):
    """What the tests show of a case."""


def make_app() -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)
    app.get("/ready")(readiness_route(max_waiting=3))

    @app.get("/cases/{case_id}")
    async def show(case_id: CaseId, persona: PersonaDep) -> Case:
        return await persona.cases.get(case_id)

    @app.get("/cases/{case_id}/little", response_model=CaseOut.only(*NAMES, title="Little"))
    async def show_little(case_id: str, persona: PersonaDep) -> Case:
        return await persona.cases.get(case_id)

    @app.get("/cases/{case_id}/summary")
    async def summary(case_id: str, persona: PersonaDep) -> Summary:
        return Summary(await persona.cases.get(case_id, only=Summary.names))

    @app.get("/cases")
    async def page(persona: PersonaDep, cursor: str | None = None) -> CasePage:
        return await CasePage.of(persona.cases.list(page_size=20), cursor)

    @app.get("/summaries")
    async def summaries(persona: PersonaDep, cursor: str | None = None) -> CasePage[Summary]:
        return await CasePage[Summary].of(persona.cases.search(Q.status.eq("open"), page_size=20), cursor)

    @app.get("/templates/{template_id}")
    async def template(template_id: str, persona: PersonaDep) -> CaseTemplate:
        return await persona.case_templates.get(template_id)

    @app.post("/read")
    async def read(case: Annotated[Case, Body()]) -> str | None:
        return case.status

    @app.post("/cases/{case_id}/files")
    async def attach(case_id: str, file: UploadFile, persona: PersonaDep) -> Summary:
        upload = Upload.from_upload_file(file)
        return Summary(await persona.cases.update(case_id, attachments=[upload]))

    return app


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return make_app()


@pytest.fixture(scope="module")
def schemas(app) -> dict[str, dict]:
    return app.openapi()["components"]["schemas"]


@pytest.fixture
async def sim():
    async with Simulator(cases=50, seed=5) as simulator:
        yield simulator


@pytest.fixture
async def ask(app, sim, make_client):
    client = make_client(sim)
    app.dependency_overrides[get_persona] = lambda: client
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
        yield browser
    app.dependency_overrides.clear()


async def test_a_case_is_a_response_as_the_api_sent_it(ask, sim, make_client, schemas):
    case_id = next(iter(sim.store.cases))
    shown = (await ask.get(f"/cases/{case_id}")).json()
    assert shown == (await make_client(sim).cases.get(case_id)).to_dict()
    jsonschema_rs.validate(schemas["Case"], shown)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schemas["Case"], {**shown, "attributes": {**shown["attributes"], "tags": "one"}})


async def test_what_cannot_be_an_id_is_the_browsers_mistake(ask, sim):
    for wrong in ("a%3Fb", "a%23b", "a%20b", "%25", "%00", "a%5Cb"):
        assert (await ask.get(f"/cases/{wrong}")).status_code == 422
    assert len(sim.requests) == 0


async def test_what_is_chosen_is_shown_and_nothing_else(ask, sim, make_client, schemas):
    case_id = next(case.id for case in sim.store.cases.values() if case.fields.get("priority"))
    sim.store.update_case(case_id, attachments=[sim.store.upload("scan.pdf", b"content")])
    shown = (await ask.get(f"/cases/{case_id}/little")).json()
    case = await make_client(sim).cases.get(case_id)
    assert list(shown) == [
        *("id", "status", "fields", "created_at", "tags", "attachments", "case_queue", "accounts", "newer")
    ]
    assert shown["fields"] == {"priority": case.fields["priority"]}
    assert shown["tags"] == list(case.tags)
    assert shown["case_queue"] == case.case_queue_id
    assert shown["accounts"] == [account.id for account in case.relationships.accounts]
    assert [(file["filename"], file["byte_size"]) for file in shown["attachments"]] == [("scan.pdf", 7)]
    jsonschema_rs.validate(schemas["Little"], shown)
    assert set(schemas["Little"]["required"]) == set(shown)


async def test_a_class_of_ones_own_loads_what_it_shows(ask, sim):
    case_id = next(case.id for case in sim.store.cases.values() if case.fields.get("priority"))
    shown = (await ask.get(f"/cases/{case_id}/summary")).json()
    assert shown.keys() == {"id", "status", "fields"}
    assert sim.requests[-1].params["fields[case]"] == "status,fields.priority"


async def test_pages_lead_to_each_other(ask, sim):
    for path in ("/cases", "/summaries"):
        found, cursor = [], None
        while True:
            page = (await ask.get(path, params={} if cursor is None else {"cursor": cursor})).json()
            found += [case["id"] for case in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        wanted = [case.id for case in sim.store.cases.values() if path == "/cases" or case.status == "open"]
        assert sorted(found) == sorted(wanted)
    assert page["items"][0].keys() == {"id", "status", "fields"}


@pytest.mark.parametrize("path", ["/cases", "/summaries"])
async def test_a_cursor_from_nowhere_is_the_browsers_mistake_and_a_failure_is_not(ask, sim, path):
    for cursor in ("", "case_nobody", "m1.AAAA", "\x00"):
        assert (await ask.get(path, params={"cursor": cursor})).status_code == 422
    cursor = (await ask.get(path)).json()["next_cursor"]
    for status, answer in ((401, 502), (503, 502)):
        sim.faults.add(Fault.status(status))
        assert (await ask.get(path, params={"cursor": cursor})).status_code == answer
        sim.faults.clear()


async def test_objects_beside_cases_are_responses_too(ask, sim, schemas):
    template_id = next(iter(sim.store.cases.values())).template_id
    shown = (await ask.get(f"/templates/{template_id}")).json()
    assert (shown["type"], shown["id"]) == ("case-template", template_id)
    jsonschema_rs.validate(schemas["CaseTemplate"], shown)


def test_every_public_object_beside_cases_has_a_schema():
    from pydantic import TypeAdapter

    from persona_cases import models

    public = [getattr(models, name) for name in models.__all__]
    classes = [each for each in public if isinstance(each, type) and issubclass(each, Resource)]
    assert len(classes) > 7
    for cls in classes:
        sent = {"type": cls.resource_type or "anything", "id": "x_1", "attributes": {}}
        adapter = TypeAdapter(cls)
        assert adapter.dump_python(adapter.validate_python(sent)) == sent
        assert adapter.json_schema()["title"] == cls.__name__


async def test_cases_are_read_from_bodies(ask, sim, make_client):
    case = await make_client(sim).cases.list().first()
    assert (await ask.post("/read", json=case.to_dict())).json() == case.status
    for wrong in ({"type": "dog", "id": "x"}, {"type": "case"}, [], 3):
        assert (await ask.post("/read", json=wrong)).status_code == 422


def test_names_that_cases_do_not_have_are_refused_when_the_application_is_made():
    for names in ((), ("statuss",), ("status,name",), (3,)):
        with pytest.raises(InvalidArgumentError):
            CaseOut.only(*names)
    with pytest.raises(InvalidArgumentError):
        type(CaseOut)("Wrong", (CaseOut,), {}, only="status")


def test_what_was_not_loaded_is_an_error_and_not_null(case_dict):
    from persona_cases.models import Fieldset

    case = Case.from_dict(case_dict, fieldset=Fieldset.of(["status"]))
    assert shown_of(case, ["status"]) == {"id": "case_1", "status": "open"}
    for name in ("name", "fields.priority", "accounts", "tags"):
        with pytest.raises(NotLoadedError):
            shown_of(case, [name])


def test_all_custom_fields_and_one_more_name(case_dict):
    case = Case.from_dict({**case_dict, "attributes": {"fields": {"a": "1", "b": {"type": "integer", "value": 2}}}})
    for names in (["fields"], ["fields", "fields.a"], ["fields.a", "fields"]):
        shown = shown_of(case, names)
        assert shown == {"id": "case_1", "fields": {"a": "1", "b": 2}}
        jsonschema_rs.validate(schema_of("Shown", names), shown)


@pytest.fixture
def case_dict():
    return {"type": "case", "id": "case_1", "attributes": {"status": "open"}}


def test_models_need_no_pydantic():
    program = (
        "import sys\nsys.modules['pydantic'] = sys.modules['pydantic_core'] = None\n"
        "from persona_cases import Case\nCase.from_dict({'type': 'case', 'id': 'case_1'}).to_dict()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(importlib.util.find_spec("python_multipart") is None, reason="python-multipart is not installed")
async def test_a_file_from_a_browser_is_attached(ask, sim):
    case_id = next(iter(sim.store.cases))
    name, content = "C:\\scans\\passport.pdf", b"x" * 2_000_000
    response = await ask.post(f"/cases/{case_id}/files", files={"file": (name, content, "application/pdf")})
    assert response.status_code == 200
    (attached,) = sim.store.cases[case_id].attachments[-1:]
    assert (attached.filename, attached.byte_size) == ("passport.pdf", len(content))


def test_a_file_that_was_looked_at_is_taken_from_its_beginning():
    file = StarletteUploadFile(io.BytesIO(b"content"), filename="../../passport.pdf")
    file.file.read()
    upload = Upload.from_upload_file(file)
    assert (upload.filename, upload.content.read()) == ("passport.pdf", b"content")


@pytest.mark.parametrize(("name", "content"), [(None, b"x"), ("", b"x"), ("scans/", b"x"), ("empty.pdf", b"")])
def test_a_file_without_a_name_or_content_is_refused(name, content):
    with pytest.raises(InvalidArgumentError, match=r"^file: "):
        Upload.from_upload_file(StarletteUploadFile(io.BytesIO(content), filename=name))


# ---- readiness -------------------------------------------------------------------------------------------------------


async def test_readiness_is_known_without_a_request(ask, sim):
    response = await ask.get("/ready")
    assert response.status_code == 200
    assert response.json().items() >= {"ready": True, "limit": 300, "waiting": 0, "cooling_for": 0.0}.items()
    assert len(sim.requests) == 0


def test_a_service_whose_calls_queue_up_is_not_ready():
    from persona_cases.integrations.readiness import readiness_of

    state = PersonaClient("persona_sandbox_test").limiter.state
    assert readiness_of(state, 0).status == 200
    for cooling_for, resets_in, wait in ((2.2, 40.0, "3"), (0.0, 40.0, "40"), (0.0, None, "1")):
        busy = readiness_of(attrs.evolve(state, waiting=4, cooling_for=cooling_for, resets_in=resets_in), 3)
        assert (busy.status, busy.document["ready"], busy.headers) == (503, False, {"Retry-After": wait})
    with pytest.raises(InvalidArgumentError, match="max_waiting"):
        readiness_route(max_waiting=-1)


def test_the_schema_has_no_references_that_lead_nowhere(app):
    text = json.dumps(app.openapi())
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert found <= app.openapi()["components"]["schemas"].keys()
    assert "$defs" not in text

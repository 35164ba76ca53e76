"""Changes of cases, on a real server that keeps them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from limiters import Time
from msgspec.structs import replace

from persona_cases import (
    BadRequestError,
    ConflictError,
    IndeterminateError,
    InvalidArgumentError,
    NotFoundError,
    NotLoadedError,
    PermissionDeniedError,
    PersonaError,
    QuotaExceededError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    TransportError,
    UnprocessableEntityError,
    Upload,
)
from persona_cases.protocol.call_options import Options
from persona_cases.resources.cases import Cases
from persona_cases.testing import Fault, ManualClock, Simulator
from persona_cases.transport.calls_under_way import Timing
from persona_cases.transport.file_hosts import FileHosts


@pytest.fixture
async def sim():
    async with Simulator(cases=20) as simulator:
        yield simulator


@pytest.fixture
def cases(sim, make_client):
    return make_client(sim).cases


@pytest.fixture
def template(sim) -> str:
    return sim.store.template("KYC").id


async def test_what_is_created_is_there_at_once(sim, cases, template):
    queue = next(iter(sim.store.queues))
    case = await cases.create(
        template, fields={"priority": "high"}, case_queue_id=queue, sla_expires_in=timedelta(hours=2)
    )
    assert case.status == "open"
    assert case.fields["priority"] == "high"
    assert case.fields.typed("priority").value == "high"
    assert case.relationships.case_queue.id == queue
    assert timedelta(hours=1) < case.sla_expires_at - datetime.now(UTC) <= timedelta(hours=2)
    assert await cases.list().first() == await cases.get(case.id) == case


async def test_an_update_changes_what_it_names_and_clears_what_is_none(sim, cases, template):
    queue = next(iter(sim.store.queues))
    case = await cases.create(template, fields={"priority": "high"}, case_queue_id=queue, sla_expires_in=60)
    case = await cases.update(case.id, fields={"priority": "low"})
    assert (case.fields["priority"], case.relationships.case_queue.id) == ("low", queue)
    assert case.sla_expires_at is not None
    case = await cases.update(case.id, fields={"priority": None}, case_queue_id=None, sla_expires_in=None)
    assert (case.fields["priority"], case.relationships.case_queue, case.sla_expires_at) == (None, None, None)


async def test_objects_tags_status_assignee_and_comments(sim, cases, template):
    case_id = (await cases.create(template)).id
    account = next(account.id for case in sim.store.cases.values() for account in case.accounts)
    user = next(iter(sim.store.users))
    case = await cases.add_objects(case_id, [account], include=["accounts"])
    assert [each.id for each in case.accounts] == [account]
    assert (await cases.remove_objects(case_id, [account])).relationships.accounts == ()
    assert (await cases.remove_objects(case_id, [account])).relationships.accounts == ()
    assert (await cases.add_tag(case_id, "vip")).tags == ("vip",)
    assert set((await cases.set_tags(case_id, ["eu", "vip"])).tags) == {"eu", "vip"}
    assert (await cases.remove_tag(case_id, tag_id=sim.store.tag_id("eu"))).tags == ("vip",)
    assert (await cases.set_tags(case_id, [])).tags == ()
    assert (await cases.assign(case_id, user)).assignee_id == user
    assert (await cases.set_status(case_id, "pending")).status == "pending"
    case = await cases.add_comment(case_id, "Called back.", include=["case-comments"])
    assert [comment.message for comment in case.comments] == ["Called back."]


async def test_a_redacted_case_has_lost_its_fields_and_takes_no_changes(cases, template):
    case_id = (await cases.create(template, fields={"priority": "high"})).id
    case = await cases.redact(case_id)
    assert case.redacted_at is not None
    assert not [value for value in case.fields.values() if value is not None]
    with pytest.raises(ConflictError):
        await cases.redact(case_id)


async def test_the_answer_holds_what_was_asked_for(cases, template):
    case = await cases.create(template, include=["case-template"])
    assert case.template.id == template
    case = await cases.set_status(case.id, "pending", only=["status"])
    assert case.status == "pending"
    with pytest.raises(NotLoadedError):
        _ = case.created_at


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda c, t: c.create("ctmpl_none"), NotFoundError),
        (lambda c, t: c.create(t, fields={"no_such_field": 1}), UnprocessableEntityError),
        (lambda c, t: c.update("case_none", fields={}), NotFoundError),
        (lambda c, t: c.redact("case_none"), NotFoundError),
        (lambda c, t: c.assign("case_none", "ann@example.com"), NotFoundError),
    ],
)
async def test_what_the_api_refuses_is_refused_once(sim, cases, template, change, error):
    with pytest.raises(error) as caught:
        await change(cases, template)
    assert caught.value.request_id.startswith("req_")
    assert caught.value.titles
    assert len(sim.requests) == 1


async def test_an_unknown_status_and_a_stale_object(sim, cases, template):
    case_id = (await cases.create(template)).id
    with pytest.raises(UnprocessableEntityError):
        await cases.set_status(case_id, "no such status")
    sim.faults.next(Fault.status(409, "Stale object error"))
    with pytest.raises(ConflictError, match="Stale object error"):
        await cases.set_status(case_id, "pending")


# ---- once, and no more -----------------------------------------------------------------------------------------------


async def test_a_create_through_hundreds_of_faults_makes_one_case_each_time(sim, make_client, template):
    client = make_client(sim, retry=RetryPolicy(attempts=60, base=0))
    before = len(sim.store.cases)
    for fault in (Fault.drop(), Fault.drop(applied=True), Fault.torn()):
        sim.faults.add(fault, probability=0.2)
    made = [await client.cases.create(template) for _ in range(150)]
    assert len(sim.requests) > 200
    assert len({case.id for case in made}) == 150
    assert len(sim.store.cases) == before + 150


async def test_every_attempt_carries_the_same_key_and_every_call_another(sim, cases, template):
    sim.faults.add(Fault.drop(), nth=[1, 2])
    await cases.create(template)
    await cases.create(template)
    keys = [request.headers["idempotency-key"] for request in sim.requests]
    assert keys[0] == keys[1] == keys[2] != keys[3]


async def test_the_callers_key_makes_a_call_safe_to_repeat(sim, cases, template):
    first = await cases.create(template, idempotency_key="row-17")
    assert (await cases.create(template, idempotency_key="row-17")).id == first.id
    with pytest.raises(BadRequestError, match="Idempotency error") as caught:
        await cases.create(template, fields={"priority": "low"}, idempotency_key="row-17")
    assert "row-17" not in str(caught.value)


async def test_one_key_twice_at_the_same_time_is_refused(sim, cases, template):
    sim.faults.next(Fault.delay(0.3))
    first = asyncio.create_task(cases.create(template, idempotency_key="row-17"))
    while not sim.requests:
        await asyncio.sleep(0.01)
    with pytest.raises(InvalidArgumentError, match="in flight"):
        await cases.create(template, idempotency_key="row-17")
    case = await first
    assert (await cases.create(template, idempotency_key="row-17")).id == case.id


async def test_a_redaction_is_one_request_an_attempt(sim, make_client, template):
    client = make_client(sim, retry=RetryPolicy(attempts=1))
    case = await client.cases.create(template)
    sim.faults.next(Fault.drop(), method="DELETE")
    with pytest.raises(PersonaError):
        await client.cases.redact(case.id)
    assert len(sim.requests.matching("DELETE")) == 1


LOST_AFTERWARDS = [Fault.drop(applied=True), Fault.torn(), Fault.status(503)]


@pytest.mark.parametrize("fault", LOST_AFTERWARDS, ids=["dropped", "torn", "failed"])
@pytest.mark.parametrize("files", [(), (Upload("a.pdf", b"%PDF"),)], ids=["fields", "files"])
async def test_an_update_that_may_have_happened_is_not_sent_again(sim, cases, template, fault, files):
    case = await cases.create(template)
    sim.faults.next(fault, method="PATCH")
    with pytest.raises(IndeterminateError, match=r"unknown whether PATCH /cases/\{id\} was carried out") as caught:
        await cases.update(case.id, fields={"priority": "low"}, attachments=files)
    assert (caught.value.attempts, len(sim.requests.matching("PATCH"))) == (1, 1)
    assert isinstance(caught.value.__cause__, PersonaError)


@pytest.mark.parametrize("fault", LOST_AFTERWARDS, ids=["dropped", "torn", "failed"])
async def test_who_knows_better_has_an_update_repeated(sim, cases, template, fault):
    case = await cases.create(template)
    sim.faults.next(fault, method="PATCH")
    updated = await cases.update(case.id, fields={"priority": "low"}, repeatable=True)
    assert (updated.fields["priority"], len(sim.requests.matching("PATCH"))) == ("low", 2)


async def test_an_update_that_was_refused_is_sent_again(sim, cases, template):
    case = await cases.create(template)
    sim.faults.next(Fault.status(429, headers={"RateLimit-Reset": "0"}), method="PATCH")
    updated = await cases.update(case.id, attachments=[Upload("a.pdf", b"%PDF")])
    assert (len(updated.attachments), len(sim.requests.matching("PATCH"))) == (1, 2)


async def test_attachments_are_never_repeated(sim, cases):
    with pytest.raises(InvalidArgumentError, match="repeatable"):
        await cases.update("case_1", attachments=[Upload("a.pdf", b"%PDF")], repeatable=True)
    assert not sim.requests


async def test_a_redaction_that_was_done_before_its_answer_was_lost_is_in_doubt(sim, cases, template):
    case = await cases.create(template)
    sim.faults.next(Fault.drop(applied=True), Fault.status(409), method="DELETE")
    with pytest.raises(IndeterminateError) as caught:
        await cases.redact(case.id)
    assert caught.value.attempts == 2
    assert (await cases.get(case.id)).redacted_at is not None


@pytest.mark.parametrize("quota_status", [403, 429])
@pytest.mark.parametrize("spelling", ["Quota", "QuotaLimit"])
async def test_a_quota_is_told_from_the_rate_limit(make_client, quota_status, spelling):
    async with Simulator(cases=0, case_quota="2/60", quota_status=quota_status, quota_headers=spelling) as sim:
        client = make_client(sim, retry=RetryPolicy(attempts=1))
        sim.spend_quota(2)
        with pytest.raises(QuotaExceededError) as caught:
            await client.cases.create(sim.store.template("KYC").id)
        assert (caught.value.status, 0 < caught.value.retry_after <= 60) == (quota_status, True)
        # Reading goes on: the quota is not the rate limit.
        assert await client.cases.list().collect() == []


# ---- files -----------------------------------------------------------------------------------------------------------

CONTENT = b"%PDF-1.7 " + b"0123456789abcdef" * 40_000


@pytest.fixture
async def with_file(cases, template):
    case = await cases.create(template)
    return await cases.update(case.id, attachments=[Upload("report.pdf", CONTENT)])


async def test_a_file_comes_back_whole_and_the_key_stays_here(sim, cases, with_file, tmp_path):
    told = []
    (attachment,) = with_file.attachments
    assert (attachment.filename, attachment.byte_size) == ("report.pdf", len(CONTENT))
    path = await cases.download(
        attachment, tmp_path / "report.pdf", on_progress=lambda done, size: told.append((done, size))
    )
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) > 3
    files = [request for request in sim.requests if not request.in_api]
    assert files
    assert sim.api_key not in repr([request.headers for request in files])


async def test_a_large_file_goes_up_and_comes_down(cases, template, tmp_path):
    content = b"\x89PNG" * 1_000_000
    case = await cases.create(template)
    case = await cases.update(case.id, attachments=[Upload("scan.png", content)])
    path = await cases.download(case.attachments[-1], tmp_path / "scan.png")
    assert path.read_bytes() == content


async def test_a_torn_download_is_fetched_again_and_nothing_half_is_left(sim, cases, with_file, make_client, tmp_path):
    (attachment,) = with_file.attachments
    sim.faults.next(Fault.torn(after=100_000))
    assert (await cases.download(attachment, tmp_path / "a.pdf")).read_bytes() == CONTENT
    sim.faults.add(Fault.torn(after=100_000))
    with pytest.raises(TransportError):
        await make_client(sim).cases.download(attachment, tmp_path / "b.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_file_host_is_left_alone_as_long_as_it_asks(sim, with_file, make_api, tmp_path, status):
    (attachment,) = with_file.attachments
    time = Time()
    hosts = FileHosts(clock=time, sleep=time.sleep)
    api = await make_api(sim, timing=Timing(time, time.sleep, lambda: 0.0), file_hosts=hosts)
    sim.faults.next(Fault.status(status, headers={"Retry-After": "30"}))
    path = await Cases(api).download(attachment, tmp_path / "a.pdf")
    assert path.read_bytes() == CONTENT
    assert time.now == 30
    before = len(sim.requests)
    sim.faults.add(Fault.status(status, headers={"Retry-After": "30"}))
    patient = replace(api, options=Options(retry=RetryPolicy(attempts=99, deadline=200)))
    with pytest.raises(RateLimitError if status == 429 else ServerError):
        await Cases(patient).download(attachment, tmp_path / "b.pdf")
    # One request per pause, and none after the deadline. Who refuses again and again is left alone for 40 seconds.
    assert len(sim.requests) - before == (6 if status == 429 else 7)
    assert time.now <= 30 + 200


async def test_a_file_of_the_wrong_size_is_not_kept(sim, cases, with_file, tmp_path):
    (attachment,) = with_file.attachments
    sim.faults.add(Fault.body(b"short", content_type="application/pdf"))
    with pytest.raises(TransportError, match="5 bytes long"):
        await cases.download(attachment, tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


async def test_an_expired_address_is_replaced_by_asking_for_the_case(make_client, tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with Simulator(cases=0, clock=clock) as sim:
        cases = make_client(sim).cases
        case = await cases.create(sim.store.template("KYC").id)
        case = await cases.update(case.id, attachments=[Upload("report.pdf", CONTENT)])
        clock.advance(7 * 3600)
        path = await cases.download(case.attachments[0], tmp_path / "report.pdf")
        assert path.read_bytes() == CONTENT
        assert len(sim.requests.matching("GET", f"/cases/{case.id}")) == 1


async def test_of_files_alike_in_name_and_size_each_is_found_again(make_client, tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with Simulator(cases=0, clock=clock) as sim:
        cases = make_client(sim).cases
        contents = [b"first", b"longer than the others", b"third"]
        files = tuple(sim.store.upload("scan.pdf", content) for content in contents)
        case = await cases.get(sim.store.create_case(attachments=files).id)
        clock.advance(7 * 3600)
        for number, attachment in enumerate(case.attachments):
            path = await cases.download(attachment, tmp_path / f"{number}.pdf")
            assert path.read_bytes() == contents[number]


async def test_an_address_that_stays_refused_is_an_error(sim, cases, with_file, tmp_path):
    sim.faults.add(Fault.status(403), when=lambda request: not request.in_api)
    with pytest.raises(PermissionDeniedError):
        await cases.download(with_file.attachments[0], tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


async def test_addresses_that_can_not_be_used_are_refused(cases, with_file, tmp_path):
    import attrs

    (attachment,) = with_file.attachments
    for url, complaint in ((None, "no url"), ("http://files.example.com/a.pdf?access_token=t", "https")):
        with pytest.raises(InvalidArgumentError, match=complaint) as caught:
            await cases.download(attrs.evolve(attachment, url=url), tmp_path / "a.pdf")
        assert "access_token" not in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="cannot write"):
        await cases.download(attachment, tmp_path)


async def test_the_template_shows_its_fields(sim, make_client, template):
    client = make_client(sim)
    found = await client.case_templates.get(template)
    assert (found.id, found.status) == (template, "active")
    assert "priority" in {field.key for field in found.field_schemas}
    with pytest.raises(NotFoundError):
        await client.case_templates.get("ctmpl_none")


async def test_the_rate_limits_are_told(make_client):
    async with Simulator(cases=0, rate_limit="50/60") as sim:
        (limit,) = await make_client(sim).rate_limits()
        assert (limit.limit, limit.remaining) == (50, 49)

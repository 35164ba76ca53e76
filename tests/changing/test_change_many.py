"""`change_many` and `change_each` against the simulator."""

from __future__ import annotations

import asyncio
import io
import json
import stat

import pytest

from persona_cases import (
    AuthenticationError,
    ClientStateError,
    InvalidArgumentError,
    PersonaClient,
    Q,
    QueryError,
    RateLimitError,
    RetryPolicy,
    Upload,
)
from persona_cases.changes import AddComment, AddTag, RemoveTag, SetStatus, Update
from persona_cases.limits import LocalLimiter
from persona_cases.testing import Fault, Simulator

SECRET = "jane.roe@example.com"
CLOSE = SetStatus("escalated")


@pytest.fixture
async def sim():
    async with Simulator(cases=0, seed=4) as simulator:
        for number in range(24):
            status = "open" if number % 3 else "escalated"
            simulator.store.create_case("KYC", status=status, fields={"notes": SECRET, "priority": "low"})
        yield simulator


@pytest.fixture
async def persona(sim):
    settings = {"retry": RetryPolicy(base=0), "limiter": LocalLimiter(100_000)}
    async with PersonaClient(sim.api_key, base_url=sim.base_url, **settings) as client:
        yield client


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "x.journal"


def ids_of(sim):
    return list(sim.store.cases)


def statuses(sim):
    return [case.status for case in sim.store.cases.values()]


def writes(sim):
    return sum(request.method != "GET" and request.path != "/cases/search" for request in sim.requests)


async def test_cases_found_by_a_query_are_changed_once(sim, persona, journal):
    progress = []
    report = await persona.cases.change_many(
        Q.fields.priority.eq("low"), CLOSE, journal=journal, on_progress=progress.append
    )
    assert (report.changed, report.unchanged, report.failed, report.indeterminate) == (16, 8, 0, 0)
    assert set(statuses(sim)) == {"escalated"}
    assert writes(sim) == 16
    assert report.requests == len(sim.requests) == 1 + 24 + 16
    assert {row.case_id for row in report.rows} == set(ids_of(sim))
    assert all(row.change == CLOSE for row in report.rows)
    assert (progress[-1].done, progress[-1].total, progress[-1].failed) == (24, 24, 0)
    assert str(report).startswith(
        "24 cases: 16 changed, 8 unchanged, 0 skipped, 0 failed, 0 indeterminate\n41 requests"
    )
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert [each.name for each in journal.parent.iterdir()] == [journal.name]


async def test_the_same_call_again_does_nothing(sim, persona, journal):
    where = Q.status.eq("open")
    first = await persona.cases.change_many(where, CLOSE, journal=journal)
    again = await persona.cases.change_many(where, CLOSE, journal=journal)
    assert again.rows == first.rows
    assert (again.requests, again.resumed, first.resumed) == (0, True, False)


async def test_a_query_does_not_run_after_its_own_changes(sim, persona, journal):
    report = await persona.cases.change_many(
        Q.status.ne("open"), lambda case: SetStatus("open"), journal=journal, concurrency=1
    )
    assert report.changed == 8
    assert set(statuses(sim)) == {"open"}


async def test_a_dry_run_says_what_would_be_and_changes_nothing(sim, persona, journal):
    ids = [*ids_of(sim), "case_gone"]
    report = await persona.cases.change_many(
        ids, CLOSE, journal=journal, dry_run=True, only_if=Q.fields.priority.eq("low")
    )
    assert (report.changed, report.unchanged, report.failed, report.dry_run) == (16, 8, 1, True)
    assert (writes(sim), journal.exists()) == (0, False)
    assert str(report).startswith("dry run: 25 cases: 16 changed, 8 unchanged, 0 skipped, 1 failed")
    found = await persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=None, dry_run=True)
    assert (found.changed, found.requests) == (16, 1)
    # The simulator tells no limit, so all requests leave at once.
    assert found.seconds == pytest.approx(32 * 0.1 / 10)
    await persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=journal)
    after = await persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=journal, dry_run=True)
    assert (after.changed, after.resumed, after.seconds) == (16, True, 0)


async def test_a_function_makes_the_change_of_the_case_as_it_is_now(sim, persona, journal):
    def decide(case):
        return None if case.status == "open" else Update(fields={"notes": f"was {case.status}"})

    report = await persona.cases.change_many(Q.fields.priority.eq("low"), decide, journal=journal)
    assert (report.changed, report.skipped) == (8, 16)
    assert {row.reason for row in report.rows if row.outcome == "skipped"} == {"the function returned None"}
    notes = {case.fields["notes"]["value"] for case in sim.store.cases.values()}
    assert notes == {SECRET, "was escalated"}
    assert SECRET not in journal.read_text()


async def test_only_if_is_judged_right_before_the_write(sim, persona, journal):
    def take_the_others(_):
        for case_id, case in sim.store.cases.items():
            if case.status == "open":
                sim.store.update_case(case_id, status="pending")

    report = await persona.cases.change_many(
        Q.status.eq("open"),
        CLOSE,
        journal=journal,
        only_if=Q.status.eq("open"),
        concurrency=1,
        on_progress=take_the_others,
    )
    assert (report.changed, report.skipped) == (1, 15)
    assert {row.reason for row in report.rows} == {None, "only_if does not hold"}


async def test_pairs_keep_their_order_for_each_case(sim, persona, journal):
    one, two, *_ = ids_of(sim)
    pairs = [(one, AddTag("a")), (two, AddTag("a")), (one, RemoveTag("a")), (one, AddComment("done"))]
    report = await persona.cases.change_each(pairs, journal=journal)
    assert [(row.case_id, row.outcome) for row in report.rows] == [(id, "changed") for id in (one, two, one, one)]
    assert [sim.store.cases[id].tags for id in (one, two)] == [(), ("a",)]
    assert len(sim.store.cases[one].comments) == 1


async def test_an_id_that_is_given_twice_is_one_row(sim, persona, journal):
    one, two, *_ = ids_of(sim)
    case = await persona.cases.get(two)
    report = await persona.cases.change_many([one, two, one, case], AddComment("x"), journal=journal)
    assert [row.case_id for row in report.rows] == [one, two]
    assert writes(sim) == 2


async def test_an_empty_selection_leaves_no_journal(sim, persona, journal):
    for where in ([], Q.status.eq("no such status")):
        report = await persona.cases.change_many(where, CLOSE, journal=journal)
        assert (report.rows, journal.exists()) == ((), False)


async def test_a_row_that_fails_says_why_and_the_others_go_on(sim, persona, journal):
    one, two, three, *_ = ids_of(sim)
    sim.store.redact_case(two)
    ids = [one, "case_gone", two, three]
    report = await persona.cases.change_many(ids, Update(fields={"notes": "x"}), journal=journal)
    assert [row.outcome for row in report.rows][:2] == ["changed", "failed"]
    gone = report.rows[1]
    assert (gone.status, gone.titles, gone.case_id) == (404, ("Record not found",), "case_gone")
    assert gone.request_id.startswith("req_")
    assert gone.reason.startswith("404 Record not found (GET /cases/{id}, 1 attempt in ")
    assert gone.to_dict()["change"] == {"name": "Update", "fields": {"notes": "x"}}
    again = await persona.cases.change_many(ids, Update(fields={"notes": "x"}), journal=journal)
    assert (again.rows, again.requests) == (report.rows, 0)
    sim.requests.clear()
    tried = await persona.cases.change_many(ids, Update(fields={"notes": "x"}), journal=journal, retry_failed=True)
    # One case is gone, and the other one is redacted, which only the write finds out.
    assert (tried.requests, tried.failed) == (3, 2)


async def test_what_failed_under_a_key_is_tried_again_under_a_new_one(sim, persona, journal):
    (one, *_) = ids_of(sim)
    sim.faults.add(Fault.status(422, stored=True), method="POST", path="/cases/*", times=1)
    assert (await persona.cases.change_many([one], AddComment("x"), journal=journal)).failed == 1
    report = await persona.cases.change_many([one], AddComment("x"), journal=journal, retry_failed=True)
    assert (report.changed, len(sim.store.cases[one].comments)) == (1, 1)


async def test_max_failures_ends_the_run_and_the_next_one_resumes(sim, persona, journal):
    sim.faults.add(Fault.status(422), method="POST", path="/cases/*", times=3)
    ids = ids_of(sim)
    report = await persona.cases.change_many(ids, AddComment("x"), journal=journal, max_failures=2, concurrency=1)
    assert (report.failed, report.pending, report.changed) == (2, 22, 0)
    assert ", 22 pending\n" in str(report)
    again = await persona.cases.change_many(ids, AddComment("x"), journal=journal)
    assert (again.failed, again.pending, again.changed) == (3, 0, 21)


async def test_a_failing_server_is_not_held_against_a_row(sim, persona, journal):
    ids = ids_of(sim)[:2]
    broken = sim.faults.add(Fault.status(503), method="GET")
    report = await persona.cases.change_many(ids, CLOSE, journal=journal)
    assert [(row.outcome, row.status) for row in report.rows] == [("failed", 503)] * 2
    sim.faults.remove(broken)
    assert (await persona.cases.change_many(ids, CLOSE, journal=journal)).failed == 0


@pytest.mark.parametrize("fault", [Fault.status(503, applied=True), Fault.drop(applied=True), Fault.drop()])
async def test_an_update_in_doubt_is_read_back(sim, persona, journal, fault):
    sim.faults.add(fault, method="PATCH", every=3)
    report = await persona.cases.change_many(ids_of(sim), Update(fields={"notes": "x"}), journal=journal, concurrency=1)
    assert report.changed == 24
    assert {case.fields["notes"]["value"] for case in sim.store.cases.values()} == {"x"}


async def test_a_comment_in_doubt_is_reported_and_never_made_twice(sim, persona, journal):
    one, two, *_ = ids_of(sim)
    sim.faults.add(Fault.status(500, applied=True, stored=True), method="POST", path=f"/cases/{one}/*", times=1)
    for retry_failed in (False, True):
        report = await persona.cases.change_many(
            [one, two], AddComment("x"), journal=journal, retry_failed=retry_failed
        )
        assert [row.outcome for row in report.rows] == ["indeterminate", "changed"]
        assert (report.rows[0].status, len(sim.store.cases[one].comments)) == (500, 1)


async def test_a_stale_object_is_read_again(sim, persona, journal):
    sim.faults.add(Fault.status(409, "Stale object error"), method="POST", path="/cases/*", times=1)
    assert (await persona.cases.change_many(ids_of(sim)[1:2], CLOSE, journal=journal)).changed == 1


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"where": Q.status.eq("pending")}, "selection"),
        ({"change": SetStatus("pending")}, "change"),
        ({"change": lambda _: CLOSE}, "change"),
        ({"only_if": Q.status.eq("open"), "change": AddTag("x")}, "change and another only_if"),
    ],
)
async def test_a_journal_of_another_run_is_refused(sim, persona, journal, arguments, names):
    given = {"where": Q.status.eq("open"), "change": CLOSE}
    await persona.cases.change_many(**given, journal=journal)
    with pytest.raises(InvalidArgumentError) as caught:
        await persona.cases.change_many(**{**given, **arguments}, journal=journal)
    assert str(caught.value).startswith(f"journal: it is of a run with another {names}: run with the same arguments")
    report = await persona.cases.change_many(**{**given, **arguments}, journal=journal, restart=True)
    assert not report.resumed


async def test_a_relative_time_is_the_same_query_tomorrow(sim, persona, journal):
    for _ in range(2):
        report = await persona.cases.change_many(Q.created_at.in_last(days=9000), CLOSE, journal=journal)
    assert report.resumed


async def test_two_runs_of_one_journal_are_refused(sim, persona, journal):
    async with asyncio.TaskGroup() as group:
        sim.faults.add(Fault.delay(0.2), path="/cases/search")
        first = group.create_task(persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=journal))
        await asyncio.sleep(0.05)
        with pytest.raises(ClientStateError, match="another run holds it"):
            await persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=journal)
    assert first.result().changed == 16


@pytest.mark.parametrize("answer", [True, False])
async def test_the_plan_is_shown_before_the_first_write(sim, persona, journal, answer):
    plans = []

    async def confirm(plan):
        plans.append(plan)
        assert (writes(sim), journal.exists()) == (0, False)
        return answer

    report = await persona.cases.change_many(Q.status.eq("open"), CLOSE, journal=journal, confirm=confirm)
    (plan,) = plans
    assert (plan.total, plan.done, plan.requests, len(plan.case_ids)) == (16, 0, 32, 16)
    assert (report.changed, report.pending) == ((16, 0) if answer else (0, 16))
    assert journal.exists() == answer


REFUSED = {
    "no query": ((None, CLOSE), {}, "where: None would mean all cases.* give Q.all_of"),
    "one id": (("case_1", CLOSE), {}, "put a single case into a list"),
    "an id that escapes": ((["../accounts"], CLOSE), {}, "each of where must be a bare id"),
    "a class": (([], SetStatus), {}, "change is the class SetStatus: make one"),
    "no change": (([], "closed"), {}, "change must be a change of persona_cases.changes"),
    "no workers": (([], CLOSE), {"concurrency": 0}, "concurrency"),
    "no failures": (([], CLOSE), {"max_failures": 0}, "max_failures"),
    "a flag": (([], CLOSE), {"dry_run": 1}, "dry_run must be True or False"),
    "no journal at all": (([], CLOSE), {"journal": None}, "None is for a dry run only"),
    "no journal": (([], CLOSE), {"journal": ""}, "journal must be a path"),
    "the journal a folder": (([], CLOSE), {"journal": "."}, "journal must be the path of a file"),
    "no function": (([], CLOSE), {"on_progress": 5}, "on_progress must be a function"),
    "no confirmation": (([], CLOSE), {"confirm": True}, "confirm must be a function"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_not_work_is_refused_before_anything_is_sent(sim, persona, journal, name):
    arguments, settings, said = REFUSED[name]
    with pytest.raises(InvalidArgumentError, match=said):
        await persona.cases.change_many(*arguments, **{"journal": journal, **settings})
    assert len(sim.requests) == 0


async def test_files_that_cannot_be_read_are_refused_before_anything_is_sent(sim, persona, journal):
    missing, read_once = Update(attachments=["/nowhere.pdf"]), Update(attachments=[Upload("a.pdf", io.BytesIO(b"x"))])
    for change, said in ((missing, "cannot be read: No such file"), (read_once, "an open file can be read only once")):
        with pytest.raises(InvalidArgumentError, match=said):
            await persona.cases.change_many(ids_of(sim), change, journal=journal)
        with pytest.raises(InvalidArgumentError, match=said):
            await persona.cases.change_each([(ids_of(sim)[0], change)], journal=journal)
    assert (len(sim.requests), journal.exists()) == (0, False)


async def test_files_are_attached_once(sim, persona, journal, tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    one, two, *_ = ids_of(sim)
    sim.faults.add(Fault.drop(applied=True), method="PATCH", path=f"/cases/{one}", times=1)
    change = Update(attachments=[tmp_path / "a.pdf"])
    for _ in range(2):
        report = await persona.cases.change_many([one, two], change, journal=journal, retry_failed=True)
        assert [row.outcome for row in report.rows] == ["indeterminate", "changed"]
    assert [len(sim.store.cases[each].attachments) for each in (one, two)] == [1, 1]


async def test_pairs_that_are_none_are_named(persona, journal):
    for pair, said in (
        ("case_1", r"pairs\[1\] must be a pair"),
        (("case_1", "x"), r"pairs\[1\]: the change must be a change"),
        (("a/b", CLOSE), r"pairs\[1\]: the case must be a bare id"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            await persona.cases.change_each([("case_1", CLOSE), pair], journal=journal)
    with pytest.raises(InvalidArgumentError, match="pairs must be a list of pairs"):
        await persona.cases.change_each({"case_1": CLOSE}, journal=journal)


async def test_what_cases_do_not_show_can_be_no_condition(sim, persona, journal):
    with pytest.raises(QueryError, match="cannot be evaluated locally"):
        await persona.cases.change_many([], CLOSE, journal=journal, only_if=Q.assignee.eq("user_1"))


@pytest.mark.parametrize("content", ["id,status\n", "{}\n"])
async def test_another_file_is_never_replaced(persona, journal, content):
    journal.write_text(content)
    for restart in (False, True):
        with pytest.raises(InvalidArgumentError, match="is not a journal of changes"):
            await persona.cases.change_many([], CLOSE, journal=journal, restart=restart)
    assert journal.read_text() == content


async def test_a_damaged_journal_can_be_discarded(sim, persona, journal):
    ids = ids_of(sim)
    await persona.cases.change_many(ids, CLOSE, journal=journal)
    damaged = journal.read_bytes().replace(b'"entry":"ended"', b'"entry":"end"')
    journal.write_bytes(damaged)
    with pytest.raises(InvalidArgumentError, match=r"it is damaged \(line \d+ cannot be read\)"):
        await persona.cases.change_many(ids, CLOSE, journal=journal)
    assert (await persona.cases.change_many(ids, CLOSE, journal=journal, restart=True)).unchanged == 24


async def test_a_missing_folder_is_named(persona, journal):
    with pytest.raises(InvalidArgumentError, match="No such file or directory: make its folder first"):
        await persona.cases.change_many(["case_1"], CLOSE, journal=journal / "in" / "x")


async def test_a_link_is_not_followed(persona, journal, tmp_path):
    (tmp_path / "else").touch()
    journal.symlink_to(tmp_path / "else")
    with pytest.raises(InvalidArgumentError, match="a folder, a link or something else"):
        await persona.cases.change_many(["case_1"], CLOSE, journal=journal)


async def test_a_function_that_raises_ends_the_run_and_the_journal_resumes(sim, persona, journal):
    ids, broken = ids_of(sim), True

    def decide(case):
        if broken and case.id == ids[5]:
            raise LookupError("a mistake of the caller")
        return AddComment("x")

    with pytest.raises(LookupError) as caught:
        await persona.cases.change_many(ids, decide, journal=journal, concurrency=1)
    assert caught.value.__notes__ == ["5 of 24 rows have ended: run the same again to resume from the journal"]
    broken = False
    report = await persona.cases.change_many(ids, decide, journal=journal)
    assert (report.changed, writes(sim)) == (24, 24)


async def test_a_refused_key_ends_the_run_and_no_row_is_in_doubt(sim, persona, journal):
    sim.faults.add(Fault.status(401), method="POST", path="/cases/*", nth=[5])
    with pytest.raises(AuthenticationError):
        await persona.cases.change_many(ids_of(sim), AddComment("x"), journal=journal)
    report = await persona.cases.change_many(ids_of(sim), AddComment("x"), journal=journal)
    assert report.changed == 24
    assert {len(case.comments) for case in sim.store.cases.values()} == {1}


async def test_a_wait_that_is_too_long_ends_the_run(sim, persona, journal):
    hasty = persona.with_options(max_wait=0)
    sim.faults.add(Fault.rate_limited(reset=30), method="POST", path="/cases/*", times=1)
    with pytest.raises(RateLimitError) as caught:
        await hasty.cases.change_many(ids_of(sim), AddComment("x"), journal=journal, concurrency=1)
    assert "0 of 24 rows have ended" in caught.value.__notes__[0]


async def test_a_cancelled_run_resumes(sim, persona, journal):
    hanging = sim.faults.add(Fault.delay(1e9), method="POST", path="/cases/*", nth=8)
    running = asyncio.create_task(persona.cases.change_many(ids_of(sim), CLOSE, journal=journal, concurrency=2))
    while not hanging.fired:
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.sleep(0)
    # The second time, it waits for nothing.
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    sim.faults.clear()
    report = await persona.cases.change_many(ids_of(sim), CLOSE, journal=journal)
    assert (report.changed, report.unchanged) == (16, 8)
    assert set(statuses(sim)) == {"escalated"}


async def test_a_cancelled_run_waits_for_the_rows_under_way(sim, persona, journal):
    slow = sim.faults.add(Fault.delay(0.2), method="POST", path="/cases/*")
    running = asyncio.create_task(persona.cases.change_many(ids_of(sim), AddComment("x"), journal=journal))
    while not slow.fired:
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    made = writes(sim)
    sim.faults.clear()
    report = await persona.cases.change_many(ids_of(sim), AddComment("x"), journal=journal)
    assert (report.changed, report.indeterminate, writes(sim)) == (24, 0, 24)
    assert 0 < made < 24


async def test_closing_the_client_ends_the_run(sim, persona, journal):
    hanging = sim.faults.add(Fault.delay(1e9), method="POST", path="/cases/*", nth=8)
    async with PersonaClient(sim.api_key, base_url=sim.base_url) as other:
        # One at a time: of others under way, a busy machine decides whether the API gets them before the client closes.
        changing = other.cases.change_many(ids_of(sim), AddComment("x"), journal=journal, concurrency=1)
        running = asyncio.create_task(changing)
        while not hanging.fired:
            await asyncio.sleep(0.001)
    with pytest.raises(ClientStateError):
        await running
    sim.faults.clear()
    report = await persona.cases.change_many(ids_of(sim), AddComment("x"), journal=journal)
    assert report.changed + report.indeterminate == 24
    assert {len(case.comments) for case in sim.store.cases.values()} == {1}


async def test_a_torn_line_is_cut_off_before_the_next_one(sim, persona, journal):
    ids = ids_of(sim)
    sim.faults.add(Fault.status(422), method="POST", path="/cases/*", times=1)
    await persona.cases.change_many(ids, AddComment("x"), journal=journal, max_failures=1, concurrency=1)
    with journal.open("ab") as file:
        file.write(b'{"entry":"beg')
    report = await persona.cases.change_many(ids, AddComment("x"), journal=journal)
    assert (report.changed, report.failed) == (23, 1)
    assert [json.loads(line) for line in journal.read_text().splitlines()][-1]["entry"] == "ended"


async def test_the_journal_and_the_reprs_hold_no_values(sim, persona, journal):
    change = Update(fields={"notes": SECRET})
    report = await persona.cases.change_many(ids_of(sim)[:3], change, journal=journal)
    comment = await persona.cases.change_many(ids_of(sim)[:3], AddComment(SECRET), journal=journal.with_suffix(".b"))
    assert (report.unchanged, comment.changed) == (3, 3)
    for text in (journal.read_text(), journal.with_suffix(".b").read_text(), repr(report), str(report), repr(comment)):
        assert SECRET not in text
    assert SECRET in json.dumps(report.to_dict())


async def test_rows_are_changed_inside_the_rate_limit(journal):
    async with (
        Simulator(cases=30, seed=4, rate_limit="20/1") as sim,
        PersonaClient(sim.api_key, base_url=sim.base_url, limiter=LocalLimiter(20, 1)) as client,
    ):
        report = await client.cases.change_many(ids_of(sim), AddComment("x"), journal=journal)
        assert report.changed == 30
        assert {request.status for request in sim.requests} == {200}

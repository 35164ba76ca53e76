"""Syncing a mirror in SQLite, against a simulator whose clock stands still."""

from __future__ import annotations

import sqlite3
import traceback
from contextlib import closing
from datetime import timedelta

import attrs
import pytest
from crashing import CrashError, CrashingMirror
from mirrored_world import JumpyClock, mirrored, on_disk, rows, truth

from persona_cases import APIError, ClientStateError, InvalidArgumentError, Q, QueryTooComplexError
from persona_cases.mirror import SyncReport
from persona_cases.query import parse
from persona_cases.testing import Fault, Simulator

LAG = 60


@pytest.fixture
async def world():
    clock = JumpyClock()
    async with Simulator(cases=130, seed=5, clock=clock, index_lag=LAG) as sim, sim.client() as client:
        yield sim, client, clock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cases.db"


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.redacted, report.departed


def unsigned(text: str | None) -> str | None:
    return None if text is None else text.split("access_token=")[0]


async def test_a_mirror_has_the_tables_of_an_export(world, path, tmp_path):
    _, client, _ = world
    report = await client.cases.sync(to=path)
    assert counts(report) == (130, 0, 0, 0)
    await client.cases.export(to=tmp_path / "export.sqlite", raw=True)
    with closing(sqlite3.connect(path)) as mirror, closing(sqlite3.connect(tmp_path / "export.sqlite")) as export:
        for database in (mirror, export):
            database.create_function(
                "unsigned", 1, lambda text: None if text is None else text.split("access_token=")[0]
            )
        names = [
            f'"{row[1]}"' for row in export.execute("PRAGMA table_info(cases)") if row[1] not in {"raw", "attachments"}
        ]
        for statement in (
            f"SELECT {', '.join(names)}, unsigned(attachments) FROM cases ORDER BY id",
            "SELECT case_id, key, type, value FROM fields ORDER BY case_id, key",
            "SELECT case_id, name, type, id FROM relationships ORDER BY case_id, name, type, id",
        ):
            assert mirror.execute(statement).fetchall() == export.execute(statement).fetchall()
        types = "SELECT name, type FROM pragma_table_info('cases') ORDER BY name"
        assert mirror.execute(types).fetchall() == export.execute(types).fetchall()


async def test_changes_come_in_and_redaction_erases_old_values(world, path):
    sim, client, clock = world
    first, second, *_ = [id for id, case in sim.store.cases.items() if case.template_id == sim.store.template("KYC").id]
    sim.store.update_case(first, fields={"notes": "an old secret"})
    clock.advance(LAG)
    await client.cases.sync(to=path, history=True)
    sim.store.update_case(first, fields={"notes": "a newer secret"})
    sim.store.update_case(second, status="approved")
    new = sim.store.create_case("KYC").id
    clock.advance(LAG)
    assert counts(await client.cases.sync(to=path, history=True)) == (1, 2, 0, 0)
    assert b"an old secret" in on_disk(path)
    sim.store.redact_case(first)
    clock.advance(LAG)
    report = await client.cases.sync(to=path, history=True)
    assert counts(report) == (0, 0, 1, 0)
    assert report.requests == 3
    assert b"secret" not in on_disk(path)
    assert rows(path, f"SELECT change FROM history WHERE case_id = '{first}'") == [
        ("added",),
        ("updated",),
        ("redacted",),
    ]
    assert rows(path, f"SELECT change FROM history WHERE case_id = '{new}'") == [("added",)]
    assert mirrored(path) == await truth(client, None)


async def test_new_fields_add_columns_and_wider_values_change_their_types(world, path):
    sim, client, clock = world
    await client.cases.sync(to=path)
    case = sim.store.create_case("KYC")
    for day, (value, cell) in enumerate([(5, 5), (2.5, 2.5), ("a text", '"a text"')], start=1):
        fields = {**case.fields, "Brand New": {"type": "integer", "value": value}}
        sim.store.update_case(case.id, updated_at=f"2026-01-0{day}T00:00:00.000Z", fields=None)
        sim.store.load([attrs.evolve(sim.store.cases[case.id], fields=fields)])
        clock.advance(LAG)
        await client.cases.sync(to=path)
        assert rows(path, f"SELECT \"fields.Brand New\" FROM cases WHERE id = '{case.id}'") == [(cell,)]


@pytest.mark.parametrize("where", [Q.status.eq("open"), Q.state.eq("initial")], ids=["shown", "hidden"])
async def test_cases_that_leave_the_query_leave_the_mirror(where, world, path):
    sim, client, clock = world
    await client.cases.sync(where, to=path)
    left, *_ = mirrored(path)
    sim.store.update_case(left, status="approved")
    clock.advance(LAG)
    assert (await client.cases.sync(where, to=path)).departed == 1
    assert left not in mirrored(path)
    assert mirrored(path) == await truth(client, where)


async def test_a_dirty_case_is_read_without_the_lag_and_not_overwritten_by_the_index(world, path):
    sim, client, _ = world
    await client.cases.sync(to=path)
    dirty = next(iter(sim.store.cases))
    sim.store.redact_case(dirty)
    report = await client.cases.sync(to=path, dirty=[dirty, "case_unknown"])
    assert counts(report) == (0, 0, 1, 0)
    assert counts(await client.cases.sync(to=path)) == (0, 0, 0, 0)
    assert rows(path, f"SELECT redacted_at IS NULL FROM cases WHERE id = '{dirty}'") == [(0,)]


async def test_what_the_index_tells_too_late_makes_the_sync_compare_with_the_list(world, path):
    sim, client, clock = world
    await client.cases.sync(to=path)
    # The newest cases are read from the list anyway.
    lost, late, other, *_ = sorted(sim.store.cases, key=lambda each: sim.store.cases[each].created_at)
    for id in (lost, late):
        sim.store.update_case(id, status="approved")
    held = [sim.store.changes.pop(), sim.store.changes.pop()]
    clock.advance(400)
    sim.store.update_case(other, status="approved")
    clock.advance(LAG)
    assert (await client.cases.sync(to=path)).reconciled == "no"
    sim.store.changes.append(held[0]._replace(when=clock.monotonic()))
    clock.advance(LAG)
    report = await client.cases.sync(to=path)
    assert report.reconciled == "gap"
    assert mirrored(path) == await truth(client, None)


async def test_a_case_that_searches_never_told_of_is_a_gap(world, path):
    sim, client, clock = world
    await client.cases.sync(to=path)
    sim.store.create_case("KYC")
    sim.store.changes.clear()
    clock.advance(700)
    sim.store.create_case("AML")
    clock.advance(LAG)
    report = await client.cases.sync(to=path)
    assert (report.reconciled, report.added) == ("gap", 2)
    assert (await client.cases.sync(to=path)).reconciled == "no"


async def test_a_comparison_finds_what_searches_never_told_and_what_is_no_longer_there(world, path):
    sim, client, clock = world
    await client.cases.sync(to=path)
    first, second, third, *_ = sim.store.cases
    sim.store.remove_case(first)
    sim.store.update_case(second, status="approved")
    sim.store.changes.clear()
    # A change that does not move updated_at.
    sim.store.update_case(third, status="declined", updated_at=sim.store.cases[third].updated_at)
    sim.store.changes.clear()
    clock.advance(5000)
    assert counts(await client.cases.sync(to=path)) == (0, 0, 0, 0)
    assert counts(await client.cases.sync(to=path, reconcile=True)) == (0, 1, 0, 1)
    report = await client.cases.sync(to=path, reconcile="full")
    assert (counts(report), report.reconciled) == ((0, 1, 0, 0), "asked")
    assert mirrored(path).keys() == sim.store.cases.keys()


async def test_an_interrupted_sync_is_resumed(world, path):
    _, client, _ = world
    with pytest.raises(CrashError):
        await client.cases.sync(to=CrashingMirror(path, 5, late=False))
    assert len(mirrored(path)) == 100
    report = await client.cases.sync(to=path)
    assert (report.resumed, report.added) == (True, 30)
    assert mirrored(path) == await truth(client, None)


async def test_a_sync_that_fails_keeps_what_it_committed(world, path):
    sim, client, _ = world
    sim.faults.add(Fault.status(403), path="/cases/search", nth=3)
    with pytest.raises(Exception, match="403"):
        await client.cases.sync(to=path)
    assert len(mirrored(path)) == 100


@pytest.mark.parametrize("fails", ["request", "database"])
async def test_the_traceback_of_an_error_holds_no_case(fails, world, path, monkeypatch):
    sim, client, _ = world
    if fails == "request":
        sim.faults.add(Fault.status(403), path="/cases/search", nth=3)
    else:
        monkeypatch.setattr("persona_cases.mirror.targets.sqlite_mirror.SqliteMirror.commit", failing)
    with pytest.raises((APIError, OSError)) as caught:
        await client.cases.sync(to=path)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    held = [value for frame in frames for name, value in frame.f_locals.items() if name in {"page", "taken", "changes"}]
    assert held == []
    assert not [frame for frame in frames if frame.f_code.co_filename.endswith(("case_intake.py", "sql_tables.py"))]


def failing(mirror, mark):
    raise OSError(28, "No space left on device")


async def test_two_syncs_of_one_mirror_are_refused(world, path):
    _, client, _ = world
    from persona_cases.mirror import MirrorSettings
    from persona_cases.mirror.targets.sqlite_mirror import SqliteMirror

    taken = SqliteMirror(path)
    taken.begin(MirrorSettings())
    with pytest.raises(ClientStateError, match="another sync"):
        await client.cases.sync(to=path)
    taken.end()
    await client.cases.sync(to=path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["cases.db"]


async def test_a_reader_that_holds_the_database_is_an_error_of_the_state(world, path, monkeypatch):
    _, client, _ = world
    monkeypatch.setattr("persona_cases.mirror.targets.sqlite_mirror.SECONDS_FOR_READERS", 0.0)
    await client.cases.sync(to=path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ClientStateError, match="another program"):
            await client.cases.sync(to=path)


async def test_a_mirror_is_of_one_query_one_history_and_one_environment(world, path):
    sim, client, _ = world
    await client.cases.sync(Q.status.eq("open"), to=path)
    with pytest.raises(InvalidArgumentError, match="another query"):
        await client.cases.sync(to=path)
    with pytest.raises(InvalidArgumentError, match="another value of history"):
        await client.cases.sync(Q.status.eq("open"), to=path, history=True)
    sim.faults.next(Fault.headers({"Persona-Environment-Id": "env_other"}))
    with pytest.raises(InvalidArgumentError, match="another environment"):
        await client.cases.sync(Q.status.eq("open"), to=path)
    await client.cases.sync(Q.status.eq("open"), to=path)


@pytest.mark.parametrize("content", ["export", "other", "text"])
async def test_a_file_that_is_no_mirror_is_left_alone(content, world, path):
    _, client, _ = world
    if content == "export":
        await client.cases.export(to=path)
    elif content == "other":
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE cases (id)")
    else:
        path.write_text("not a database, but a text of some length" * 100)
    before = path.read_bytes()
    with pytest.raises(InvalidArgumentError, match="not a mirror"):
        await client.cases.sync(to=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"to": "cases.jsonl"}, "names no database"),
        ({"to": 5}, "path of a database, or a Mirror"),
        ({"overlap": -1}, "overlap must be"),
        ({"overlap": "10m"}, "overlap must be"),
        ({"reconcile": "all"}, "reconcile must be"),
        ({"history": 1}, "history must be"),
        ({"dirty": "case_1"}, "dirty must be"),
        ({"dirty": [5]}, "dirty"),
        ({"where": parse("created_at >= now() - 7d")}, "relative to now"),
        ({"where": Q.created_at.in_last(days=7)}, "relative to now"),
    ],
)
async def test_arguments_that_cannot_work_are_refused_before_anything_is_sent(arguments, said, world, path):
    sim, client, _ = world
    with pytest.raises(InvalidArgumentError, match=said):
        await client.cases.sync(**{"to": path, **arguments})
    assert not path.exists()
    assert len(sim.requests) == 0


@pytest.mark.parametrize("name", ["cases.db", "cases.duckdb"])
async def test_a_mirror_in_a_missing_directory_is_refused(name, world, tmp_path):
    if name.endswith(".duckdb"):
        pytest.importorskip("duckdb")
    sim, client, _ = world
    with pytest.raises(InvalidArgumentError, match="directory of the mirror: it does not exist: make it first"):
        await client.cases.sync(to=tmp_path / "missing" / name)
    assert not list(tmp_path.iterdir())
    assert not sim.requests


async def test_a_query_that_no_few_searches_hold_is_refused_at_once(world, path):
    sim, client, _ = world
    where = Q.any_of([Q.fields[f"a{i}"].eq("x") & Q.fields[f"b{i}"].eq("y") for i in range(200)])
    with pytest.raises(QueryTooComplexError):
        await client.cases.sync(where, to=path, max_searches=2)
    assert len(sim.requests) == 0


async def test_a_sync_without_changes_costs_three_requests_and_writes_nothing(world, path):
    _, client, clock = world
    await client.cases.sync(to=path, overlap=timedelta(minutes=5))
    before = on_disk(path)
    clock.advance(10_000)
    report = await client.cases.sync(to=path, overlap=timedelta(minutes=5))
    assert report.requests == 3
    assert on_disk(path) == before
    assert report.to_dict()["watermark"] == report.watermark.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert "3 requests" in str(report)

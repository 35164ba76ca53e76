"""What holds of every database that a mirror can be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import attrs
import msgspec
import pytest
from crashing import CrashError, CrashingMirror
from databases import Database, fresh_schema
from mirrored_world import JumpyClock, truth

from persona_cases import ClientStateError, InvalidArgumentError, Q
from persona_cases.mirror import CaseVersion, Forget, Mark, Mirror, MirrorSettings, Put, SetAside
from persona_cases.mirror.targets.open_mirror import mirror_at
from persona_cases.testing import Simulator


@pytest.fixture
async def world():
    clock = JumpyClock()
    async with Simulator(cases=40, seed=5, clock=clock) as sim, sim.client() as client:
        yield sim, client, clock


def put(id: str, fields, change="added", **version):
    case = {"type": "case", "id": id, "attributes": {"created-at": "2026-01-01T00:00:00.000Z", "fields": fields}}
    known = CaseVersion(created_at=1_767_225_600_000, updated_at=1_767_225_600_000, **version)
    return Put(id=id, line=msgspec.json.encode(case), version=known, change=change)


def text(value) -> dict[str, object]:
    return {"type": "string", "value": value}


MARK = Mark(watermark=1)


def sync_by_hand(database: Database, changes, mark=MARK, **settings) -> Mark:
    mirror = mirror_at(database.to)
    try:
        before = mirror.begin(MirrorSettings(**settings))
        mirror.apply(changes)
        mirror.commit(mark)
        return before
    finally:
        mirror.end()


def test_each_is_a_mirror(database):
    assert isinstance(mirror_at(database.to), Mirror)
    assert database.to not in repr(mirror_at(database.to))


async def test_it_has_the_cases_fields_and_relationships_of_an_export(database, world, tmp_path):
    _, client, _ = world
    await client.cases.sync(to=database.to)
    await client.cases.export(to=tmp_path / "export.sqlite", raw=True)
    export = Database("sqlite", str(tmp_path / "export.sqlite"))
    assert database.digests() == export.digests()
    assert database.columns() == export.columns()
    for statement in (
        "SELECT case_id, name, type, id FROM relationships ORDER BY case_id, name, type, id",
        "SELECT case_id, key, type FROM fields ORDER BY case_id, key",
        "SELECT id, status, case_template_id FROM cases ORDER BY id",
    ):
        assert database.rows(statement) == export.rows(statement)
    assert {name for (name,) in database.rows("SELECT name FROM persona_sync")} >= {"watermark", "mark"}


async def test_it_follows_changes_redactions_and_departures(database, world):
    sim, client, clock = world
    where, random = Q.status.in_(["open", "pending"]), Random(1)
    await client.cases.sync(where, to=database.to, history=True)
    for _ in range(3):
        clock.advance(700)
        for id in random.sample(list(sim.store.cases), 9):
            sim.store.update_case(id, status=random.choice(["open", "approved"]))
        sim.store.redact_case(random.choice(list(database.digests())))
        sim.store.create_case("KYC", fields={"notes": "new"})
        await client.cases.sync(where, to=database.to, history=True)
        assert database.digests() == await truth(client, where)
    report = await client.cases.sync(where, to=database.to, history=True)
    assert (report.added, report.updated, report.redacted, report.departed) == (0, 0, 0, 0)
    changes = {change for (change,) in database.rows("SELECT DISTINCT change FROM history")}
    assert changes >= {"added", "updated", "departed"}


async def test_it_survives_crashes_at_any_call(database, world):
    sim, client, clock = world
    for calls in range(1, 6):
        clock.advance(100)
        for id in list(sim.store.cases)[calls * 2 : calls * 3]:
            sim.store.update_case(id, status="approved")
        with pytest.raises(CrashError):
            await client.cases.sync(to=CrashingMirror(database.to, calls % 4 + 1, late=calls % 2 == 0), reconcile=True)
    await client.cases.sync(to=database.to)
    assert database.digests() == await truth(client, None)


def test_what_is_not_committed_is_not_there(database):
    sync_by_hand(database, [put("case_1", {})])
    mirror = mirror_at(database.to)
    assert mirror.begin(MirrorSettings()) == Mark(watermark=1)
    mirror.apply([put("case_2", {"new": text("a")}), Forget(id="case_1")])
    assert mirror.known(["case_1", "case_2"]).keys() == {"case_2"}
    mirror.end()
    assert database.digests().keys() == {"case_1"}
    assert sync_by_hand(database, [put("case_3", {"new": text("b")})]) == Mark(watermark=1)
    assert database.rows('SELECT id, "fields.new" FROM cases ORDER BY id') == [("case_1", None), ("case_3", "b")]


def test_values_have_the_types_of_their_columns(database):
    fields = {
        "text": text('it\'s 100 % "quoted" ?'),
        "whole": {"type": "integer", "value": 2**62},
        "number": {"type": "number", "value": 2.5},
        "yes": {"type": "boolean", "value": True},
        "day": {"type": "date", "value": "2026-01-31"},
        "many": {"type": "multi_choices", "value": ["a", "b"]},
        "deep": {"type": "json", "value": {"a": [1]}},
        "none": text(None),
        'odd "%" ? name': text("x"),
        "Text": text("another column"),
        "nul": text("a\0b"),
    }
    sync_by_hand(database, [put("case_1", fields), put("case_2", {})])
    names = ["text", "whole", "number", "yes", "day", "many", "deep", "none", 'odd "%" ? name', "Text (2)", "nul"]
    selected = ", ".join('"fields.' + name.replace('"', '""') + '"' for name in names)
    (row,) = database.rows(f"SELECT {selected} FROM cases WHERE id = 'case_1'")
    many, day = ('["a","b"]', "2026-01-31") if database.kind == "sqlite" else (["a", "b"], date(2026, 1, 31))
    nul = "a\ufffdb" if database.kind == "postgres" else "a\0b"
    plain = ('it\'s 100 % "quoted" ?', 2**62, 2.5, True)
    assert row == (*plain, day, many, '{"a":[1]}', None, "x", "another column", nul)
    ((created,),) = database.rows("SELECT CAST(created_at AS TEXT) FROM cases WHERE id = 'case_2'")
    zoned = created + ":00" if created[-3] in "+-" else created
    assert datetime.fromisoformat(zoned) == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_value_that_does_not_fit_changes_the_type_of_its_column(database):
    for number, (value, cell) in enumerate([(5, 5), (2.5, 2.5), ("a", '"a"'), (None, None)]):
        sync_by_hand(database, [put(f"case_{number}", {"odd": {"type": "integer", "value": value}})])
        assert database.rows(f"SELECT \"fields.odd\" FROM cases WHERE id = 'case_{number}'") == [(cell,)]
    cells = [str(cell) for (cell,) in database.rows('SELECT "fields.odd" FROM cases ORDER BY id')]
    assert cells == ["5", "2.5", '"a"', "None"]


@pytest.fixture
def secrets():
    # Of several lengths, so that pages are split and joined.
    return {f"case_{number}": f"<{number}>" + "secret" * (number % 7 * 40 + 1) for number in range(150)}


def sync_secrets(database: Database, secrets, **settings) -> None:
    sync_by_hand(database, [put(id, {"note": text(secret)}) for id, secret in secrets.items()], **settings)
    newer = [put(id, {"note": text(f"{secret} newer")}, "updated") for id, secret in secrets.items()]
    sync_by_hand(database, newer, **settings)


def left_in(content: bytes, secrets) -> set[str]:
    return {id for id, secret in secrets.items() if secret[:9].encode() in content}


def test_redaction_leaves_nothing_in_the_tables_and_the_file(database, secrets):
    sync_secrets(database, secrets, history=True)
    redacted, departed = list(secrets)[::2], "case_1"
    erased = [put(id, {}, "redacted", redacted=True) for id in redacted]
    sync_by_hand(database, [*erased, Forget(id=departed, erase=True)], history=True)
    assert left_in(database.content(), secrets) == secrets.keys() - {*redacted, departed}


@pytest.mark.parametrize("matches", [True, False])
def test_redaction_erases_what_a_departed_case_left_in_the_file(matches, database, secrets):
    sync_secrets(database, secrets)
    departed = list(secrets)[::2]
    gone = CaseVersion(created_at=0, updated_at=0, gone=True, had_rows=True)
    sync_by_hand(database, [Forget(id=id, version=gone, departed=True) for id in departed], Mark(watermark=10**12))
    back, forgotten = put("case_0", {}, "redacted", redacted=True), Forget(id="case_0", version=gone, erase=True)
    sync_by_hand(database, [back if matches else forgotten])
    assert left_in(database.content(), secrets) == secrets.keys() - set(departed)


def test_a_case_that_is_set_aside_has_its_text_and_no_rows(database):
    sync_by_hand(database, [put("case_1", {"note": text("a secret")}), put("case_2", {})], history=True)
    version = CaseVersion(created_at=0, updated_at=0, gone=True, set_aside=True, fresh="a")
    aside = SetAside(id="case_1", line=b'{"note": \xff}', reason="not JSON", version=version, erase=True)
    sync_by_hand(database, [aside], history=True)
    assert database.digests().keys() == {"case_2"}
    assert database.rows("SELECT * FROM fields") == []
    assert database.rows("SELECT case_id, reason, raw FROM rejected") == [
        ("case_1", "not JSON", '{"note": \ufffd}'),
    ]
    assert b"a secret" not in database.content()
    changes = database.rows("SELECT change FROM history WHERE case_id = 'case_1' ORDER BY change")
    assert changes == [("added",), ("set aside",)]
    mirror = mirror_at(database.to)
    mirror.begin(MirrorSettings(history=True))
    # It is remembered, however long ago it was.
    mirror.commit(Mark(watermark=10**12))
    assert mirror.rejected() == 1
    assert mirror.known(["case_1"]) == {"case_1": version}
    mirror.apply([put("case_1", {})])
    assert mirror.rejected() == 0
    mirror.apply([aside])
    mirror.apply([Forget(id="case_1")])
    assert mirror.rejected() == 0
    mirror.end()


def test_it_is_taken_by_one_sync_at_a_time(database):
    mirror = mirror_at(database.to)
    mirror.begin(MirrorSettings())
    other = mirror_at(database.to)
    with pytest.raises(ClientStateError, match="another sync"):
        other.begin(MirrorSettings())
    other.end()
    mirror.end()
    mirror.end()
    sync_by_hand(database, [])


def test_it_can_be_taken_before_the_server_notices_that_the_last_sync_closed_its_connection(postgres, monkeypatch):
    import psycopg

    database, unnoticed = Database("postgres", fresh_schema(postgres)), []

    def keep(connection):
        unnoticed.append(connection)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "close", keep)
        sync_by_hand(database, [])
        sync_by_hand(database, [])
    for connection in unnoticed:
        connection.close()


def test_it_keeps_its_settings(database):
    sync_by_hand(database, [], where="a")
    for settings in ({"where": "b"}, {}, {"where": "a", "history": True}):
        with pytest.raises(InvalidArgumentError, match="to: this mirror was made with another"):
            sync_by_hand(database, [], **settings)


def test_tables_of_others_are_left_alone(database):
    database.run("CREATE TABLE cases (id TEXT)")
    with pytest.raises(InvalidArgumentError, match="not a mirror|other tables"):
        sync_by_hand(database, [put("case_1", {})])
    assert database.columns() == {"id"}


def test_versions_are_remembered_and_found_by_creation(database):
    versions = {f"case_{at}": CaseVersion(created_at=at, updated_at=at, indexed="a") for at in (0, 1, 3, 4)}
    puts = [attrs.evolve(put(id, {}), version=version) for id, version in versions.items()]
    gone = CaseVersion(created_at=2, updated_at=2, gone=True)
    old = Forget(id="case_x", version=attrs.evolve(gone, updated_at=1))
    mark = Mark(watermark=10, overlap=8)
    sync_by_hand(database, [*puts, Forget(id="case_2", version=gone), old], mark)
    mirror = mirror_at(database.to)
    assert mirror.begin(MirrorSettings()) == mark
    assert mirror.known(["case_1", "case_2", "case_x", "case_9"]) == {"case_1": versions["case_1"], "case_2": gone}
    assert mirror.between(1, 4).keys() == {"case_1", "case_3"}
    assert mirror.between(None, None).keys() == {"case_0", "case_1", "case_3", "case_4"}
    assert mirror.known([]) == {}
    mirror.end()

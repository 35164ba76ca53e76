"""Cases that cannot be decoded end a sync, or are set aside in the mirror."""

from __future__ import annotations

import pytest
from mirrored_world import JumpyClock, Poison, mirrored, on_disk, rows, truth

from persona_cases import DecodeError, InvalidArgumentError, Q
from persona_cases.testing import Simulator

LAG = 60


@pytest.fixture
async def world():
    poison, clock = Poison(), JumpyClock()
    simulator = Simulator(cases=130, seed=5, clock=clock, index_lag=LAG)
    async with simulator as sim, sim.client(middleware=[poison]) as client:
        yield sim, client, clock, poison


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cases.db"


def noted(sim, place=0):
    return [id for id, case in sim.store.cases.items() if "notes" in case.fields][place]


def rejected(path):
    return dict(rows(path, "SELECT case_id, raw FROM rejected"))


async def without(client, where, *ids):
    return {id: digest for id, digest in (await truth(client, where)).items() if id not in ids}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (None, b"1e400"),
        (None, b"nope"),
        (None, rb'"\ud800"'),
        (None, b"\xff"),
        (Q.status.in_(["Open", "open"]), b"1e400"),
        (Q.state.eq("initial"), b"1e400"),
    ],
    ids=["number", "no JSON", "half a character", "no UTF-8", "shown", "hidden"],
)
async def test_a_case_is_set_aside_until_it_can_be_decoded(where, value, world, path):
    sim, client, clock, poison = world
    poison.value = value
    await client.cases.sync(where, to=path, history=True)
    bad = next(id for id in mirrored(path) if "notes" in sim.store.cases[id].fields)
    sim.store.update_case(bad, fields={"notes": poison.marker})
    clock.advance(LAG)
    with pytest.raises(DecodeError) as caught:
        await client.cases.sync(where, to=path, history=True)
    assert caught.value.case_id == bad
    again = {"to": path, "history": True, "undecodable": "set_aside"}
    report = await client.cases.sync(where, **again)
    assert (report.rejected, report.added, report.updated, report.departed) == (1, 0, 0, 0)
    assert "set aside 1 case that could not be decoded" in str(report)
    ((id, reason, raw),) = rows(path, "SELECT case_id, reason, raw FROM rejected")
    assert id == bad
    assert value.decode(errors="replace") in raw
    assert value.decode(errors="replace") not in reason
    with poison.paused():
        assert mirrored(path) == await without(client, where, bad)
    for table in ("fields", "relationships"):
        assert rows(path, f"SELECT * FROM {table} WHERE case_id = '{bad}'") == []
    # Nothing new, nothing written; long after the overlap it is still known.
    before = on_disk(path)
    assert (await client.cases.sync(where, **again)).rejected == 1
    assert on_disk(path) == before
    clock.advance(5_000)
    sim.store.update_case(noted(sim, -1), fields={"notes": "new"})
    clock.advance(LAG)
    assert (await client.cases.sync(where, **again)).rejected == 1
    # A version of the library that can decode it finds it by a comparison, without a change.
    with poison.paused():
        report = await client.cases.sync(where, reconcile=True, **again)
        assert (report.rejected, report.added) == (0, 1)
        assert mirrored(path) == await truth(client, where)
    assert rejected(path) == {}
    changes = rows(path, f"SELECT change FROM history WHERE case_id = '{bad}'")
    assert changes == [("added",), ("set aside",), ("added",)]


async def test_the_first_sync_and_a_comparison_set_aside_too(world, path):
    sim, client, clock, poison = world
    bad = [noted(sim, place) for place in (0, 20, -1)]
    for id in bad:
        sim.store.update_case(id, fields={"notes": poison.marker})
    clock.advance(LAG)
    assert (await client.cases.sync(to=path, undecodable="set_aside")).rejected == 3
    before = on_disk(path)
    for reconcile in (True, "full"):
        assert (await client.cases.sync(to=path, undecodable="set_aside", reconcile=reconcile)).rejected == 3
    assert on_disk(path) == before
    with poison.paused():
        assert mirrored(path) == await without(client, None, *bad)


async def test_a_dirty_case_is_set_aside_and_comes_back_with_a_change(world, path):
    sim, client, clock, poison = world
    await client.cases.sync(to=path)
    bad = noted(sim)
    sim.store.update_case(bad, fields={"notes": poison.marker})
    assert (await client.cases.sync(to=path, undecodable="set_aside", dirty=[bad])).rejected == 1
    assert bad not in mirrored(path)
    # Searches still show it as it was, which does not bring it back.
    assert (await client.cases.sync(to=path, undecodable="set_aside")).rejected == 1
    assert bad not in mirrored(path)
    sim.store.update_case(bad, fields={"notes": "mended"})
    clock.advance(LAG)
    assert (await client.cases.sync(to=path)).rejected == 0
    assert mirrored(path) == await truth(client, None)


@pytest.mark.parametrize("where", [None, ~Q.status.eq("approved")], ids=["all", "departed"])
async def test_redaction_erases_the_text_that_was_set_aside(where, world, path):
    sim, client, clock, poison = world
    await client.cases.sync(where, to=path, history=True)
    bad = next(id for id in mirrored(path) if "notes" in sim.store.cases[id].fields)
    note = f"{poison.marker}, and a secret"
    sim.store.update_case(bad, fields={"notes": note})
    clock.advance(LAG)
    await client.cases.sync(where, to=path, history=True, undecodable="set_aside")
    assert b"and a secret" in on_disk(path)
    sim.store.update_case(bad, status="approved")
    sim.store.redact_case(bad)
    clock.advance(LAG)
    report = await client.cases.sync(where, to=path, history=True)
    assert report.rejected == 0
    assert b"and a secret" not in on_disk(path)
    assert mirrored(path) == await truth(client, where)


async def test_a_redacted_case_that_cannot_be_decoded_leaves_no_old_values(world, path):
    sim, client, clock, poison = world
    bad = noted(sim)
    sim.store.update_case(bad, fields={"notes": "an old secret"})
    clock.advance(LAG)
    await client.cases.sync(to=path, history=True)
    poison.case = bad
    sim.store.redact_case(bad)
    clock.advance(LAG)
    assert (await client.cases.sync(to=path, history=True, undecodable="set_aside")).rejected == 1
    assert b"an old secret" not in on_disk(path)


async def test_a_case_without_an_id_ends_the_sync(world, path):
    sim, client, clock, poison = world
    await client.cases.sync(to=path)
    poison.nameless = noted(sim)
    sim.store.update_case(poison.nameless, status="approved")
    clock.advance(LAG)
    for undecodable in ("raise", "set_aside"):
        with pytest.raises(DecodeError):
            await client.cases.sync(to=path, undecodable=undecodable)
    with poison.paused():
        assert (await client.cases.sync(to=path)).updated == 1


async def test_a_rejected_case_that_is_no_longer_there_leaves_the_mirror(world, path):
    sim, client, clock, poison = world
    bad = noted(sim)
    sim.store.update_case(bad, fields={"notes": poison.marker})
    clock.advance(LAG)
    await client.cases.sync(to=path, undecodable="set_aside")
    sim.store.remove_case(bad)
    assert (await client.cases.sync(to=path, undecodable="set_aside", dirty=[bad])).rejected == 0
    assert rejected(path) == {}


async def test_it_has_two_values(world, path):
    _, client, *_ = world
    with pytest.raises(InvalidArgumentError, match="undecodable must be 'raise' or 'set_aside'"):
        await client.cases.sync(to=path, undecodable="skip")
    assert not path.exists()

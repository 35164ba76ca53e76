"""The spool and its manifest: what counts after a crash, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from spooling import filled, lines_of, put_together
from worlds import line

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.ranges.fetched_ranges import Frontier
from persona_cases.export.spool.checkpoint import Description, decode_manifest
from persona_cases.export.spool.spool import Spool

ASKED = Description({"where": {"attribute": "status", "operator": "eq", "value": "secret"}, "format": "jsonl"}, "1.0")


async def two_stretches(spool):
    """The frontier of an export of two stretches, of which the later one was written first."""
    frontier = Frontier.around(0, 10_000, 1.0)
    early = frontier.stretches[0]
    filled(early, spool, 0, 1)
    (late,) = frontier.spread(1)
    filled(late, spool, 9_998, 9_999, cursor=None)
    await spool.commit(frontier)
    filled(early, spool, 2)
    await spool.commit(frontier)
    return frontier


@pytest.fixture
async def begun(output):
    with Spool(output, ASKED) as spool:
        return await two_stretches(spool)


async def test_committed_cases_come_back_in_the_order_of_time(begun, output):
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(number, number) for number in (0, 1, 2, 9_998, 9_999)]
        assert spool.frontier == begun
        early, late = spool.frontier.stretches
        assert (early.cursor, early.done, late.done) == ("next", False, True)


async def test_the_file_has_the_lines_in_order(begun, output):
    with Spool(output, ASKED) as spool:
        put_together(spool)
        expected = b"".join(each + b"\n" for each in lines_of(spool))
    assert output.read_bytes() == expected


async def test_walked_backward_the_cases_come_back_the_other_way_round(output):
    settings = {"backward": True}
    with Spool(output, ASKED, **settings) as spool:
        frontier = await two_stretches(spool)
        for numbers in ((3, 4), (5,)):
            filled(frontier.stretches[0], spool, *numbers)
        await spool.commit(frontier)
        expected = [line(number, number) for number in (9_999, 9_998, 5, 4, 3, 2, 1, 0)]
        assert lines_of(spool) == expected
    with Spool(output, ASKED, **settings) as spool:
        put_together(spool)
    assert output.read_bytes().splitlines() == expected


async def test_writes_that_the_system_does_in_parts_lose_nothing(output, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    with Spool(output, ASKED) as spool:
        frontier = Frontier.around(0, 10_000, 1.0)
        filled(frontier.stretches[0], spool, 0, 1, 2)
        (late,) = frontier.spread(1)
        filled(late, spool, 9_999)
        filled(frontier.stretches[0], spool, 3)
        await spool.commit(frontier)
        filled(frontier.stretches[0], spool, 4)
        await spool.commit(frontier)
        put_together(spool)
    assert output.read_bytes().splitlines() == [line(number, number) for number in (0, 1, 2, 3, 4, 9_999)]


async def test_what_was_not_committed_does_not_count(begun, output, work):
    with (work / "cases.log").open("ab") as log:
        log.write(b"half a blo")
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5
        filled(spool.frontier.stretches[0], spool, 3)
        await spool.commit(spool.frontier)
    with Spool(output, ASKED) as spool:
        assert [msgspec.json.decode(each)["id"] for each in lines_of(spool)][:4] == [f"case_{n}" for n in range(4)]


async def test_a_draft_of_a_manifest_does_not_count(begun, output, work):
    (work / "manifest.json.new").write_bytes(b'{"format":1,')
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5


def test_without_a_manifest_nothing_counts(output, work):
    with Spool(output, ASKED) as spool:
        assert spool.frontier is None
    (work / "cases.log").write_bytes(b"rest of a run that was killed at its start")
    with Spool(output, ASKED) as spool:
        assert (spool.frontier, lines_of(spool)) == (None, [])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({**ASKED.settings, "where": None}, "where"),
        ({**ASKED.settings, "format": "csv", "where": None}, "format, where"),
        ({**ASKED.settings, "only": ["status"]}, "only"),
        ({"format": "jsonl"}, "where"),
    ],
)
async def test_another_export_is_refused_by_what_differs_without_values(begun, output, settings, named):
    with pytest.raises(InvalidArgumentError, match=f"with different {named} exists: .*restart") as refusal:
        Spool(output, Description(settings, "1.0"))
    assert "secret" not in str(refusal.value) + repr(refusal.value) + repr(ASKED)
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5


async def test_settings_in_another_order_and_another_library_go_on(begun, output):
    reordered = Description(dict(reversed(ASKED.settings.items())), "2.0")
    with Spool(output, reordered) as spool:
        assert len(lines_of(spool)) == 5


async def test_restart_begins_anew_whatever_was_there(begun, output, work):
    (work / "manifest.json").write_bytes(b"garbage")
    with Spool(output, Description({}, "1.0"), restart=True) as spool:
        assert (spool.frontier, lines_of(spool)) == (None, [])


@pytest.mark.parametrize("text", [b"", b"garbage", b"[]", b'{"format":2}', b'{"format":1}', b'\xff{"format":1}'])
async def test_a_manifest_that_can_not_be_read_is_no_reason_to_throw_cases_away(begun, output, work, text):
    (work / "manifest.json").write_bytes(text)
    size = (work / "cases.log").stat().st_size
    with pytest.raises(InvalidArgumentError, match="use restart to discard it"):
        Spool(output, ASKED)
    assert (work / "cases.log").stat().st_size == size


async def test_a_log_that_lost_its_end_is_found_out(begun, output, work):
    os.truncate(work / "cases.log", 100)
    with pytest.raises(InvalidArgumentError, match="damaged"):
        Spool(output, ASKED)
    (work / "cases.log").write_bytes(b"x" * 1_000)
    with pytest.raises(InvalidArgumentError, match="damaged"):
        Spool(output, ASKED)


def test_two_at_once_are_refused(output):
    with Spool(output, ASKED):
        with pytest.raises(ClientStateError, match="another export to this file is running"):
            Spool(output, ASKED)
        program = (
            "import sys\n"
            "from persona_cases.errors import ClientStateError\n"
            "from persona_cases.export.spool.checkpoint import Description\n"
            "from persona_cases.export.spool.spool import Spool\n"
            "try:\n    Spool(sys.argv[1], Description({}, ''))\n"
            "except ClientStateError:\n    sys.exit(7)\n"
        )
        assert subprocess.run([sys.executable, "-c", program, output], check=False, timeout=600).returncode == 7
    Spool(output, ASKED).close()


def test_a_place_that_can_not_be_written_is_refused(tmp_path):
    with pytest.raises(InvalidArgumentError, match="cannot write"):
        Spool(tmp_path / "missing" / "cases.jsonl", ASKED)


async def test_nothing_is_left_after_removal(begun, output, work):
    spool = Spool(output, ASKED)
    spool.remove()
    assert not work.exists()
    with Spool(output, ASKED) as again:
        assert again.frontier is None


async def test_the_manifest_is_written_after_the_cases_that_it_speaks_of(output, work, monkeypatch):
    order = []
    for name in ("fdatasync", "fsync"):
        monkeypatch.setattr(os, name, lambda file: order.append(Path(f"/proc/self/fd/{file}").readlink().name))
    with Spool(output, ASKED) as spool:
        frontier = Frontier.around(0, 10, 1.0)
        filled(frontier.stretches[0], spool, 0)
        await spool.commit(frontier)
        assert order == ["cases.head", "cases.log", "manifest.json.new", work.name]
        assert spool.durable
        filled(frontier.stretches[0], spool, 1)
        await spool.commit(frontier)
        assert (len(order), spool.durable) == (4, False)
        await spool.commit(frontier, durable=True)
        assert (len(order), spool.durable) == (8, True)


@pytest.fixture
async def ahead(output, work):
    """An export that has written more than what is durable."""
    with Spool(output, ASKED) as spool:
        frontier = Frontier.around(0, 10, 1.0)
        filled(frontier.stretches[0], spool, 0)
        await spool.commit(frontier)
        filled(frontier.stretches[0], spool, 1)
        await spool.commit(frontier)
    assert (work / "manifest.json").read_bytes() != (work / "manifest.recent.json").read_bytes()


async def test_what_was_written_outlives_the_process(ahead, output):
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(0, 0), line(1, 1)]


@pytest.mark.parametrize("name", ["manifest.recent.json", "cases.log", "cases.head"])
async def test_if_what_is_not_durable_is_lost_what_is_durable_counts(ahead, output, work, name):
    durable = decode_manifest((work / "manifest.json").read_bytes())
    kept = {"manifest.recent.json": 0, "cases.log": durable.log.size, "cases.head": durable.head.size}[name]
    os.truncate(work / name, kept)
    with Spool(output, ASKED) as spool:
        # The log of this export has nothing that could be lost.
        assert lines_of(spool) == ([line(0, 0), line(1, 1)] if name != "cases.head" else [line(0, 0)])

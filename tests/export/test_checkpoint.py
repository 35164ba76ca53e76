"""The spool and its checkpoints: what counts after a crash, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from spooling import filled, lines_of, lose_power, put_together
from worlds import line

from persona_cases.errors import ClientStateError, InvalidArgumentError
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool

ASKED = Description({"where": {"attribute": "status", "operator": "eq", "value": "secret"}, "format": "jsonl"}, "1.0")


async def two_ranges(spool):
    """The ranges of an export of two ranges, of which the later one was written first."""
    ranges = FetchedRanges.around(0, 10_000, 1.0)
    early = ranges.all[0]
    filled(early, spool, 0, 1)
    (late,) = ranges.spread(1)
    filled(late, spool, 9_998, 9_999, cursor=None)
    await spool.commit(ranges)
    filled(early, spool, 2)
    await spool.commit(ranges)
    return ranges


@pytest.fixture
async def begun(output):
    with Spool(output, ASKED) as spool:
        return await two_ranges(spool)


async def test_committed_cases_come_back_in_the_order_of_time(begun, output):
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(number, number) for number in (0, 1, 2, 9_998, 9_999)]
        assert spool.ranges == begun
        early, late = spool.ranges.all
        assert (early.cursor, early.done, late.done) == ("next", False, True)


async def test_the_file_has_the_lines_in_order(begun, output):
    with Spool(output, ASKED) as spool:
        put_together(spool)
        expected = b"".join(each + b"\n" for each in lines_of(spool))
    assert output.read_bytes() == expected


async def test_walked_backward_the_cases_come_back_the_other_way_round(output):
    settings = {"backward": True}
    with Spool(output, ASKED, **settings) as spool:
        ranges = await two_ranges(spool)
        for numbers in ((3, 4), (5,)):
            filled(ranges.all[0], spool, *numbers)
        await spool.commit(ranges)
        expected = [line(number, number) for number in (9_999, 9_998, 5, 4, 3, 2, 1, 0)]
        assert lines_of(spool) == expected
    with Spool(output, ASKED, **settings) as spool:
        put_together(spool)
    assert output.read_bytes().splitlines() == expected


async def test_writes_that_the_system_does_in_parts_lose_nothing(output, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10_000, 1.0)
        filled(ranges.all[0], spool, 0, 1, 2)
        (late,) = ranges.spread(1)
        filled(late, spool, 9_999)
        filled(ranges.all[0], spool, 3)
        await spool.commit(ranges)
        filled(ranges.all[0], spool, 4)
        await spool.commit(ranges)
        put_together(spool)
    assert output.read_bytes().splitlines() == [line(number, number) for number in (0, 1, 2, 3, 4, 9_999)]


async def test_what_was_not_committed_does_not_count(begun, output, work):
    with (work / "cases-1.jsonl").open("ab") as cases:
        cases.write(b"half a pa")
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5
        filled(spool.ranges.all[0], spool, 3)
        await spool.commit(spool.ranges)
    with Spool(output, ASKED) as spool:
        assert [msgspec.json.decode(each)["id"] for each in lines_of(spool)][:4] == [f"case_{n}" for n in range(4)]


async def test_a_draft_of_a_checkpoint_does_not_count(begun, output, work):
    (work / "checkpoint.new").write_bytes(b'{"format":1,')
    with Spool(output, ASKED) as spool:
        assert len(lines_of(spool)) == 5


def test_without_a_checkpoint_nothing_counts(output, work):
    with Spool(output, ASKED) as spool:
        assert spool.ranges is None
    (work / "cases-0.jsonl").write_bytes(b"rest of a run that was killed at its start")
    with Spool(output, ASKED) as spool:
        assert (spool.ranges, lines_of(spool)) == (None, [])


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
    (work / "checkpoint.jsonl").write_bytes(b"garbage")
    with Spool(output, Description({}, "1.0"), restart=True) as spool:
        assert (spool.ranges, lines_of(spool)) == (None, [])


@pytest.mark.parametrize("text", [b"", b"garbage", b"[]", b'{"format":2}', b'{"format":1}', b'\xff{"format":1}'])
async def test_a_checkpoint_that_cannot_be_read_is_no_reason_to_discard_cases(begun, output, work, text):
    (work / "checkpoint.jsonl").write_bytes(text)
    size = (work / "cases-1.jsonl").stat().st_size
    with pytest.raises(InvalidArgumentError, match="use restart to discard it"):
        Spool(output, ASKED)
    assert (work / "cases-1.jsonl").stat().st_size == size


async def test_damage_before_a_durable_entry_is_no_end_of_the_checkpoints(begun, output, work):
    with Spool(output, ASKED) as spool:
        for number in (3, 4):
            filled(spool.ranges.all[0], spool, number)
            await spool.commit(spool.ranges)
        await spool.commit(spool.ranges, durable=True)
    header, *entries = (work / "checkpoint.jsonl").read_bytes().splitlines(keepends=True)
    for changed in ([entries[0], entries[2]], [entries[0], entries[1][:-3] + b"\n", entries[2]]):
        (work / "checkpoint.jsonl").write_bytes(b"".join([header, *changed]))
        with pytest.raises(InvalidArgumentError, match="damaged"):
            Spool(output, ASKED)
    (work / "checkpoint.jsonl").write_bytes(b"".join([header, *entries[:2]])[:-9])
    with Spool(output, ASKED) as spool:
        assert spool.ranges.all[0].cases == 4


async def test_a_range_that_lost_its_end_is_found_out(begun, output, work):
    os.truncate(work / "cases-1.jsonl", 100)
    with pytest.raises(InvalidArgumentError, match="damaged"):
        Spool(output, ASKED)
    (work / "cases-1.jsonl").write_bytes(b"x" * 1_000)
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
        assert again.ranges is None


async def test_a_checkpoint_is_written_after_the_cases_that_it_speaks_of(output, work, monkeypatch):
    order = []
    for name in ("fdatasync", "fsync"):
        monkeypatch.setattr(os, name, lambda file: order.append(Path(f"/proc/self/fd/{file}").readlink().name))
    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10, 1.0)
        filled(ranges.all[0], spool, 0)
        assert not spool.commit_at_once(ranges)
        await spool.commit(ranges)
        assert order == ["cases-0.jsonl", work.name, "checkpoint.new", work.name]
        filled(ranges.all[0], spool, 1)
        assert spool.commit_at_once(ranges)
        assert len(order) == 4
        await spool.commit(ranges, durable=True)
        assert order[4:] == ["cases-0.jsonl", work.name, "checkpoint.jsonl"]


@pytest.fixture
async def ahead(output, work):
    """An export that has written more than what is durable."""
    with Spool(output, ASKED) as spool:
        ranges = FetchedRanges.around(0, 10, 1.0)
        for number in range(2):
            filled(ranges.all[0], spool, number)
            await spool.commit(ranges)


async def test_what_was_written_outlives_the_process(ahead, output):
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(0, 0), line(1, 1)]


@pytest.mark.parametrize("recent", [True, False])
async def test_if_what_is_not_durable_is_lost_what_is_durable_counts(ahead, output, work, recent):
    lose_power(work, recent=recent)
    with Spool(output, ASKED) as spool:
        assert lines_of(spool) == [line(0, 0)]

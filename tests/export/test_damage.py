"""A spool that was damaged after it was written: the file is right, or there is none and the export is refused."""

from __future__ import annotations

import asyncio
import random
import shutil

import pytest
from spooling import fetchers_of, put_together
from worlds import YEAR, World, moments_of

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.collector import collect
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool

ASKED = Description({"where": "all"}, "1.0")
# Ranges of one time, too, whose pages wait for their manifests.
MOMENTS = moments_of([(0, YEAR, 800), (YEAR // 3, 0, 130)])
BLOCK = 4_096


class KilledError(Exception):
    """Ends an export as if its process were gone: nothing is tidied up after a copy was taken."""


async def left_after(directory, requests, fetchers, **settings):
    """Return the directory of an export that was killed after so many requests; what it left is copied away."""
    output, copy = directory / "cases.jsonl", directory / f"left-{requests}"
    world = World(MOMENTS)

    work = directory / ".cases.jsonl.export"

    async def look(number):
        if number < requests:
            return
        while not (work / "checkpoint.jsonl").exists():
            await asyncio.sleep(0.001)
        if not copy.exists():
            copy.mkdir()
            # What speaks of others before those: a copy in this order is what a kill could leave.
            for path in sorted(work.glob("*.jsonl"), reverse=True):
                shutil.copyfile(path, copy / path.name)
        raise KilledError

    world.before = look
    with pytest.raises(KilledError):
        await export(world, output, fetchers, **settings)
    shutil.rmtree(work)
    return copy


async def export(world, output, fetchers=3, **settings):
    with Spool(output, ASKED, **settings) as spool:
        await collect(world, spool, fetchers=fetchers_of(fetchers))
        put_together(spool)
        spool.remove()


def swapped(text, draw):
    """Two pieces of one length change places, as if the disk had mixed up its blocks."""
    size = max(1, min(BLOCK, len(text) // 3))
    first, second = draw.randrange(len(text) - 2 * size + 1), draw.randrange(size, len(text) - size + 1)
    first, second = sorted((first, max(second, first + size)))
    second = min(second, len(text) - size)
    return b"".join(
        [
            text[:first],
            text[second : second + size],
            text[first + size : second],
            text[first : first + size],
            text[second + size :],
        ]
    )


def flipped(text, draw):
    place = draw.randrange(len(text))
    return text[:place] + bytes([text[place] ^ 1 << draw.randrange(8)]) + text[place + 1 :]


def zeroed(text, draw):
    start = draw.randrange(0, len(text), BLOCK)
    end = min(len(text), start + BLOCK)
    return text[:start] + bytes(end - start) + text[end:]


def truncated(text, draw):
    return text[: draw.randrange(len(text))]


def extended(text, draw):
    return text + draw.choice([b"\n", bytes(BLOCK), text[-200:], text])


def repeated(text, draw):
    place = draw.randrange(len(text))
    return text[:place] + text[max(0, place - 300) :]


DAMAGES = {each.__name__: each for each in (flipped, zeroed, truncated, swapped, extended, repeated)}


async def outcome(left, output):
    """Go on from what is left; return whether that was refused. A file that is there is right."""
    world, work = World(MOMENTS), output.with_name(".cases.jsonl.export")
    shutil.copytree(left, work)
    refusal = None
    try:
        await export(world, output)
    except InvalidArgumentError as error:
        refusal = str(error)
    if refusal is not None:
        assert "use restart to discard it" in refusal
        assert not output.exists()
        world = World(MOMENTS)
        await export(world, output, restart=True)
    assert output.read_bytes() == b"".join(each + b"\n" for each in world.lines)
    output.unlink()
    return refusal is not None


@pytest.fixture(params=[(6, 3), (9, 3), (6, 1)], ids=["early", "late", "one fetcher"])
async def left(request, tmp_path):
    requests, fetchers = request.param
    return await left_after(tmp_path, requests, fetchers)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_no_single_damage_ends_in_a_wrong_file(left, tmp_path, damage):
    draw, output = random.Random(damage), tmp_path / "cases.jsonl"
    harmed = 0
    for name in sorted(path.name for path in left.iterdir()):
        text = (left / name).read_bytes()
        for number in range(4 if text else 0):
            changed = DAMAGES[damage](text, draw)
            if changed == text:
                continue
            broken = tmp_path / f"{name}-{number}"
            shutil.copytree(left, broken)
            (broken / name).write_bytes(changed)
            harmed += await outcome(broken, output)
    # If nothing is refused, this shows nothing.
    assert harmed or damage == "extended"


async def test_what_is_whole_is_not_refused(left, tmp_path):
    assert not await outcome(left, tmp_path / "cases.jsonl")


async def test_an_older_copy_of_a_file_does_not_end_in_a_wrong_file(tmp_path):
    early, late = await left_after(tmp_path, 6, 3), await left_after(tmp_path, 9, 3)
    for old, new in ((early, late), (late, early)):
        for path in old.iterdir():
            mixed = tmp_path / f"mixed-{new.name}-{path.name}"
            shutil.copytree(new, mixed)
            shutil.copyfile(path, mixed / path.name)
            await outcome(mixed, tmp_path / "cases.jsonl")


async def test_a_file_that_is_missing_does_not_end_in_a_wrong_file(left, tmp_path):
    for path in left.iterdir():
        incomplete = tmp_path / f"without-{path.name}"
        shutil.copytree(left, incomplete)
        (incomplete / path.name).unlink()
        await outcome(incomplete, tmp_path / "cases.jsonl")


@pytest.mark.parametrize("read", ["become", "batches"])
@pytest.mark.parametrize("name", ["cases-0.jsonl", "cases-1.jsonl"])
@pytest.mark.parametrize("damage", ["flipped", "zeroed", "truncated"])
async def test_what_is_damaged_while_the_export_runs_is_found_when_it_is_put_together(tmp_path, read, name, damage):
    output, work = tmp_path / "cases.jsonl", tmp_path / ".cases.jsonl.export"
    with Spool(output, ASKED) as spool:
        await collect(World(MOMENTS), spool, fetchers=fetchers_of(3))
        text = (work / name).read_bytes()
        (work / name).write_bytes(DAMAGES[damage](text, random.Random(3)))
        with pytest.raises(InvalidArgumentError, match="damaged on the disk: use restart"):
            if read == "become":
                put_together(spool)
            else:
                list(spool.batches())
    assert not output.exists()
    assert (work / "checkpoint.jsonl").exists()

"""Driving a spool as an export does."""

from __future__ import annotations

from worlds import line

from persona_cases.export.ranges.fetcher_count import MOST_FETCHERS, FetcherCount
from persona_cases.export.spool.checkpoint import decode_checkpoints
from persona_cases.models.decoding.raw_page import RawPage


def fetchers_of(most=MOST_FETCHERS):
    """As many fetchers as there is work for, however fast this machine answers itself."""
    return FetcherCount(most=most, worth_waiting=0)


def filled(fetched, spool, *numbers, cursor="next"):
    """Let a range take a page of cases, created at the moments of their numbers."""
    spool.put(fetched, fetched.take(RawPage([line(number, number) for number in numbers], cursor)))


def lines_of(spool):
    """What counts."""
    return [each for batch in spool.batches() for each in batch]


def checkpoints_in(work):
    """The checkpoints that may count in a directory, the newest first."""
    found = decode_checkpoints((work / "checkpoint.jsonl").read_bytes())
    assert found is not None
    return found[1]


def lose_power(work, behind=b"", *, recent):
    """Let each file have only what is durable, and what the disk may have behind that; likewise the checkpoints."""
    checkpoint = checkpoints_in(work)[-1]
    ranges = checkpoint.ranges.all
    sizes = {each.number: each.size for each in ranges}
    if checkpoint.joined:
        sizes[0] = sum(each.size for each in ranges[: checkpoint.joined])
    for path in work.glob("cases-*.jsonl"):
        size = sizes.get(int(path.stem.removeprefix("cases-")), 0)
        if path.stat().st_size > size:
            path.write_bytes(path.read_bytes()[:size] + behind)
    if not recent:
        lines = (work / "checkpoint.jsonl").read_bytes().splitlines(keepends=True)
        durable = max(index for index, each in enumerate(lines) if b'"durable":true' in each)
        (work / "checkpoint.jsonl").write_bytes(b"".join(lines[: durable + 1]) + behind)


def put_together(spool):
    """Write the file."""
    file = spool.file()
    try:
        spool.become(file)
        file.commit()
    finally:
        file.discard()

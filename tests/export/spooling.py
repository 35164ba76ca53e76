"""Driving a spool as an export does."""

from __future__ import annotations

from worlds import line

from persona_cases.export.ranges.fetcher_count import MOST_WALKERS, Crew
from persona_cases.models.decoding.raw_page import RawPage


def crew_of(most=MOST_WALKERS):
    """As many walkers as there is work for, however fast this machine answers itself."""
    return Crew(most=most, worth_waiting=0)


def filled(stretch, spool, *numbers, cursor="next"):
    """Let a stretch take a page of cases, created at the moments of their numbers."""
    spool.put(stretch, stretch.take(RawPage([line(number, number) for number in numbers], cursor)))


def lines_of(spool):
    """What counts."""
    return [each for batch in spool.batches() for each in batch]


def put_together(spool):
    """Write the file."""
    file = spool.file()
    try:
        spool.become(file)
        file.commit()
    finally:
        file.discard()

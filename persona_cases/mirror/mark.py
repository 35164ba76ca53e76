"""`Mark`: the progress of a mirror, which uses only the server's times and is committed with the rows. Pure.

The watermark is the newest `updated_at` that the index knew before the cases were read. The next sync finds later
changes, because it reads from the overlap before the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.mirror.case_version import Reading
from persona_cases.models.decoding.raw_page import time_of
from persona_cases.surface import publish

__all__ = ["Mark", "UnfinishedSweep", "UnfinishedWalk", "has_gap", "milliseconds"]


@attrs.frozen(kw_only=True)
class UnfinishedWalk:
    """An unfinished iteration over the changed cases. Times are in milliseconds since 1970.

    Attributes:
        since: the oldest change that it reads; None for all cases.
        head: the watermark once it is complete; None if the index had no cases.
        position: the creation time of the last case whose rows are committed; None at the beginning.
    """

    since: int | None
    head: int | None
    position: int | None = None


@attrs.frozen(kw_only=True)
class UnfinishedSweep:
    """An unfinished comparison with the list.

    Attributes:
        why: the reason for it: `asked` or `gap`.
        full: whether it reads whole cases.
        after: the id of the case after which the list is read; None for the newest.
        high: the creation time up to which it has compared, in milliseconds since 1970; None at the beginning.
    """

    why: str
    full: bool = False
    after: str | None = None
    high: int | None = None


@attrs.frozen(kw_only=True)
class Mark:
    """The progress of a mirror.

    Attributes:
        watermark: the `updated_at` up to which changes are in the mirror, in milliseconds since 1970; None before the
            first sync is complete.
        overlap: maximum delay until searches see a change, in milliseconds, as of the last complete iteration; departed
            cases are remembered for as long.
        environment: the id of the environment of the cases; None if the server does not report it.
        walk: an iteration to resume.
        sweep: a comparison with the list to resume.
    """

    watermark: int | None = None
    overlap: int = 0
    environment: str | None = None
    walk: UnfinishedWalk | None = None
    sweep: UnfinishedSweep | None = None

    @property
    def watermark_time(self) -> datetime | None:
        """The watermark as a datetime in UTC."""
        return None if self.watermark is None else time_of(self.watermark)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read a mark from the data that `to_dict` returned.

        Args:
            stored: the data.

        Returns:
            The mark.

        Raises:
            InvalidArgumentError: if it is anything else.
        """
        try:
            walk, sweep = stored["walk"], stored["sweep"]
            return cls(
                watermark=stored["watermark"],
                overlap=stored["overlap"],
                environment=stored["environment"],
                walk=None if walk is None else UnfinishedWalk(**walk),
                sweep=None if sweep is None else UnfinishedSweep(**sweep),
            )
        except (KeyError, TypeError):
            # The error is raised below, so that its context does not hold the stored data.
            pass
        raise InvalidArgumentError("to: the mark in this mirror cannot be read: make a new mirror at another path")

    def begin_walk(self, head: int | None, overlap: timedelta) -> Mark:
        """Return the mark of a new iteration, or of the one to resume.

        Args:
            head: the newest `updated_at` that the index knows.
            overlap: maximum delay until searches see a change.
        """
        if self.walk is not None:
            return self
        wide = milliseconds(overlap)
        since = None if self.watermark is None else self.watermark - wide
        known = max((each for each in (self.watermark, head) if each is not None), default=None)
        return attrs.evolve(self, overlap=wide, walk=UnfinishedWalk(since=since, head=known))

    def walked_to(self, position: int) -> Mark:
        """Return the mark after the cases up to a creation time were read."""
        return self if self.walk is None else attrs.evolve(self, walk=attrs.evolve(self.walk, position=position))

    def end_walk(self) -> Mark:
        """Return the mark of a complete iteration."""
        return self if self.walk is None else attrs.evolve(self, watermark=self.walk.head, walk=None)

    def begin_sweep(self, why: str, *, full: bool) -> Mark:
        """Return the mark of a new comparison with the list, or of the one to resume.

        Args:
            why: the reason for it.
            full: whether to read whole cases.
        """
        if self.sweep is not None and (self.sweep.full or not full):
            return self
        return attrs.evolve(self, sweep=UnfinishedSweep(why=why, full=full))

    def swept_to(self, after: str, high: int) -> Mark:
        """Return the mark after the list was compared down to a case."""
        return (
            self if self.sweep is None else attrs.evolve(self, sweep=attrs.evolve(self.sweep, after=after, high=high))
        )

    def end_sweep(self) -> Mark:
        """Return the mark of a complete comparison."""
        return attrs.evolve(self, sweep=None)


def has_gap(untold: Iterable[Reading], newest: int | None, overlap: timedelta) -> bool:
    """Decide whether searches missed a change that they should have shown.

    Args:
        untold: cases, read without index lag, whose state searches did not show.
        newest: the newest `updated_at` seen; None if there was none.
        overlap: maximum delay until searches see a change.
    """
    oldest = min((each.updated_at for each in untold), default=None)
    return oldest is not None and newest is not None and newest - oldest > milliseconds(overlap)


def milliseconds(span: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return span // timedelta(milliseconds=1)


publish("persona_cases.mirror", Mark, UnfinishedSweep, UnfinishedWalk)

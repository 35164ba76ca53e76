"""What a run of `collect` tells: while it is under way, and at its end."""

from __future__ import annotations

from collections.abc import Callable

import attrs

__all__ = ["CollectProgress", "CollectReport", "OnCollected"]


@attrs.frozen(kw_only=True)
class CollectProgress:
    """How far the fetching has come; earlier runs of the same export are counted in, if it goes on.

    Attributes:
        cases: cases safely on disk.
        size: bytes of them.
        pages: pages that they came on.
        pages_left: how many pages there seem to be left.
        walkers: how many ranges are walked at this moment.
    """

    cases: int
    size: int
    pages: int
    pages_left: float
    walkers: int


OnCollected = Callable[[CollectProgress], object]
"""Called after each commit."""


@attrs.frozen(kw_only=True)
class CollectReport:
    """What a run did.

    Attributes:
        cases: cases in the spool, those of earlier runs included.
        pages: pages fetched by this run.
        wasted: how many of them another way of cutting could have spared.
        walkers: the most walkers at the same time.
        pages_by_range: pages of each range, in the order of time.
        pages_by_walker: pages that each walker fetched in this run.
        seconds: how long it took.
    """

    cases: int
    pages: int
    wasted: int
    walkers: int
    pages_by_range: tuple[int, ...]
    pages_by_walker: tuple[int, ...]
    seconds: float

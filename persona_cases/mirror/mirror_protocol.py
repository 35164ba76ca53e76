"""`Mirror`: the protocol by which a sync writes into a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from persona_cases.mirror.case_version import CaseVersion
from persona_cases.mirror.mark import Mark
from persona_cases.surface import publish

__all__ = ["Forget", "Mirror", "MirrorSettings", "Put", "Remember", "RowChange", "SetAside"]


@attrs.frozen(kw_only=True)
class MirrorSettings:
    """What a mirror is of. A mirror takes only syncs of the same settings.

    Attributes:
        where: the query as JSON text; None for all cases.
        history: whether to keep a row for each change.
    """

    where: str | None = attrs.field(default=None, repr=False)
    history: bool = False


@attrs.frozen(kw_only=True)
class Put:
    """Insert the rows of a case, or replace them.

    Attributes:
        id: the id of the case.
        line: the case as JSON on one line.
        version: what to remember of it.
        change: `added`, `updated` or `redacted`; the latter erases older values from the history too.
    """

    id: str
    line: bytes = attrs.field(repr=False)
    version: CaseVersion
    change: str


@attrs.frozen(kw_only=True)
class Forget:
    """Delete the rows of a case, if there are any.

    Attributes:
        id: the id of the case.
        version: what to remember of it; None for nothing.
        departed: whether it departs now, for the history.
        erase: whether to erase its values from the history too.
    """

    id: str
    version: CaseVersion | None = None
    departed: bool = False
    erase: bool = False


@attrs.frozen(kw_only=True)
class Remember:
    """Remember a version, and leave the rows as they are.

    Attributes:
        id: the id of the case.
        version: what to remember of it.
    """

    id: str
    version: CaseVersion


@attrs.frozen(kw_only=True)
class SetAside:
    """Delete the rows of a case that cannot be decoded, and keep its text.

    The next change of the case deletes the text, unless it is a `Remember`.

    Attributes:
        id: the id of the case.
        line: its text on one line, which need not be JSON or UTF-8.
        reason: what is wrong with it, and where.
        version: what to remember of it.
        erase: whether to erase its values from the history too.
    """

    id: str
    line: bytes = attrs.field(repr=False)
    reason: str
    version: CaseVersion
    erase: bool = False


RowChange: TypeAlias = Put | Forget | Remember | SetAside


@runtime_checkable
class Mirror(Protocol):
    """A database that a sync writes into.

    The methods are called one after another, each in a thread. What `apply` changed becomes visible and durable with
    the next `commit`, together with the mark, or not at all.
    """

    def begin(self, settings: MirrorSettings) -> Mark:
        """Take the mirror for one sync, and make its tables if it is new.

        Args:
            settings: what the mirror is of.

        Returns:
            The mark that was committed last; `Mark()` for a new mirror.

        Raises:
            ClientStateError: if another sync has taken it.
            InvalidArgumentError: if it is something else, or a mirror with other settings.
        """
        ...

    def known(self, ids: Sequence[str]) -> Mapping[str, CaseVersion]:
        """Return what is remembered of these cases; ids of which nothing is are left out."""
        ...

    def between(self, low: int | None, high: int | None) -> Mapping[str, CaseVersion]:
        """Return the versions of the cases that have rows and were created in `[low, high)`.

        Args:
            low: milliseconds since 1970; None for no bound.
            high: milliseconds since 1970; None for no bound.
        """
        ...

    def apply(self, changes: Sequence[RowChange]) -> None:
        """Change rows, each case once, without committing that."""
        ...

    def rejected(self) -> int:
        """Return how many cases are set aside."""
        ...

    def commit(self, mark: Mark) -> None:
        """Commit what was applied, and the mark."""
        ...

    def end(self) -> None:
        """Discard what was not committed, and let others take the mirror; harmless if it was not taken."""
        ...


publish("persona_cases.mirror", Forget, Mirror, MirrorSettings, Put, Remember, SetAside)

"""`Mirror`: the protocol through which a sync writes to a database."""

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
    """The settings of a mirror. All syncs of a mirror must have the same settings.

    Attributes:
        where: the query as JSON; None for all cases.
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
        version: the version to remember.
        change: `added`, `updated` or `redacted`; the latter also erases older values from the history.
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
        version: the version to remember; None for nothing.
        departed: whether it departs now, for the history.
        erase: whether to erase its values from the history too.
    """

    id: str
    version: CaseVersion | None = None
    departed: bool = False
    erase: bool = False


@attrs.frozen(kw_only=True)
class Remember:
    """Remember a version, and leave the rows unchanged.

    Attributes:
        id: the id of the case.
        version: the version to remember.
    """

    id: str
    version: CaseVersion


@attrs.frozen(kw_only=True)
class SetAside:
    """Delete the rows of an undecodable case, and keep the case as sent.

    The next change of the case deletes what was kept, unless it is a `Remember`.

    Attributes:
        id: the id of the case.
        line: the case on one line, which need not be JSON or UTF-8.
        reason: what is wrong with it, and where.
        version: the version to remember.
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
    """A database that a sync writes to.

    The methods are called one after another, each in a thread. Changes by `apply` become visible and durable with the
    next `commit`, together with the mark, or not at all.
    """

    def begin(self, settings: MirrorSettings) -> Mark:
        """Lock the mirror for one sync, and create its tables if it is new.

        Args:
            settings: the settings of the mirror.

        Returns:
            The mark that was committed last; `Mark()` for a new mirror.

        Raises:
            ClientStateError: if another sync has locked it.
            InvalidArgumentError: if it is not a mirror, or a mirror with other settings.
        """
        ...

    def known(self, ids: Sequence[str]) -> Mapping[str, CaseVersion]:
        """Return the remembered versions of these cases, without ids of which nothing is remembered.

        Args:
            ids: the ids of the cases.

        Returns:
            The versions by id.
        """
        ...

    def between(self, low: int | None, high: int | None) -> Mapping[str, CaseVersion]:
        """Return the versions of the cases that have rows and were created in `[low, high)`.

        Args:
            low: milliseconds since 1970; None for no bound.
            high: milliseconds since 1970; None for no bound.

        Returns:
            The versions by id.
        """
        ...

    def apply(self, changes: Sequence[RowChange]) -> None:
        """Change rows, each case once, without committing.

        Args:
            changes: the changes.
        """
        ...

    def rejected(self) -> int:
        """Return how many cases are set aside."""
        ...

    def commit(self, mark: Mark) -> None:
        """Commit the applied changes together with the mark.

        Args:
            mark: the progress of the mirror.
        """
        ...

    def end(self) -> None:
        """Discard uncommitted changes, and unlock the mirror; harmless if it is not locked."""
        ...


publish("persona_cases.mirror", Forget, Mirror, MirrorSettings, Put, Remember, SetAside)

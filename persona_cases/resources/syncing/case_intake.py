"""`CaseIntake`: applies the cases that were read to a mirror."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import attrs

from persona_cases.errors import DecodeError
from persona_cases.export.threads import off_loop
from persona_cases.mirror.case_version import CaseVersion, Reading
from persona_cases.mirror.mark import Mark
from persona_cases.mirror.meaning import Meaning, meaning_of
from persona_cases.mirror.mirror_protocol import Mirror, RowChange
from persona_cases.mirror.row_changes import (
    CHANGES,
    MeaningCount,
    change_for,
    confirmed,
    rejection,
    unwanted_text,
    vanished,
)
from persona_cases.models import Case
from persona_cases.models.decoding.sound_page import signs_of
from persona_cases.resources.syncing.lone_cases import FoundCases

__all__ = ["CaseIntake", "GetAlone", "Taken"]

GetAlone = Callable[[Iterable[str]], Awaitable[FoundCases]]


@attrs.frozen
class Taken:
    """A case that was read, and its meaning for the mirror.

    Attributes:
        case: the case.
        reading: the data read.
        meaning: its meaning.
        known: the mirror's earlier knowledge.
    """

    case: Case = attrs.field(repr=False)
    reading: Reading
    meaning: Meaning
    known: CaseVersion | None

    @property
    def is_news(self) -> bool:
        """Whether rows change because of a change that was unknown to the mirror."""
        return self.meaning in CHANGES and (self.known is None or self.known.updated_at != self.reading.updated_at)


@attrs.define
class CaseIntake:
    """Applies cases to a mirror, and commits them with its mark.

    Attributes:
        mirror: the mirror.
        get_alone: reads cases individually.
        decide: returns whether a case matches; None if cases do not show it.
        excludes: returns whether an undecodable case is known not to match.
        sets_aside: whether undecodable cases are set aside instead of raising an error.
        floor: the oldest change that searches look for.
        count: the number of reads by meaning.
        committed: the mark that was committed last.
        pending: whether something is waiting to be committed.
    """

    mirror: Mirror
    get_alone: GetAlone
    decide: Callable[[Case], bool | None]
    excludes: Callable[[str], Awaitable[bool]]
    committed: Mark
    sets_aside: bool = False
    floor: int | None = None
    count: MeaningCount = attrs.field(factory=MeaningCount)
    pending: bool = False

    async def take(self, readings: Sequence[tuple[Case, Reading]], *, counted: bool = True) -> list[Taken]:
        """Apply the cases that were read, and read doubtful ones again.

        Args:
            readings: the cases and the data read.
            counted: whether to count unchanged cases.
        """
        latest = {case.id: (case, reading) for case, reading in readings}
        known = await off_loop(self.mirror.known, list(latest))
        taken, changes, doubts = list[Taken](), list[RowChange | None](), dict[str, Reading]()
        for id, (case, reading) in latest.items():
            meaning = meaning_of(reading, known.get(id))
            if meaning is Meaning.DOUBTFUL:
                doubts[id] = reading
                continue
            taken.append(Taken(case, reading, meaning, known.get(id)))
            changes.append(self._change(case, reading, known.get(id), meaning))
        await self._apply(taken, changes, counted=counted)
        return taken + (await self.take_by_id(doubts, shown=doubts, counted=counted) if doubts else [])

    async def differing(self, readings: Sequence[tuple[Case, Reading]]) -> list[str]:
        """Apply cases that need not be read whole, and return the ids of the others that changed.

        Args:
            readings: cases with only their times, and the data read.
        """
        known = await off_loop(self.mirror.known, [case.id for case, _ in readings])
        meant = [(case, reading, meaning_of(reading, known.get(case.id))) for case, reading in readings]
        suspects = {Meaning.ADDED, Meaning.UPDATED, Meaning.REDACTED}
        await self.take([(case, reading) for case, reading, meaning in meant if meaning not in suspects])
        return [case.id for case, _, meaning in meant if meaning in suspects]

    async def take_by_id(
        self,
        ids: Iterable[str],
        *,
        shown: Mapping[str, Reading] | None = None,
        decide: Callable[[Case], bool | None] | None = None,
        counted: bool = True,
    ) -> list[Taken]:
        """Read cases individually, and apply them.

        Args:
            ids: their ids.
            shown: the data that searches showed.
            decide: returns whether a case matches. Default: as for all cases.
            counted: whether to count unchanged cases.

        Raises:
            PersonaError: if a case cannot be read.
        """
        several = await self.get_alone(ids)
        asked = [*(case.id for case in several.cases), *several.missing, *several.undecodable]
        known = await off_loop(self.mirror.known, asked)
        taken, changes = list[Taken](), list[RowChange | None]()
        for id, each in several.undecodable.items():
            changes.append(await self._rejected(id, each.line, each.error, known.get(id)))
        for case in several.cases:
            found = None if shown is None else shown[case.id]
            try:
                reading = Reading.of(case, matches=(decide or self.decide)(case), fresh=True).told_by(found)
            except DecodeError as error:
                if not self.sets_aside:
                    raise
                changes.append(await self._rejected(case.id, case.raw_line, error, known.get(case.id)))
                continue
            before = _seen(known.get(case.id), found)
            meaning = meaning_of(reading, known.get(case.id))
            taken.append(Taken(case, reading, meaning, before))
            change = self._change(case, reading, before, meaning)
            if change is None and before is not None and before != known.get(case.id):
                change = confirmed(case.id, before)
            changes.append(change)
        lost = [change for id in several.missing if (change := vanished(id, known.get(id))) is not None]
        self.count[Meaning.DEPARTED] += len(lost)
        await self._apply(taken, [*changes, *lost], counted=counted)
        return taken

    async def commit(self, mark: Mark, *, always: bool = False) -> None:
        """Commit the applied cases together with a mark.

        Args:
            mark: the mark.
            always: whether to commit a changed mark even without cases.
        """
        if self.pending or (always and mark != self.committed):
            await off_loop(self.mirror.commit, mark)
            self.committed, self.pending = mark, False

    def _change(self, case: Case, reading: Reading, known: CaseVersion | None, meaning: Meaning) -> RowChange | None:
        return change_for(case.id, case.raw_line, reading, known, meaning, floor=self.floor)

    async def _rejected(self, id: str, line: bytes, error: DecodeError, known: CaseVersion | None) -> RowChange | None:
        where = f" at {error.pointer}" if error.pointer else ""
        signs = signs_of(line)
        change = rejection(id, line, error.reason + where, signs, known)
        if change is not None and await self.excludes(id):
            return unwanted_text(id, signs, known)
        return change

    async def _apply(self, taken: Iterable[Taken], changes: Iterable[RowChange | None], *, counted: bool) -> None:
        self.count.update(each.meaning for each in taken if counted or each.meaning in CHANGES)
        wanted = [change for change in changes if change is not None]
        if wanted:
            self.pending = True
            await off_loop(self.mirror.apply, wanted)


def _seen(known: CaseVersion | None, found: Reading | None) -> CaseVersion | None:
    return known if known is None or found is None else known.seen_by_index(found.digest)

"""`Spool`: a directory beside the output that holds the cases fetched so far, and survives anything but a lost disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final, Self

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.fetched_ranges import Frontier
from persona_cases.export.ranges.stretch import Stretch
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import DamagedError, Description, Extent, Manifest, Tally, encode_manifest
from persona_cases.export.spool.checkpoint_files import ManifestFiles
from persona_cases.export.spool.disk import make_names_durable
from persona_cases.export.spool.page_log import BlockLog
from persona_cases.export.spool.partial_file import HeadFile
from persona_cases.export.spool.workplace import Workplace, directory_beside
from persona_cases.models.decoding.raw_page import Line

_LOG: Final = "cases.log"
# The number in the log under which cases are that were set aside; no stretch has it.
_ASIDE: Final = 0xFFFF_FFFF
_HEAD: Final = "cases.head"
# What a loss of power may cost, in seconds.
_SECONDS_NOT_DURABLE: Final = 1.0
# What is in the head counts without a manifest, so that one now and then is enough, in seconds.
_SECONDS_A_MANIFEST: Final = 0.1
# A disk that keeps a page waiting for so long is written to from another thread for a while, in seconds.
_SLOW: Final = 0.01
_WHILE: Final = 1.0


def is_unfinished(output: str | os.PathLike[str]) -> bool:
    """Return whether there are cases of an unfinished export to a file, which can be gone on from."""
    return ManifestFiles(directory_beside(output)).exist


class Spool:
    """The cases of the first stretch in the head of the file that is to be, those of the others in a log.

    A manifest says how much of both counts. What is `put` counts once `commit` has returned, even if the process is
    killed: first the log is written, then the manifest that speaks of it takes the place of the one before. Now and
    then all of it is made durable, in the same order. What a crash leaves behind the committed end of the log is
    written over. The head tells by itself how far it goes: whole pages behind its committed end count.

    Everything has a checksum. If what the newest manifest speaks of is not what was written, the durable one counts; if
    that is no better, nothing does, and the export is refused.

    Args:
        output: the file that is exported; the directory is `.<its name>.export` beside it.
        description: what is exported.
        restart: whether to throw away what an earlier run left.
        backward: whether the stretches are walked against the order that is wanted in the end.

    Raises:
        InvalidArgumentError: if the directory cannot be written or is not ours alone, or holds an export that is
            damaged or of something else.
        ClientStateError: if another export to the same file is running.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        description: Description,
        *,
        restart: bool = False,
        backward: bool = False,
    ) -> None:
        self._place = Workplace(output)
        self._name = self._place.name
        self._directory = self._place.directory
        self._description = description
        self._backward = backward
        self._pending: dict[int, list[bytes]] = {}
        self._writing: dict[int, list[bytes]] = {}
        self._broken = False
        self._lines = 0
        self._manifests = ManifestFiles(self._directory)
        self._slow_until = 0.0
        self._head_is_ahead = False
        self._syncing = False
        self._written_at: float | None = None
        self._durable_at: float | None = None
        try:
            self.frontier = self._recover(restart=restart)
        except BaseException:
            self._place.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def description(self) -> Description:
        """What the export is one of, as its first run said it."""
        return self._description

    @property
    def pending(self) -> bool:
        """Whether something was put that is not being committed yet."""
        return self._head_is_ahead or bool(self._pending)

    @property
    def due(self) -> bool:
        """Whether what was taken in should be committed now."""
        if self._pending or self._written_at is None:
            return True
        # Where nothing was put, only a manifest tells that pages were walked.
        return not self._head_is_ahead or time.monotonic() - self._written_at > _SECONDS_A_MANIFEST

    @property
    def durable(self) -> bool:
        """Whether everything that was put would outlive a loss of power."""
        return not self.pending and self._durable_at == self._written_at

    def unsafe(self, number: int) -> int:
        """Return how many blocks of a stretch were put and are not committed."""
        return len(self._pending.get(number, ())) + len(self._writing.get(number, ()))

    def put(self, stretch: Stretch, lines: Sequence[Line]) -> None:
        """Take the next cases of a stretch, to be written at once or with the next commit.

        Raises:
            OSError: if the disk does not take them. Nothing can be committed any more then.
        """
        block = b"\n".join([*(reversed(lines) if self._backward else lines), b""])
        stretch.size += len(block)
        self._lines += len(lines)
        if self._may_write_at_once(stretch):
            self._write_at_once(block)
            return
        pending = self._pending.setdefault(stretch.number, [])
        pending.insert(0 if self._backward else len(pending), block)

    def put_aside(self, cases: Iterable[bytes]) -> None:
        """Take cases that cannot be decoded, on one line each, to be written with the next commit."""
        self._pending.setdefault(_ASIDE, []).extend(case + b"\n" for case in cases)

    def aside(self) -> Iterator[bytes]:
        """Read the committed cases that were set aside, each once; before `become`."""
        seen = set[bytes]()
        with self._refusing():
            for block in self._log.read([_ASIDE]):
                for case in block[:-1].split(b"\n"):
                    digest = hashlib.sha256(case).digest()
                    if digest not in seen:
                        seen.add(digest)
                        yield case

    async def commit(self, frontier: Frontier, *, durable: bool = False) -> None:
        """Write what was put, and then that it was; a cancelled commit is finished nevertheless.

        Args:
            frontier: where the walk stands after what was put.
            durable: whether to wait until it would outlive a loss of power; otherwise that is done now and then.

        Raises:
            OSError: if the disk does not take it. Nothing can be committed any more then.
        """
        if self._broken:
            return
        blocks, self._pending = self._pending, {}
        self._writing, self._head_is_ahead = blocks, False
        self._syncing = durable = durable or self._should_sync()
        # As it is now: the walk goes on meanwhile.
        state = msgspec.json.encode(frontier)
        # A future of no task, which whoever cancels all tasks does not find: what is half written would be lost.
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, self._write, blocks, self._head.extent, msgspec.Raw(state), durable)
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
        self._syncing = False
        if writing.exception() is None:
            self._settle(frontier)
        else:
            self._broken = True
        if cancelled is not None:
            raise cancelled
        writing.result()

    def _settle(self, frontier: Frontier) -> None:
        self._writing = {}
        self.frontier = frontier

    def batches(self) -> Iterator[list[bytes]]:
        """Read all committed cases in order, some lines at a time.

        Returns:
            Lists of lines without line ends, of a page or two each, so that memory stays flat.
        """
        lines = 0
        with self._refusing():
            for batch in self._head.batches():
                lines += len(batch)
                yield batch
            for block in self._log.read(self._numbers(), backward=self._backward):
                batch = block[:-1].split(b"\n")
                lines += len(batch)
                yield batch
            self._check_lines(lines)

    def file(self) -> AtomicFile:
        """Return the output, to be written until it is complete."""
        return self._place.file()

    def become(self, file: AtomicFile) -> None:
        """Make all committed cases in order the content of a file; nothing can be put any more.

        The rest is appended to the head, and the head gets a second name. From then on it is all that counts, and
        never changed again, as it is the file that others see.

        Raises:
            InvalidArgumentError: if what is on the disk is not what was written there.
        """
        if self.frontier is None:
            return
        self._head.cut()
        with self._refusing():
            # What has the right checksum has as many lines as were put.
            self._check_lines(self._lines)
            self._head.recheck()
            self._log.copy(self._numbers(), self._head.extend, backward=self._backward)
        self._head.sync()
        self._log.forget()
        state = msgspec.Raw(msgspec.json.encode(self.frontier))
        self._write({}, self._head.extent, state, durable=True)
        # Windows does not rename what is open.
        self._close_files()
        file.adopt(self._head.path)

    def remove(self) -> None:
        """Remove the directory, once the output is complete."""
        self._close_files()
        self._manifests.remove()
        self._place.remove()

    def close(self) -> None:
        """Let go of the files; the directory stays."""
        self._close_files()
        self._place.release()

    def _close_files(self) -> None:
        self._log.close()
        self._head.close()

    # ---- what an earlier run left ------------------------------------------------------------------------------------

    def _recover(self, *, restart: bool) -> Frontier | None:
        if restart:
            self._manifests.remove()
        if not self._manifests.exist:
            # Without a manifest nothing counts. What is in the head may have become a file that somebody reads.
            for name in (_HEAD, _LOG):
                (self._directory / name).unlink(missing_ok=True)
            self._open_files(Extent(), Extent())
            # Marks of another head.
            self._head.cut()
            return None
        manifests = self._manifests.read()
        if not manifests:
            raise InvalidArgumentError(
                f"{self._name}: its saved progress is damaged, or another version of this library wrote it: "
                "use restart to discard it and start over"
            )
        manifests[-1].check(self._description, self._name)
        with self._refusing():
            manifest = self._open_newest(manifests)
        # What the first run found is what this one goes on with.
        self._description = manifest.description
        self._lines = sum(each.cases for each in manifest.frontier.stretches)
        self._catch_up(manifest)
        return manifest.frontier

    def _open_newest(self, manifests: Sequence[Manifest]) -> Manifest:
        """Open the files, and return the first manifest that tells what is in them."""
        for manifest in manifests:
            with contextlib.suppress(DamagedError):
                self._open_files(manifest.log, manifest.head)
                if self._has_all(manifest):
                    return manifest
                self._close_files()
        raise DamagedError

    def _open_files(self, log: Extent, head: Extent) -> None:
        self._log = BlockLog(self._directory / _LOG, log)
        try:
            self._head = HeadFile(self._directory / _HEAD, head)
        except BaseException:
            self._log.close()
            raise

    def _has_all(self, manifest: Manifest) -> bool:
        """Whether there is as much of each range as was taken."""
        taken = {each.number: Tally(each.cases, each.size) for each in manifest.frontier.stretches}
        found = {number: tally for number, tally in self._log.tallies.items() if number != _ASIDE}
        if manifest.log == Extent():
            # In the end the head has those of all ranges.
            return self._head.tally == sum(taken.values(), Tally())
        if not self._backward:
            found[0] = self._head.tally
        return {number: tally for number, tally in taken.items() if tally != Tally()} == {
            number: tally for number, tally in found.items() if tally != Tally()
        }

    @contextlib.contextmanager
    def _refusing(self) -> Generator[None]:
        damaged = False
        try:
            yield
        except DamagedError:
            damaged = True
        if damaged:
            raise InvalidArgumentError(
                f"{self._name}: its saved progress is damaged on the disk: use restart to discard it and start over"
            )

    def _check_lines(self, lines: int) -> None:
        if self.frontier is not None and lines != sum(each.cases for each in self.frontier.stretches):
            raise DamagedError

    def _catch_up(self, manifest: Manifest) -> None:
        """Take in what is in the head behind the end that the manifest tells of."""
        stretches = manifest.frontier.stretches
        lines = list[bytes]()
        for some in self._head.uncounted() if stretches and not self._backward else ():
            lines += some
            ahead = stretches[0].caught_up(lines)
            if ahead is None:
                break
            stretches[0], taken = ahead
            self._head.count(lines[:taken])
            self._head_is_ahead = self._head_is_ahead or taken > 0
            self._lines += taken
            del lines[:taken]
        self._head.cut()

    def _is_head(self, number: int) -> bool:
        return number == 0 and not self._backward

    def _numbers(self) -> list[int]:
        numbers = [] if self.frontier is None else [each.number for each in self.frontier.stretches]
        return numbers[::-1] if self._backward else numbers

    def _may_write_at_once(self, stretch: Stretch) -> bool:
        # What is in the head is found again by the time of its last case, if that tells where to go on, and if the
        # newest manifest is ours.
        if not self._is_head(stretch.number) or not stretch.told_by_time:
            return False
        if self.frontier is None or self._written_at is None:
            return False
        if self.unsafe(_ASIDE):
            # Lines count by themselves, and what was set aside beside them would not.
            return False
        # To write to a file that is being made durable means to wait for that.
        return not self._syncing and not self.unsafe(stretch.number) and time.monotonic() >= self._slow_until

    def _write_at_once(self, block: bytes) -> None:
        started = time.monotonic()
        try:
            self._head.append(block)
        except BaseException:
            self._broken = True
            raise
        self._head_is_ahead = True
        now = time.monotonic()
        if now - started > _SLOW:
            self._slow_until = now + _WHILE

    def _should_sync(self) -> bool:
        return self._durable_at is None or time.monotonic() - self._durable_at > _SECONDS_NOT_DURABLE

    def _write(self, blocks: dict[int, list[bytes]], head: Extent, state: msgspec.Raw, durable: bool) -> None:  # noqa: FBT001
        logged: dict[int, list[bytes]] = {}
        for number, parts in blocks.items():
            if not self._is_head(number):
                logged[number] = parts
                continue
            for part in parts:
                self._head.append(part)
            # Nobody else writes to it as long as these are not committed.
            head = self._head.extent
        if logged:
            self._log.append(logged)
        manifest = encode_manifest(self._description, log=self._log.extent, head=head, frontier=state)
        self._manifests.write_recent(manifest)
        self._written_at = time.monotonic()
        if durable:
            self._head.sync()
            self._log.sync()
            self._manifests.write_durable(manifest)
            make_names_durable(self._directory)
            self._durable_at = self._written_at

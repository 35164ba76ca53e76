"""`Spool`: a directory beside the output that holds the cases fetched so far, and survives anything but a lost disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Self

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.fetched_range import FetchedRange
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import Checkpoint, CheckpointEncoder, Description
from persona_cases.export.spool.checkpoint_file import CheckpointFile
from persona_cases.export.spool.disk import (
    append_private,
    make_durable,
    make_names_durable,
    open_private,
    refuse_link,
    write_whole,
)
from persona_cases.export.spool.range_file import DamagedError, FilePart
from persona_cases.export.spool.workplace import Workplace, directory_beside
from persona_cases.models.decoding.raw_page import Line

# The file of the range with the number 0 becomes the output.
_CASES: Final = "cases-{}.jsonl"
_ASIDE: Final = -1
# What a loss of power may cost, in seconds.
_SECONDS_NOT_DURABLE: Final = 1.0
# A disk that keeps a page waiting for so long is written to from another thread for a while, in seconds.
_SLOW: Final = 0.01
_WHILE: Final = 1.0
# Ranges are removed once so many bytes of them are in the first file, so that the disk need not hold all of them twice.
_BYTES_HELD_TWICE: Final = 1 << 26


def is_unfinished(output: str | os.PathLike[str]) -> bool:
    """Return whether there are cases of an unfinished export to a file, from which it can be resumed."""
    return CheckpointFile(directory_beside(output)).exists


class Spool:
    """The cases of each time range in a file of its own, and checkpoints that say how much of these files counts.

    What is `put` counts once it is committed, even if the process is killed: first the cases are written, then a
    checkpoint with their number and checksum. Now and then all of it is made durable, in the same order. If the newest
    checkpoint speaks of anything that is not there as it was written, the durable one counts. If that is no better,
    nothing does, and the export is refused. What a crash leaves behind the end that counts is cut off.

    Args:
        output: the file that is exported; the directory is `.<its name>.export` beside it.
        description: what is exported.
        restart: whether to discard what an earlier run left.
        backward: whether the ranges are fetched against the order that is wanted in the end.

    Attributes:
        description: what the export is one of, as its first run said it.
        ranges: the committed time ranges; None if there are none.

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
        # Making a path takes half as long as writing a checkpoint.
        self._path = cache(self._path_of)
        self.description: Description = description
        self.ranges: FetchedRanges | None = None
        self._backward = backward
        self._queue: list[tuple[int, bytes]] = []
        self._aside = self._part(_ASIDE, 0, 0)
        self._joined = 0
        self._lines = 0
        self._encoder = CheckpointEncoder()
        self._checkpoints = CheckpointFile(self._directory)
        self._not_durable = set[int]()
        self._durable_at = -_SECONDS_NOT_DURABLE
        self._slow_until = 0.0
        self._broken = False
        try:
            self._recover(restart=restart)
        except BaseException:
            self._place.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- while cases are fetched -------------------------------------------------------------------------------------

    @property
    def quick(self) -> bool:
        """Whether the next commit takes so little time that it needs no thread."""
        return self._durable_at + _SECONDS_NOT_DURABLE > time.monotonic() >= self._slow_until

    def unsafe(self, number: int) -> int:
        """Return how many pages of a range were put and are not committed."""
        return sum(queued == number for queued, _ in self._queue)

    def put(self, fetched: FetchedRange, lines: Sequence[Line]) -> None:
        """Take the next cases of a range, to be written with the next commit."""
        block = b"\n".join([*lines, b""])
        fetched.size += len(block)
        fetched.check = zlib.crc32(block, fetched.check)
        self._lines += len(lines)
        self._queue.append((fetched.number, block))

    def put_aside(self, cases: Iterable[bytes]) -> None:
        """Take cases that cannot be decoded, on one line each, to be written with the next commit."""
        block = b"".join(case + b"\n" for case in cases)
        self._aside = self._part(_ASIDE, self._aside.size + len(block), zlib.crc32(block, self._aside.check))
        self._queue.append((_ASIDE, block))

    def commit_at_once(self, ranges: FetchedRanges) -> None:
        """Write what was put, and then where the export stands; see `quick`.

        Args:
            ranges: the time ranges after what was put.

        Raises:
            OSError: if the disk does not take it. Nothing can be committed any more then.
        """
        if self._broken:
            return
        started = time.monotonic()
        self._write(self._queue, self._entry(ranges, durable=False), durable=False)
        self._settle(ranges, len(self._queue))
        now = time.monotonic()
        if now - started > _SLOW:
            self._slow_until = now + _WHILE

    async def commit(self, ranges: FetchedRanges, *, durable: bool = False) -> None:
        """Do that in a thread; a cancelled commit is finished nevertheless.

        Args:
            ranges: the time ranges after what was put.
            durable: whether to wait until it would outlive a loss of power; otherwise that is done now and then.

        Raises:
            OSError: if the disk does not take it. Nothing can be committed any more then.
        """
        if self._broken:
            return
        durable = durable or self._durable_at + _SECONDS_NOT_DURABLE <= time.monotonic()
        # As it is now: more is put meanwhile.
        queue, entry = list(self._queue), self._entry(ranges, durable=durable)
        # A future of no task, which whoever cancels all tasks does not find: what is half written would be lost.
        writing = asyncio.get_running_loop().run_in_executor(None, lambda: self._write(queue, entry, durable=durable))
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
        if writing.exception() is None:
            self._settle(ranges, len(queue))
        if cancelled is not None:
            raise cancelled
        writing.result()

    def _settle(self, ranges: FetchedRanges, written: int) -> None:
        del self._queue[:written]
        self.ranges = ranges

    def _entry(self, ranges: FetchedRanges, *, durable: bool) -> bytes:
        checkpoint = Checkpoint(
            ranges=ranges, joined=self._joined, aside_size=self._aside.size, aside_check=self._aside.check
        )
        return self._encoder.encode(checkpoint, self.description, durable=durable)

    def _write(self, queue: Iterable[tuple[int, bytes]], entry: bytes, *, durable: bool) -> None:
        try:
            for number, block in queue:
                self._not_durable.add(number)
                append_private(self._path(number), block)
            if durable:
                for number in self._not_durable:
                    make_durable(self._path(number))
                make_names_durable(self._directory)
                self._not_durable.clear()
            self._checkpoints.write(entry, durable=durable)
        except BaseException:
            self._broken = True
            raise
        if durable:
            self._durable_at = time.monotonic()

    # ---- when all is fetched -----------------------------------------------------------------------------------------

    def batches(self) -> Iterator[list[bytes]]:
        """Read all committed cases in order, some lines at a time.

        Returns:
            Lists of lines without line ends, of a page or two each, so that memory stays flat.
        """
        lines = 0
        with self._refusing():
            parts = self._parts(self.ranges)
            for part in reversed(parts) if self._backward else parts:
                for batch in part.batches(backward=self._backward):
                    lines += len(batch)
                    yield batch
            self._check_lines(lines)

    def aside(self) -> Iterator[bytes]:
        """Read the committed cases that were set aside, each once."""
        seen = set[bytes]()
        with self._refusing():
            for batch in self._aside.batches():
                for case in batch:
                    digest = hashlib.sha256(case).digest()
                    if digest not in seen:
                        seen.add(digest)
                        yield case

    def file(self) -> AtomicFile:
        """Return the output, to be written until it is complete."""
        return self._place.file()

    def become(self, file: AtomicFile) -> None:
        """Make all committed cases in order the content of a file; nothing can be put any more.

        The other ranges are appended to the file of the first, and that gets a second name. From then on it is never
        changed again, as it is the file that others see. Cases that were fetched backward are copied.

        Raises:
            InvalidArgumentError: if what is on the disk is not what was written there.
        """
        if self.ranges is None or not self.ranges.all:
            return
        if self._backward:
            for batch in self.batches():
                file.write(b"\n".join([*batch, b""]))
            return
        with self._refusing():
            # What has the right checksum has as many lines as were put.
            self._check_lines(self._lines)
            self._join(self.ranges)
        file.adopt(self._path(0))

    def _join(self, ranges: FetchedRanges) -> None:
        parts = self._parts(ranges)
        done = max(1, self._joined)
        for part in parts[:done]:
            part.verify()
        waiting = list[FilePart]()
        with open_private(self._path(0), "a") as first:
            for self._joined, part in enumerate(parts[done:], done + 1):
                for piece in part.pieces():
                    write_whole(first.fileno(), piece)
                waiting.append(part)
                if sum(each.size for each in waiting) > _BYTES_HELD_TWICE:
                    self._commit_joined(ranges, waiting)
        self._joined = len(parts)
        self._commit_joined(ranges, waiting)

    def _commit_joined(self, ranges: FetchedRanges, parts: list[FilePart]) -> None:
        self._not_durable.add(0)
        self._write((), self._entry(ranges, durable=True), durable=True)
        for part in parts:
            part.path.unlink(missing_ok=True)
        parts.clear()

    def remove(self) -> None:
        """Remove the directory, once the output is complete."""
        self._checkpoints.remove()
        self._place.remove()

    def close(self) -> None:
        """Let others in; the directory stays."""
        self._place.release()

    # ---- what an earlier run left ------------------------------------------------------------------------------------

    def _recover(self, *, restart: bool) -> None:
        if restart:
            self._checkpoints.remove()
        if not self._checkpoints.exists:
            # Without a checkpoint nothing counts. The first file may have become a file that somebody reads.
            self._cut(Checkpoint(ranges=FetchedRanges(all=[])))
            return
        found = self._checkpoints.read()
        if found is None:
            raise InvalidArgumentError(
                f"{self._name}: its saved progress is damaged, or another version of this library wrote it: "
                "use restart to discard it and start over"
            )
        description, checkpoints = found
        description.check_same(self.description, self._name)
        with self._refusing():
            checkpoint = next(filter(self._is_there, checkpoints), None)
            if checkpoint is None:
                raise DamagedError
            self._cut(checkpoint)
        # What the first run found is what this one resumes.
        self.description, self.ranges, self._joined = description, checkpoint.ranges, checkpoint.joined
        self._aside = self._part(_ASIDE, checkpoint.aside_size, checkpoint.aside_check)
        self._lines = sum(each.cases for each in checkpoint.ranges.all)
        self._not_durable = {number for number in self._sizes(checkpoint) if self._path(number).exists()}

    def _is_there(self, checkpoint: Checkpoint) -> bool:
        aside = self._part(_ASIDE, checkpoint.aside_size, checkpoint.aside_check)
        try:
            for part in (*self._parts(checkpoint.ranges, checkpoint.joined), aside):
                refuse_link(part.path, names=None if part.path == self._path(0) else 1)
                part.verify()
        except DamagedError:
            return False
        return True

    def _cut(self, checkpoint: Checkpoint) -> None:
        """Drop everything behind what counts."""
        sizes = {self._path(number): size for number, size in self._sizes(checkpoint).items()}
        for path in self._directory.glob(_CASES.format("*")):
            size = sizes.get(path, 0)
            if not size:
                path.unlink()
            elif path.stat().st_size > size:
                if path.stat().st_nlink > 1:
                    # It has the name of the output as well, and that is never changed.
                    raise DamagedError
                with open_private(path, "r+") as file:
                    file.truncate(size)

    def _sizes(self, checkpoint: Checkpoint) -> dict[int, int]:
        """Return how much counts of each file."""
        ranges = checkpoint.ranges.all
        joined = {0: sum(each.size for each in ranges[: checkpoint.joined])} if checkpoint.joined else {}
        others = {each.number: each.size for each in ranges[checkpoint.joined :]}
        return {_ASIDE: checkpoint.aside_size, **joined, **others}

    def _parts(self, ranges: FetchedRanges | None, joined: int | None = None) -> list[FilePart]:
        """Return where the cases of each range are, in the order of time."""
        parts, start = list[FilePart](), 0
        joined = self._joined if joined is None else joined
        for index, each in enumerate(ranges.all if ranges is not None else ()):
            if index < joined:
                parts.append(FilePart(self._path(0), start, each.size, each.check))
                start += each.size
            else:
                parts.append(self._part(each.number, each.size, each.check))
        return parts

    def _part(self, number: int, size: int, check: int) -> FilePart:
        return FilePart(self._path(number), 0, size, check)

    def _path_of(self, number: int) -> Path:
        return self._directory / _CASES.format("set-aside" if number == _ASIDE else number)

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
        if self.ranges is not None and lines != sum(each.cases for each in self.ranges.all):
            raise DamagedError

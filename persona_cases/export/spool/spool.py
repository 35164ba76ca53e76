"""`Spool`: a directory next to the output that holds the cases fetched so far and survives crashes and power loss."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.ranges.fetched_range import FetchedRange
from persona_cases.export.ranges.fetched_ranges import FetchedRanges
from persona_cases.export.ranges.fetcher_count import MOST_FETCHERS
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint import Checkpoint, CheckpointEncoder, Description
from persona_cases.export.spool.checkpoint_file import CheckpointFile
from persona_cases.export.spool.disk import (
    AppendedFiles,
    make_durable,
    make_names_durable,
    open_private,
    refuse_link,
    write_whole,
)
from persona_cases.export.spool.range_file import DamagedError, FilePart
from persona_cases.export.spool.workplace import Workplace, directory_beside
from persona_cases.models.decoding.raw_page import Line

# The file of range 0 becomes the output.
_CASES: Final = "cases-{}.jsonl"
_ASIDE: Final = -1
# Maximum seconds of work that a power loss can cost.
_SECONDS_NOT_DURABLE: Final = 1.0
# If the disk delays a page by this many seconds, another thread writes to it for a while.
_SLOW: Final = 0.01
_WHILE: Final = 1.0
# Remove ranges after joining this many bytes, so that the disk need not hold all of them twice.
_BYTES_HELD_TWICE: Final = 1 << 26


def is_unfinished(output: str | os.PathLike[str]) -> bool:
    """Return whether an unfinished export to a file exists, which can be resumed."""
    return CheckpointFile(directory_beside(output)).exists


class Spool:
    """The cases of each time range in a separate file, and checkpoints that record how much of these files is valid.

    Cases that were `put` survive a kill of the process once they are committed: a commit writes the cases first, and
    then a checkpoint with their number and checksum. From time to time, everything is made durable in the same order.
    If the newest checkpoint refers to data that is missing or changed, the durable one is used. If that fails too, the
    spool raises. Data after the valid end, left by a crash, is truncated.

    Args:
        output: the exported file; the directory is `.<its name>.export` next to it.
        description: the description of the export.
        restart: whether to discard the saved progress of an earlier run.
        backward: whether the ranges are fetched in the opposite of the final order.

    Attributes:
        description: the description of the export, as its first run recorded it.
        ranges: the committed time ranges; None if there are none.

    Raises:
        InvalidArgumentError: if the directory cannot be written or is not private to us, or holds an export that is
            damaged or has other settings.
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
        self.description: Description = description
        self.ranges: FetchedRanges | None = None
        self._backward = backward
        self._queue: list[tuple[int, bytes]] = []
        self._aside = self._part(_ASIDE, 0, 0)
        self._joined = 0
        self._lines = 0
        self._checkpoints = CheckpointFile(self._directory)
        self._files = AppendedFiles(self._path, most=MOST_FETCHERS)
        self._not_durable = set[int]()
        self._durable_at = -_SECONDS_NOT_DURABLE
        self._slow_until = 0.0
        self._broken = False
        try:
            self._recover(restart=restart)
        except BaseException:
            self._place.release()
            raise
        self._encoder = CheckpointEncoder(self.description)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- while cases are fetched -------------------------------------------------------------------------------------

    def unsafe(self, ranges: Iterable[FetchedRange]) -> int:
        """Return how many pages were put but not committed, of the range that has most of them."""
        if not self._queue:
            return 0
        queued = [number for number, _ in self._queue]
        return max(queued.count(each.number) for each in ranges)

    def put(self, fetched: FetchedRange, lines: Sequence[Line]) -> None:
        """Add the next cases of a range, to be written with the next commit."""
        block = b"\n".join([*lines, b""])
        fetched.size += len(block)
        fetched.check = zlib.crc32(block, fetched.check)
        self._lines += len(lines)
        self._queue.append((fetched.number, block))

    def put_aside(self, cases: Iterable[bytes]) -> None:
        """Add undecodable cases, one per line, to be written with the next commit."""
        block = b"".join(case + b"\n" for case in cases)
        self._aside = self._part(_ASIDE, self._aside.size + len(block), zlib.crc32(block, self._aside.check))
        self._queue.append((_ASIDE, block))

    def commit_at_once(self, ranges: FetchedRanges) -> bool:
        """Write the cases that were put, and then a checkpoint, unless that may take long; return whether it was done.

        Args:
            ranges: the time ranges, including the cases that were put.

        Raises:
            OSError: if the data cannot be written. Nothing can be committed afterwards.
        """
        started = time.monotonic()
        if not self._durable_at + _SECONDS_NOT_DURABLE > started >= self._slow_until:
            return False
        if self._broken:
            return True
        self._write(self._queue, self._encoder.encode(ranges, self._joined, self._aside, durable=False), durable=False)
        self._queue.clear()
        self.ranges = ranges
        now = time.monotonic()
        if now - started > _SLOW:
            self._slow_until = now + _WHILE
        return True

    async def commit(self, ranges: FetchedRanges, *, durable: bool = False) -> None:
        """Do the same in a thread, however long it takes. A cancelled commit finishes nevertheless.

        Args:
            ranges: the time ranges, including the cases that were put.
            durable: whether to wait until the commit survives a power loss; otherwise that happens from time to time.

        Raises:
            OSError: if the data cannot be written. Nothing can be committed afterwards.
        """
        if self._broken:
            return
        durable = durable or self._durable_at + _SECONDS_NOT_DURABLE <= time.monotonic()
        # A copy of the current state, because more cases are put during the commit.
        queue, entry = list(self._queue), self._encoder.encode(ranges, self._joined, self._aside, durable=durable)
        # A bare future, not a task: cancelling all tasks must not abort a half-finished write.
        writing = asyncio.get_running_loop().run_in_executor(None, lambda: self._write(queue, entry, durable=durable))
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
        if writing.exception() is None:
            del self._queue[: len(queue)]
            self.ranges = ranges
        if cancelled is not None:
            raise cancelled
        writing.result()

    def _write(self, queue: Iterable[tuple[int, bytes]], entry: bytes, *, durable: bool) -> None:
        try:
            for number, block in queue:
                self._not_durable.add(number)
                self._files.append(number, block)
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

    # ---- when everything is fetched ----------------------------------------------------------------------------------

    def batches(self) -> Iterator[list[bytes]]:
        """Read all committed cases in order, in batches.

        Returns:
            Lists of lines without line breaks, of a page or two each, so that memory stays bounded.
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
        """Return the output file, which appears when it is complete."""
        return self._place.file()

    def become(self, file: AtomicFile) -> None:
        """Make all committed cases, in order, the content of a file. Nothing can be put afterwards.

        The other ranges are appended to the file of the first, which is then hard-linked as the output. From then on it
        never changes, because others can see it. Cases that were fetched backward are copied.

        Raises:
            InvalidArgumentError: if the data on disk was changed.
        """
        self._files.close()
        if self.ranges is None or not self.ranges.all:
            return
        if self._backward:
            for batch in self.batches():
                file.write(b"\n".join([*batch, b""]))
            return
        with self._refusing():
            # Data with the right checksum has as many lines as were put.
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
        self._write((), self._encoder.encode(ranges, self._joined, self._aside, durable=True), durable=True)
        for part in parts:
            part.path.unlink(missing_ok=True)
        parts.clear()

    def remove(self) -> None:
        """Remove the directory, once the output is complete."""
        self._files.close()
        self._checkpoints.remove()
        self._place.remove()

    def close(self) -> None:
        """Close the files and release the lock; the directory stays."""
        self._files.close()
        self._checkpoints.close()
        self._place.release()

    # ---- saved progress of an earlier run ----------------------------------------------------------------------------

    def _recover(self, *, restart: bool) -> None:
        if restart:
            self._checkpoints.remove()
        if not self._checkpoints.exists:
            # Without a checkpoint, nothing is valid. The first file may already be an output that someone reads.
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
        # This run resumes what the first run found.
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
        """Truncate each file after its valid size."""
        sizes = {self._path(number): size for number, size in self._sizes(checkpoint).items()}
        for path in self._directory.glob(_CASES.format("*")):
            size = sizes.get(path, 0)
            if not size:
                path.unlink()
            elif path.stat().st_size > size:
                if path.stat().st_nlink > 1:
                    # The file is also linked as the output, which must never change.
                    raise DamagedError
                with open_private(path, "r+") as file:
                    file.truncate(size)

    def _sizes(self, checkpoint: Checkpoint) -> dict[int, int]:
        """Return the valid size of each file."""
        ranges = checkpoint.ranges.all
        joined = {0: sum(each.size for each in ranges[: checkpoint.joined])} if checkpoint.joined else {}
        others = {each.number: each.size for each in ranges[checkpoint.joined :]}
        return {_ASIDE: checkpoint.aside_size, **joined, **others}

    def _parts(self, ranges: FetchedRanges | None, joined: int | None = None) -> list[FilePart]:
        """Return the file part of each range, in order of time."""
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

    def _path(self, number: int) -> Path:
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

"""`Spool`: a directory beside the output that holds the cases fetched so far, and survives anything but a lost disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.export.checkpoint import Description, encode_manifest
from persona_cases.export.frontier import Frontier
from persona_cases.export.lock import DirectoryLock
from persona_cases.export.log import BlockLog
from persona_cases.export.manifests import ManifestFiles
from persona_cases.export.stretch import Stretch
from persona_cases.models.raw_page import Line

_LOG: Final = "cases.log"
# What a loss of power may cost, in seconds.
_SECONDS_NOT_DURABLE: Final = 1.0


def is_unfinished(output: str | os.PathLike[str]) -> bool:
    """Return whether there are cases of an unfinished export to a file, which can be gone on from."""
    return ManifestFiles(_directory_of(Path(output).absolute())).exist


def _directory_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.export")


class Spool:
    """The cases of all stretches in a log, and a manifest that says how much of it counts.

    What is `put` counts once `commit` has returned, even if the process is killed: first the log is written, then the
    manifest that speaks of it takes the place of the one before. Now and then all of it is made durable, in the same
    order. What a crash leaves behind the committed end of the log is cut off.

    Args:
        output: the file that is exported; the directory is `.<its name>.export` beside it.
        description: what is exported.
        restart: whether to throw away what an earlier run left.
        backward: whether the stretches are walked against the order that is wanted in the end.

    Raises:
        InvalidArgumentError: if the directory can not be written, or holds an export of something else.
        ClientStateError: if another process is exporting to the same file.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        description: Description,
        *,
        restart: bool = False,
        backward: bool = False,
    ) -> None:
        path = Path(output).absolute()
        self._name = path.name
        self._directory = _directory_of(path)
        self._description = description
        self._backward = backward
        self._pending: dict[int, list[bytes]] = {}
        self._writing: dict[int, list[bytes]] = {}
        self._broken = False
        self._manifests = ManifestFiles(self._directory)
        self._written_at: float | None = None
        self._durable_at: float | None = None
        self._lock = DirectoryLock(self._directory, self._name)
        try:
            self.frontier = self._recover(restart=restart)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pending(self) -> bool:
        """Whether something was put that is not being committed yet."""
        return bool(self._pending)

    @property
    def durable(self) -> bool:
        """Whether everything that was put would outlive a loss of power."""
        return not self._pending and self._durable_at == self._written_at

    def unsafe(self, number: int) -> int:
        """Return how many blocks of a stretch were put and are not committed."""
        return len(self._pending.get(number, ())) + len(self._writing.get(number, ()))

    def put(self, stretch: Stretch, lines: Sequence[Line]) -> None:
        """Take the next cases of a stretch, to be written with the next commit."""
        block = b"\n".join([*(reversed(lines) if self._backward else lines), b""])
        pending = self._pending.setdefault(stretch.number, [])
        pending.insert(0 if self._backward else len(pending), block)
        stretch.size += len(block)

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
        self._writing = blocks
        # As it is now: the walk goes on meanwhile.
        state = msgspec.json.encode(frontier)
        # A future of no task, which whoever cancels all tasks does not find: what is half written would be lost.
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(None, self._write, blocks, msgspec.Raw(state), durable)
        cancelled: asyncio.CancelledError | None = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
        self._broken = writing.exception() is not None
        if not self._broken:
            self._settle(frontier)
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
        for block in self._log.read(self._numbers(), backward=self._backward):
            yield block[:-1].split(b"\n")

    def copy_to(self, descriptor: int) -> None:
        """Append all committed cases in order to a file that is open for writing."""
        self._log.copy(self._numbers(), descriptor, backward=self._backward)

    def remove(self) -> None:
        """Remove the directory, once the output is complete."""
        self._log.close()
        self._manifests.remove()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._lock.release()

    def close(self) -> None:
        """Let go of the files; the directory stays."""
        self._log.close()
        self._lock.release()

    def _recover(self, *, restart: bool) -> Frontier | None:
        log = self._directory / _LOG
        if restart:
            self._manifests.remove()
        if not self._manifests.exist:
            # Without a manifest nothing counts.
            self._log = BlockLog(log, 0)
            return None
        manifest = self._manifests.latest()
        if manifest is None:
            raise InvalidArgumentError(
                f"{self._name}: the state of the unfinished export can not be read by this version; "
                "start over with restart"
            )
        manifest.check(self._description, self._name)
        try:
            self._log = BlockLog(log, manifest.size)
        except DecodeError:
            damaged = True
        else:
            damaged = False
        if damaged:
            raise InvalidArgumentError(f"{self._name}: the unfinished export is damaged; start over with restart")
        return manifest.frontier

    def _numbers(self) -> list[int]:
        numbers = [] if self.frontier is None else [each.number for each in self.frontier.stretches]
        return numbers[::-1] if self._backward else numbers

    def _write(self, blocks: dict[int, list[bytes]], state: msgspec.Raw, durable: bool) -> None:  # noqa: FBT001
        if blocks:
            self._log.append(blocks)
        boot = self._manifests.boot
        manifest = encode_manifest(self._description, self._log.size, boot, state)
        self._manifests.write_recent(manifest)
        now = self._written_at = time.monotonic()
        if durable or boot is None or self._durable_at is None or now - self._durable_at > _SECONDS_NOT_DURABLE:
            self._log.sync()
            self._manifests.write_durable(manifest)
            self._lock.sync_directory()
            self._durable_at = now

"""`Spool`: a directory beside the output that holds the cases fetched so far, and survives anything but a lost disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.export.checkpoint import Description, decode_manifest, encode_manifest
from persona_cases.export.frontier import Frontier, Stretch
from persona_cases.export.lock import DirectoryLock
from persona_cases.export.log import BlockLog

_MANIFEST, _LOG = "manifest.json", "cases.log"


def is_unfinished(output: str | os.PathLike[str]) -> bool:
    """Return whether there are cases of an unfinished export to a file, which can be gone on from."""
    return (_directory_of(Path(output).absolute()) / _MANIFEST).exists()


def _directory_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.export")


class Spool:
    """The cases of all stretches in a log, and a manifest that says how much of it counts.

    What is `put` counts once `commit` has returned: first the log is on disk, then the manifest that speaks of it takes
    the place of the one before. What a crash leaves behind the committed end of the log is cut off.

    Args:
        output: the file that is exported; the directory is `.<its name>.export` beside it.
        description: what is exported.
        restart: whether to throw away what an earlier run left.

    Raises:
        InvalidArgumentError: if the directory can not be written, or holds an export of something else.
        ClientStateError: if another process is exporting to the same file.
    """

    def __init__(self, output: str | os.PathLike[str], description: Description, *, restart: bool = False) -> None:
        path = Path(output).absolute()
        self._name = path.name
        self._directory = _directory_of(path)
        self._description = description
        self._pending: dict[int, list[bytes]] = {}
        self._writing: dict[int, list[bytes]] = {}
        self._broken = False
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

    def unsafe(self, number: int) -> int:
        """Return how many blocks of a stretch were put and are not committed."""
        return len(self._pending.get(number, ())) + len(self._writing.get(number, ()))

    def put(self, stretch: Stretch, block: bytes) -> None:
        """Append whole lines to the segment of a stretch, to be written with the next commit."""
        self._pending.setdefault(stretch.number, []).append(block)
        stretch.size += len(block)

    async def commit(self, frontier: Frontier) -> None:
        """Write what was put, and then that it was; a cancelled commit is finished nevertheless.

        Args:
            frontier: where the walk stands after what was put.

        Raises:
            OSError: if the disk does not take it. Nothing can be committed any more then.
        """
        if self._broken:
            return
        blocks, self._pending = self._pending, {}
        self._writing = blocks
        # As it is now: the walk goes on meanwhile.
        state = msgspec.json.encode(frontier)
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, blocks, msgspec.Raw(state)))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            if writing.exception() is None:
                self._settle(frontier)
            else:
                self._broken = True
            raise
        except OSError:
            self._broken = True
            raise
        self._settle(frontier)

    def _settle(self, frontier: Frontier) -> None:
        self._writing = {}
        self.frontier = frontier

    def batches(self) -> Iterator[list[bytes]]:
        """Read all committed cases in order, some lines at a time.

        Returns:
            Lists of lines without line ends, of a page or two each, so that memory stays flat.
        """
        for block in self._log.read(self._numbers()):
            yield block[:-1].split(b"\n")

    def copy_to(self, descriptor: int) -> int:
        """Append all committed cases in order to an open file.

        Args:
            descriptor: of a file that is open for writing.

        Returns:
            The number of bytes.
        """
        return self._log.copy(self._numbers(), descriptor)

    def remove(self) -> None:
        """Remove the directory, once the output is complete."""
        self._log.close()
        (self._directory / _MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self._directory, ignore_errors=True)
        self._lock.release()

    def close(self) -> None:
        """Let go of the files; the directory stays."""
        self._log.close()
        self._lock.release()

    def _recover(self, *, restart: bool) -> Frontier | None:
        path, log = self._directory / _MANIFEST, self._directory / _LOG
        if restart:
            path.unlink(missing_ok=True)
        if not path.exists():
            # Without a manifest nothing counts.
            self._log = BlockLog(log, 0)
            return None
        manifest = decode_manifest(path.read_bytes(), self._name)
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
        return [] if self.frontier is None else [each.number for each in self.frontier.stretches]

    def _write(self, blocks: dict[int, list[bytes]], state: msgspec.Raw) -> None:
        if blocks:
            self._log.append(blocks)
        manifest = encode_manifest(self._description, self._log.size, state)
        draft = self._directory / f"{_MANIFEST}.new"
        with draft.open("wb") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._directory / _MANIFEST)
        self._lock.sync_directory()

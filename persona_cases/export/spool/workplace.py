"""`Workplace`: the directory next to an output file in which that file grows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from persona_cases.export.sinks import AtomicFile
from persona_cases.export.spool.checkpoint_file import CheckpointFile
from persona_cases.export.spool.lock import DirectoryLock


class Workplace:
    """The directory `.<name>.export` next to an output file, in which one export at a time works.

    It is private, and on the same disk as the output: if the output is a symbolic link, it is next to the link's
    target. Use it as a context manager: at the end it is removed, unless it has the saved progress of an unfinished
    export.

    Args:
        output: the exported file.

    Attributes:
        name: the name of the output, for errors.
        directory: the directory.

    Raises:
        InvalidArgumentError: if the directory cannot be written or is not private to us.
        ClientStateError: if another export to the same file is running.
    """

    def __init__(self, output: str | os.PathLike[str]) -> None:
        self._output = Path(output)
        self.name: str = self._output.name
        self.directory: Path = directory_beside(output)
        self._lock = DirectoryLock(self.directory, self.name)
        try:
            # No other process writes here now, so these files are left from killed processes.
            for left in self.directory.glob("*.part*"):
                left.unlink()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if CheckpointFile(self.directory).exists:
            self.release()
        else:
            self.remove()

    def file(self) -> AtomicFile:
        """Return the output file, which grows here until it is complete."""
        return AtomicFile(self._output, within=self.directory)

    def remove(self) -> None:
        """Remove the directory and release the lock."""
        self._lock.remove()

    def release(self) -> None:
        """Release the lock; the directory stays."""
        self._lock.release()


def directory_beside(output: str | os.PathLike[str]) -> Path:
    """Return the directory in which an output file grows."""
    whole = Path(os.path.realpath(output))
    return whole.with_name(f".{whole.name}.export")

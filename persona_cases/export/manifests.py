"""`ManifestFiles`: the manifest on disk, one that outlives the system and one that outlives the process.

To make data durable takes long and a part of the processor, so it is not done for every page. What a process has
written is there when it is killed, whether or not it was made durable; only if the system stops, that may be lost. So
there are two. One speaks of what is durable, and is durable itself. The recent one is ahead of it, and counts as
long as the system that wrote it was not started again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from persona_cases.export.checkpoint import Manifest, decode_manifest

_DURABLE: Final = "manifest.json"
_RECENT: Final = "manifest.recent.json"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class ManifestFiles:
    """The manifests of one export.

    Args:
        directory: where they are.

    Attributes:
        boot: an id of the time since the system was started; None if it does not tell.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.boot = _boot_id()

    @property
    def exist(self) -> bool:
        """Whether there is one."""
        return (self._directory / _DURABLE).exists()

    def write_recent(self, text: bytes) -> None:
        """Put down what is written."""
        self._replace(_RECENT, text, durable=False)

    def write_durable(self, text: bytes) -> None:
        """Put down what is durable, and wait until that is."""
        self._replace(_DURABLE, text, durable=True)

    def latest(self) -> Manifest | None:
        """Return the manifest that counts; None if it can not be read."""
        durable = decode_manifest((self._directory / _DURABLE).read_bytes())
        with contextlib.suppress(FileNotFoundError):
            recent = decode_manifest((self._directory / _RECENT).read_bytes())
            if durable is not None and recent is not None and self._counts(recent):
                return recent
        return durable

    def remove(self) -> None:
        """Let nothing count any more."""
        for name in (_DURABLE, _RECENT):
            (self._directory / name).unlink(missing_ok=True)

    def _counts(self, recent: Manifest) -> bool:
        return None is not recent.boot == self.boot

    def _replace(self, name: str, text: bytes, *, durable: bool) -> None:
        draft = self._directory / f"{name}.new"
        with draft.open("wb") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(self._directory / name)


def _boot_id() -> str | None:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None

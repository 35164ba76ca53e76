"""`ManifestFiles`: the manifest on disk, one that outlives the system and one that outlives the process.

To make data durable takes long and a part of the processor, so it is not done for every page. What a process has
written is there when it is killed, whether or not it was made durable; only if the system stops, that may be lost. So
there are two. One speaks of what is durable, and is durable itself. The recent one is ahead of it, and counts if
everything that it speaks of is there as it was written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from persona_cases.export.spool.checkpoint import Manifest, decode_manifest
from persona_cases.export.spool.disk import refuse_link, write_private

_DURABLE: Final = "manifest.json"
_RECENT: Final = "manifest.recent.json"


class ManifestFiles:
    """The manifests of one export.

    Args:
        directory: where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

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

    def read(self) -> list[Manifest]:
        """Return the manifests that may count, the newest first; none if the durable one cannot be read.

        Raises:
            InvalidArgumentError: if something else has the name of one, such as a link.
        """
        durable, recent = self._read(_DURABLE), self._read(_RECENT)
        if durable is None:
            return []
        if recent is None or recent.digest != durable.digest:
            return [durable]
        return [recent, durable]

    def remove(self) -> None:
        """Let nothing count any more."""
        for name in (_DURABLE, _RECENT):
            (self._directory / name).unlink(missing_ok=True)

    def _read(self, name: str) -> Manifest | None:
        path = self._directory / name
        refuse_link(path)
        return decode_manifest(path.read_bytes()) if path.exists() else None

    def _replace(self, name: str, text: bytes, *, durable: bool) -> None:
        draft = self._directory / f"{name}.new"
        write_private(draft, text, durable=durable)
        draft.replace(self._directory / name)

"""The contents of attached files: those that were uploaded, and invented ones for the cases of the factory."""

from __future__ import annotations

from collections.abc import Iterable

from persona_cases.testing.world.stored_cases import StoredFile

__all__ = ["AttachedFiles"]


class AttachedFiles:
    """All attached files by their token."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self._uploads: dict[str, bytes] = {}

    def add(self, files: Iterable[StoredFile]) -> None:
        """Make files known."""
        self._files.update((file.token, file) for file in files)

    def upload(self, filename: str, content: bytes, token: str) -> StoredFile:
        """Keep the content of a new file."""
        file = StoredFile(filename, len(content), token)
        self._uploads[token] = content
        return file

    def remove(self, files: Iterable[StoredFile]) -> None:
        """Forget files and their contents."""
        for file in files:
            self._files.pop(file.token, None)
            self._uploads.pop(file.token, None)

    def find(self, token: str) -> StoredFile | None:
        """The file with that token."""
        return self._files.get(token)

    def content(self, file: StoredFile) -> bytes:
        """The bytes of a file: the same ones for the same file, as many as it says."""
        uploaded = self._uploads.get(file.token)
        if uploaded is not None:
            return uploaded
        line = f"{file.filename} {file.token}\n".encode()
        return (line * (file.byte_size // len(line) + 1))[: file.byte_size]

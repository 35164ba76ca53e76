"""The contents of attached files: uploaded ones, and invented ones for generated cases."""

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
        """Register files."""
        self._files.update((file.token, file) for file in files)

    def upload(self, filename: str, content: bytes, token: str) -> StoredFile:
        """Store the content of a new file."""
        file = StoredFile(filename, len(content), token)
        self._uploads[token] = content
        return file

    def remove(self, files: Iterable[StoredFile]) -> None:
        """Remove files and their contents."""
        for file in files:
            self._files.pop(file.token, None)
            self._uploads.pop(file.token, None)

    def find(self, token: str) -> StoredFile | None:
        """Return the file with this token."""
        return self._files.get(token)

    def content(self, file: StoredFile) -> bytes:
        """Return the bytes of a file: always the same for the same file, and as many as its size."""
        uploaded = self._uploads.get(file.token)
        if uploaded is not None:
            return uploaded
        line = f"{file.filename} {file.token}\n".encode()
        return (line * (file.byte_size // len(line) + 1))[: file.byte_size]

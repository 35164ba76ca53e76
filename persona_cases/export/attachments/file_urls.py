"""`Addresses`: the URLs of the files of a case, which expire after some hours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from persona_cases.errors import NotFoundError
from persona_cases.export.attachments.file_listing import CaseFiles, readdressed
from persona_cases.models import Attachment, Case

__all__ = ["Addresses", "Load"]

Load = Callable[[str], Awaitable[Case]]
"""Loads the case with an id again, with its attachments."""


class Addresses:
    """The URLs of the files of a case. When one has expired, the case is loaded again, once, for all of them.

    Args:
        files: the files, with the URLs that they had.
        load: gets the case again.

    Attributes:
        case_id: the id of the case.
    """

    def __init__(self, files: CaseFiles, load: Load) -> None:
        self.case_id: str = files.case_id
        self._listed = files.attachments
        self._load = load
        self._latest: list[Attachment | None] = list(files.attachments)
        self._asking = asyncio.Lock()

    def latest(self, number: int) -> Attachment | None:
        """Return a file as in the latest response; None if it no longer exists.

        Args:
            number: the index of the file in the case.
        """
        return self._latest[number]

    async def after(self, refused: Attachment, number: int) -> Attachment | None:
        """Return a file with a newer URL; None if the file or the case no longer exists.

        Args:
            refused: the file with the URL that has expired.
            number: the index of the file in the case.

        Raises:
            PersonaError: any error that loading the case can raise.
        """
        async with self._asking:
            # Another file of the case may have loaded it in the meantime.
            if self._latest[number] is refused:
                self._latest = readdressed(self._listed, await self._fresh())
            return self._latest[number]

    async def _fresh(self) -> tuple[Attachment, ...]:
        try:
            case = await self._load(self.case_id)
        except NotFoundError:
            return ()
        return case.attachments

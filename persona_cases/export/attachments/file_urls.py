"""`Addresses`: where the files of a case are, also after some hours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from persona_cases.errors import NotFoundError
from persona_cases.export.attachments.file_listing import CaseFiles, readdressed
from persona_cases.models import Attachment, Case

__all__ = ["Addresses", "Load"]

Load = Callable[[str], Awaitable[Case]]
"""Gets the case with an id anew, with its attachments."""


class Addresses:
    """Where the files of a case are. When one address is refused, the case is asked for all of them, once.

    Args:
        files: the files, with the addresses that they had.
        load: gets the case anew.

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
        """Return a file as the latest answer has it; None if that does not have it any more.

        Args:
            number: which file of the case.
        """
        return self._latest[number]

    async def after(self, refused: Attachment, number: int) -> Attachment | None:
        """Return a file with a newer address; None if the case does not have it any more, or is gone itself.

        Args:
            refused: the file with the address that was refused.
            number: which file of the case.

        Raises:
            PersonaError: whatever asking for the case may raise.
        """
        async with self._asking:
            # Another file of the case may have asked meanwhile.
            if self._latest[number] is refused:
                self._latest = readdressed(self._listed, await self._fresh())
            return self._latest[number]

    async def _fresh(self) -> tuple[Attachment, ...]:
        try:
            case = await self._load(self.case_id)
        except NotFoundError:
            return ()
        return case.attachments

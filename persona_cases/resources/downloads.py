"""Downloading the files that are attached to cases."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs

from persona_cases.errors import APIError, ConnectionFailedError, InvalidArgumentError, TransportError
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.threads import off_loop
from persona_cases.models import Attachment, Case
from persona_cases.protocol.message import Request
from persona_cases.protocol.options import Options
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.download import fetch_file

# What an address answers once it has expired is not documented; each of these says that another one is needed.
_EXPIRED = frozenset({400, 401, 403, 404, 410})

OnBytes = Callable[[int, int | None], object]
"""Called after each piece with the bytes so far and the size of the file, None if that is not known."""


@attrs.define
class Download:
    """One file on its way to the disk.

    Attributes:
        attachment: which file.
        options: timeout and retries.
        trust_env: whether to take proxies from the environment.
        refresh: gets the case anew.
        on_progress: told of each piece.
    """

    attachment: Attachment
    options: Options
    trust_env: bool
    refresh: Callable[[str], Awaitable[Case]]
    on_progress: OnBytes | None = None
    _received: int = attrs.field(default=0, init=False)

    async def to(self, path: str | os.PathLike[str]) -> Path:
        """Fetch the file and give it its name when it is complete.

        Raises:
            PersonaError: whatever keeps it from being complete.
        """
        file = AtomicFile(path)
        try:
            await self._fetch_again_while_worth_it(file)
            await off_loop(file.commit)
        finally:
            file.discard()
        return file.path

    async def _fetch_again_while_worth_it(self, file: AtomicFile) -> None:
        attempts = Attempts(Request("GET", "/attachment"), self.options.retry)
        started, refreshed = asyncio.get_running_loop().time(), False
        while True:
            error = await self._attempt(file)
            if error is None:
                return
            if isinstance(error, APIError) and error.status in _EXPIRED and not refreshed:
                refreshed = True
                if await self._take_fresh_address():
                    continue
            attempts.sent += 1
            attempts.record(error)
            elapsed = asyncio.get_running_loop().time() - started
            delay = attempts.delay(error, elapsed=elapsed, draw=random.random())
            if delay is None:
                raise attempts.final_error(error)
            await asyncio.sleep(delay)

    async def _attempt(self, file: AtomicFile) -> APIError | TransportError | None:
        file.restart()
        self._received = 0

        def write(piece: bytes) -> None:
            file.write(piece)
            self._received += len(piece)
            if self.on_progress is not None:
                self.on_progress(self._received, self.attachment.byte_size)

        try:
            await fetch_file(
                _address(self.attachment),
                write,
                limits=self.options.timeout,
                trust_env=self.trust_env,
                size=self.attachment.byte_size,
            )
        except (APIError, TransportError) as error:
            return error
        expected = self.attachment.byte_size
        if expected is not None and self._received != expected:
            return ConnectionFailedError(f"the file is {self._received} bytes long, and the case says {expected}")
        return None

    async def _take_fresh_address(self) -> bool:
        old = self.attachment
        if old.case_id is None:
            return False
        case = await self.refresh(old.case_id)
        for fresh in case.attachments:
            # Files are only ever added, so the second of a name and size stays the second.
            if (fresh.filename, fresh.byte_size, fresh.twins_before) == (old.filename, old.byte_size, old.twins_before):
                self.attachment = fresh
                return True
        return False


def _address(attachment: Attachment) -> str:
    if not attachment.url:
        raise InvalidArgumentError("the attachment has no url: load the case with its attachments")
    return attachment.url

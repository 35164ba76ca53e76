"""Downloads of the files attached to cases."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs

from persona_cases.errors import APIError, ConnectionFailedError, InvalidArgumentError, PersonaError, TransportError
from persona_cases.export.sinks import AtomicFile
from persona_cases.export.threads import off_loop
from persona_cases.models import Attachment, Case
from persona_cases.protocol.addresses.urls import server_of
from persona_cases.protocol.events import AttemptAnswered, AttemptLost, AttemptSent
from persona_cases.protocol.message import Request
from persona_cases.resources.endpoint import Api
from persona_cases.transport.calls_under_way import Call
from persona_cases.transport.download import fetch_file

# The API does not document the status of an expired URL; each of these means that a new URL is needed.
_EXPIRED = frozenset({400, 401, 403, 404, 410})

OnBytes = Callable[[int, int | None], object]
"""Called after each chunk with the bytes so far and the size of the file, None if unknown."""


@attrs.define
class Download:
    """One download of a file to disk.

    Attributes:
        attachment: the attachment to download.
        path: the path to write to.
        api: makes the call.
        refresh: loads the case again.
        on_progress: called after each chunk.
    """

    attachment: Attachment
    path: str | os.PathLike[str]
    api: Api
    refresh: Callable[[str], Awaitable[Case]]
    on_progress: OnBytes | None = None
    _file: AtomicFile = attrs.field(init=False)
    _received: int = attrs.field(default=0, init=False)
    _refreshed: bool = attrs.field(default=False, init=False)

    async def run(self) -> Path:
        """Fetch the file, and rename it to its path when it is complete.

        Raises:
            PersonaError: any error that keeps the file from completing.
        """
        self._file = AtomicFile(self.path)
        try:
            await self._call()
            await off_loop(self._file.commit)
        finally:
            self._file.discard()
        return self._file.path

    async def _call(self) -> None:
        call = self.api.call(Request("GET", "/{attachment}"), host="files")
        try:
            with call:
                call.lifetime.check()
                self.api.transport.session.check_usable()
                await self._attempt(call)
                return
            raise call.broken_off()
        except (PersonaError, asyncio.CancelledError) as error:
            # The frames below hold the file's URL, with which anyone can open it.
            failure = error.with_traceback(None)
        raise failure

    async def _attempt(self, call: Call) -> None:
        hosts = self.api.transport.file_hosts
        while True:
            url = self.api.transport.session.file_addresses.first(_address(self.attachment))
            await call.admit(hosts.admit(url, call.patience))
            error = await self._fetch(call)
            if isinstance(error, APIError) and error.status in _EXPIRED and not self._refreshed:
                self._refreshed = True
                if await self._take_fresh_address():
                    error = await self._fetch(call)
            hosts.settle(url, error)
            if error is None:
                return
            await call.back_off(error)

    async def _fetch(self, call: Call) -> APIError | TransportError | None:
        if not call.observers:
            return await self._fetch_once()
        clock, observed = self.api.transport.timing.clock, call.observed
        server = server_of(self.api.transport.session.file_addresses.first(_address(self.attachment)))
        call.tell(AttemptSent(observed, call.number, call.waited, *server))
        started = clock()
        error = await self._fetch_once()
        if isinstance(error, TransportError):
            call.tell(AttemptLost(observed, call.number, type(error), clock() - started))
        else:
            status = 200 if error is None else error.status or 0
            call.tell(AttemptAnswered(observed, call.number, status, None, clock() - started))
        return error

    async def _fetch_once(self) -> APIError | TransportError | None:
        self._file.restart()
        self._received = 0

        def write(piece: bytes) -> None:
            self._file.write(piece)
            self._received += len(piece)
            if self.on_progress is not None:
                self.on_progress(self._received, self.attachment.byte_size)

        try:
            await fetch_file(
                self.api.transport.session,
                _address(self.attachment),
                write,
                limits=self.api.options.timeout,
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
            # Files are only ever added, so the second one of a name and size stays the second.
            if (fresh.filename, fresh.byte_size, fresh.twins_before) == (old.filename, old.byte_size, old.twins_before):
                self.attachment = fresh
                return True
        return False


def check_attachment(value: object) -> Attachment:
    """Check the attachment to download.

    Raises:
        InvalidArgumentError: if it is not an attachment but, say, the id of a case.
    """
    if not isinstance(value, Attachment):
        raise InvalidArgumentError("attachment must be an Attachment: get the case, and pass one of case.attachments")
    return value


def _address(attachment: Attachment) -> str:
    if not attachment.url:
        raise InvalidArgumentError("the attachment has no url: load the case with its attachments")
    return attachment.url

"""Files to attach to a case, read and encoded off the event loop."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from pathlib import Path

from persona_cases.changes.change_values import Attachable, Upload
from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import text

_SMALL = 32_768


async def encoded_uploads(attachments: Iterable[Attachable]) -> list[dict[str, str]]:
    """Read and encode files for the body of an update.

    Raises:
        InvalidArgumentError: if a file cannot be read or is empty, before anything is sent.
    """
    return [await _encoded(attachment) for attachment in attachments]


async def _encoded(attachment: Attachable) -> dict[str, str]:
    match attachment:
        case Upload(filename=str() as filename, content=bytes() as content) if len(content) <= _SMALL:
            return _document(filename, content)
        case _:
            return await asyncio.to_thread(_read, attachment)


def _read(attachment: Attachable) -> dict[str, str]:
    if isinstance(attachment, Upload):
        content = attachment.content if isinstance(attachment.content, bytes) else attachment.content.read()
        return _document(attachment.filename, content)
    try:
        path = Path(attachment)
        content = path.read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"attachments: a file cannot be read: {error.strerror}") from error
    except ValueError:
        # The error is raised below, because a UnicodeEncodeError holds the path and would become its context here.
        pass
    else:
        return _document(path.name, content)
    raise InvalidArgumentError("attachments: a path has a character that file names cannot have")


def _document(filename: object, content: object) -> dict[str, str]:
    if not isinstance(filename, str) or not filename or "/" in filename or "\\" in filename:
        raise InvalidArgumentError("attachments: a filename must be a plain name, such as 'passport.pdf'")
    if not isinstance(content, bytes):
        raise InvalidArgumentError("attachments: content must be bytes or a file opened in binary mode")
    if not content:
        raise InvalidArgumentError("attachments: a file is empty")
    return {"data": base64.b64encode(content).decode("ascii"), "filename": text(filename, "attachments: a filename")}

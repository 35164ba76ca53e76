"""Files to attach to a case: read and encoded off the event loop."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.checks import text
from persona_cases.surface import publish

_SMALL = 32_768


@attrs.frozen
class Upload:
    """A file to attach.

    Attributes:
        filename: the name under which the case will show it; an ending such as `.pdf` or `.png` tells its kind.
        content: its bytes, or a binary file object, which is read to its end.
    """

    filename: str = attrs.field(repr=False)
    content: bytes | BinaryIO = attrs.field(repr=False)


Attachable: TypeAlias = Upload | str | os.PathLike[str]
"""What can be attached: the path of a file, or an `Upload`."""


async def encoded_uploads(attachments: object) -> list[dict[str, str]]:
    """Read and encode files for the body of an update.

    Raises:
        InvalidArgumentError: if a file cannot be read or is empty, before anything is sent.
    """
    if isinstance(attachments, (str, bytes, Upload, os.PathLike)) or not isinstance(attachments, Iterable):
        raise InvalidArgumentError("attachments must be a list of paths or of Upload(filename, content)")
    return [await _encoded(attachment) for attachment in cast("Iterable[object]", attachments)]


async def _encoded(attachment: object) -> dict[str, str]:
    match attachment:
        case Upload(filename=str() as filename, content=bytes() as content) if len(content) <= _SMALL:
            return _document(filename, content)
        case Upload() | str() | os.PathLike():
            return await asyncio.to_thread(_read, cast("Attachable", attachment))
        case _:
            raise InvalidArgumentError("attachments: each must be a path or Upload(filename, content)")


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
        # Raised below: a UnicodeEncodeError holds the path, and would be the context of the error raised here.
        pass
    else:
        return _document(path.name, content)
    raise InvalidArgumentError("attachments: a path has a character that no file name can have")


def _document(filename: object, content: object) -> dict[str, str]:
    if not isinstance(filename, str) or not filename or "/" in filename or "\\" in filename:
        raise InvalidArgumentError("attachments: a filename must be a plain name, such as 'passport.pdf'")
    if not isinstance(content, bytes):
        raise InvalidArgumentError("attachments: content must be bytes or a file opened in binary mode")
    if not content:
        raise InvalidArgumentError("attachments: a file is empty")
    return {"data": base64.b64encode(content).decode("ascii"), "filename": text(filename, "attachments: a filename")}


publish("persona_cases", Upload)

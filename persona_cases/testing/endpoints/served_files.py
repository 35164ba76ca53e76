"""Attached files, served under URLs with an access token.

See https://docs.withpersona.com/downloading-files.
"""

from __future__ import annotations

from collections.abc import Mapping

from persona_cases.testing.http.problems import AnsweredError, forbidden, method_not_allowed, not_found
from persona_cases.testing.http.traffic import Answer, ReceivedRequest
from persona_cases.testing.world.file_links import FILES_ROOT, FileSigner
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import StoredFile

__all__ = ["file_answer", "media_type"]

_TYPES: Mapping[str, str] = {
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}


def media_type(filename: str) -> str | None:
    """Return the media type of a PDF or an image, by its extension; None for other files."""
    stem, _, ending = filename.rpartition(".")
    return _TYPES.get(ending.lower()) if stem else None


def file_answer(request: ReceivedRequest, store: CaseStore, signer: FileSigner) -> Answer:
    """Respond to the download of an attachment; the token in its URL is the only permission that it needs."""
    try:
        file = _find(request, store, signer)
    except AnsweredError as problem:
        return Answer.json(problem.status, problem.document(), {})
    kind = media_type(file.filename) or "application/octet-stream"
    return Answer(200, {"Content-Type": kind}, store.file_content(file))


def _find(request: ReceivedRequest, store: CaseStore, signer: FileSigner) -> StoredFile:
    if request.method != "GET":
        raise method_not_allowed(request.method, ["GET"])
    token = signer.token(request.params.get("access_token", ""))
    if token is None:
        raise forbidden("The access token is not valid, or has expired")
    file = store.file(token)
    if file is None or request.path != FILES_ROOT + file.filename:
        raise not_found()
    return file

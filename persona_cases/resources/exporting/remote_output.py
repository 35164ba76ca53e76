"""Outputs at a URL: written to a temporary file, and uploaded by fsspec once they are complete."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.packages import required
from persona_cases.export.threads import off_loop

__all__ = ["local_output"]

T = TypeVar("T")

_READ_ONLY: Final = frozenset({"http", "https"})


class _RemoteFile(msgspec.Struct, frozen=True):
    """A file that fsspec can write.

    Attributes:
        store: the file system of fsspec.
        path: the path in it.
    """

    store: Any
    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def upload(self, directory: Path) -> None:
        """Upload the files of a directory; the output comes last, so whoever sees it finds the others next to it."""
        for file in sorted(directory.iterdir(), key=lambda each: each.name == self.name):
            self.store.put_file(str(file), f"{self.path.removesuffix(self.name)}{file.name}")


@asynccontextmanager
async def local_output(to: T, without_effect: Mapping[str, bool]) -> AsyncGenerator[T | Path]:
    """Yield where to write an output, and upload it after that if it is to be at a URL.

    Args:
        to: a URL, or anything else, which is yielded as it is.
        without_effect: the arguments that a URL makes meaningless, and whether they were given.

    Raises:
        InvalidArgumentError: if the URL cannot be written, or one of these arguments is given with it.
        OSError: if the upload fails. It names the directory in which the complete file is kept.
    """
    if not isinstance(to, str) or "://" not in to:
        yield to
        return
    remote = await off_loop(_remote_file, to)
    if isinstance(remote, Path):
        yield remote
        return
    for argument, given in without_effect.items():
        if given:
            raise InvalidArgumentError(
                f"{argument} has no effect because an export to a URL always starts from the beginning, and replaces "
                "what is there: leave it out"
            )
    directory = Path(await off_loop(tempfile.mkdtemp, prefix="persona-cases-"))
    try:
        yield directory / remote.name
    except BaseException:
        await off_loop(shutil.rmtree, directory, ignore_errors=True)
        raise
    try:
        await off_loop(_upload, remote, directory)
    except asyncio.CancelledError:
        # Nobody would learn where the file is.
        await off_loop(shutil.rmtree, directory, ignore_errors=True)
        raise


def _upload(remote: _RemoteFile, directory: Path) -> None:
    try:
        remote.upload(directory)
    except Exception as error:  # noqa: BLE001 - each file store has errors of its own
        number, reason = _reason(error)
    else:
        shutil.rmtree(directory, ignore_errors=True)
        return
    # The caught error may hold credentials, and would become the context of this one.
    raise OSError(number, f"all cases were exported, but the upload failed ({reason}): the file is kept in {directory}")


def _reason(error: Exception) -> tuple[int, str]:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno, os.strerror(error.errno)
    return errno.EIO, type(error).__name__


def _remote_file(url: str) -> _RemoteFile | Path:
    """Return the file at a URL; a path if it is a file of this machine.

    Raises:
        InvalidArgumentError: if there can be no file.
    """
    core = required("fsspec.core", "writing to a URL needs fsspec", "fsspec")
    try:
        store, path = core.url_to_fs(url)
    except ImportError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - each file store has errors of its own
        reason = f"fsspec cannot open a file store for this URL ({type(error).__name__})"
    else:
        protocols = {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)
        if "file" in protocols:
            return Path(path)
        remote = _RemoteFile(store, str(path))
        if protocols & _READ_ONLY:
            reason = "files cannot be uploaded by http: give the URL of a file store, such as s3://bucket/cases.jsonl"
        elif not remote.name or url.endswith("/"):
            reason = "the URL names no file: add a name such as cases.jsonl to it"
        else:
            return remote
    raise InvalidArgumentError(f"to: {reason}")

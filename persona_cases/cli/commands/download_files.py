"""The work of `download`: the files that are attached to a case."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import attrs
import typer

from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection
from persona_cases.cli.running import report
from persona_cases.cli.screen.error_lines import NoSuchFileError
from persona_cases.cli.screen.file_progress import shown_file_progress
from persona_cases.cli.screen.output import stdout_bytes
from persona_cases.cli.screen.terminal import visible
from persona_cases.errors import InvalidArgumentError, NotFoundError, PersonaError
from persona_cases.export.attachments.file_names import safe_names
from persona_cases.export.wording import duration, plural, size
from persona_cases.models import Attachment

__all__ = ["FileChoice", "download_files"]


@attrs.frozen(kw_only=True)
class FileChoice:
    """The files to download, and their directory.

    Attributes:
        case_id: the case.
        directory: where to put the files; created if missing.
        name: the name of the files to download; None for all.
        overwrite: whether to replace existing files.
        fail_on_missing: whether a case without files is an error.
    """

    case_id: str
    directory: Path
    name: str | None = None
    overwrite: bool = False
    fail_on_missing: bool = False

    def targets(self, attachments: Iterable[Attachment]) -> list[tuple[Attachment, Path]]:
        """Create the directory, and return each attachment with its path.

        Raises:
            NoSuchFileError: if no file has the name, or there must be files and are none.
            InvalidArgumentError: if a file already exists, or the directory cannot be created.
        """
        wanted = [each for each in attachments if self.name is None or each.filename == self.name]
        if self.name is not None and not wanted:
            raise NoSuchFileError("the case has no attachment with this name")
        paths = [self.directory / name for name in safe_names(each.filename for each in wanted)]
        if self.fail_on_missing and not wanted:
            raise NoSuchFileError("the case has no attachments")
        there = [number for number, path in enumerate(paths, start=1) if path.exists() or path.is_symlink()]
        if there and not self.overwrite:
            # File names often contain names of people, so they are not shown.
            which = f"file {there[0]} of {len(paths)}"
            raise InvalidArgumentError(f"--to: {which} already exists in the directory: give --overwrite to replace it")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(f"--to: cannot write to the directory: {error.strerror}") from None
        return list(zip(wanted, paths, strict=True))


async def download_files(download: FileChoice, connection: Connection) -> ExitCode:
    """Download files, and print the path of each when it is complete."""
    async with connected(connection) as there:
        case = await there.persona.cases.get(download.case_id, only=["attachments"])
        targets = download.targets(case.attachments)
        started, code, sizes = time.monotonic(), ExitCode.OK, list[int]()
        with shown_file_progress(live=not connection.verbose) as follow:
            for number, (attachment, path) in enumerate(targets, start=1):
                which = f"file {number} of {len(targets)}"
                try:
                    await there.persona.cases.download(attachment, path, on_progress=follow(which))
                except PersonaError as error:
                    code = report(error, subject=which, verbose=connection.verbose)
                    if not isinstance(error, NotFoundError):
                        return code
                    continue
                stdout_bytes().write(os.fsencode(path) + b"\n")
                stdout_bytes().flush()
                sizes.append(path.stat().st_size)
    of = f"{len(sizes)} of " if code else ""
    done = f"{of}{plural(len(targets), 'file')} ({size(sum(sizes))}) to {visible(str(download.directory))}"
    typer.echo(f"downloaded {done} in {duration(time.monotonic() - started)}", err=True)
    return code

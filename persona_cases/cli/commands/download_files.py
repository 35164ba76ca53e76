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

__all__ = ["Download", "download_files"]


@attrs.frozen(kw_only=True)
class Download:
    """Which files to download, and where to.

    Attributes:
        case_id: the case that they are attached to.
        directory: where to put them; made if it is not there.
        name: the name of those to download; None for all.
        overwrite: whether files that are there may be replaced.
        fail_on_missing: whether a case without files is a failure.
    """

    case_id: str
    directory: Path
    name: str | None = None
    overwrite: bool = False
    fail_on_missing: bool = False

    def targets(self, attachments: Iterable[Attachment]) -> list[tuple[Attachment, Path]]:
        """Return what to download, each with the path to write, and make the directory.

        Raises:
            NoSuchFileError: if a name is asked for, and no file has it, or if files must be there, and are not.
            InvalidArgumentError: if a file is in the way, or the directory cannot be made.
        """
        wanted = [each for each in attachments if self.name is None or each.filename == self.name]
        if self.name is not None and not wanted:
            raise NoSuchFileError("the case has no attachment of that name")
        paths = [self.directory / name for name in safe_names(each.filename for each in wanted)]
        if self.fail_on_missing and not wanted:
            raise NoSuchFileError("the case has no attachments")
        there = [number for number, path in enumerate(paths, start=1) if path.exists() or path.is_symlink()]
        if there and not self.overwrite:
            # The names of files are often those of people.
            which = f"file {there[0]} of {len(paths)}"
            raise InvalidArgumentError(f"--to: {which} already exists in the directory: give --overwrite to replace it")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(f"--to: cannot write to the directory: {error.strerror}") from None
        return list(zip(wanted, paths, strict=True))


async def download_files(download: Download, connection: Connection) -> ExitCode:
    """Download files, and print the path of each once it is complete."""
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

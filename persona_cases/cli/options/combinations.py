"""Checks for options that have no effect together, so that nothing a user asks for is ignored: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from persona_cases.cli.options.option_groups import (
    Connection,
    FileShape,
    Format,
    Paging,
    Shape,
    Watching,
)
from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.target import FileFormat, Target

__all__ = ["check_connection", "check_file", "check_included", "check_paging", "check_watching"]

_CUSTOM_FIELDS: Final = "fields"


def check_connection(options: Connection) -> None:
    """Check the options of the connection.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if options.simulator and options.base_url is not None:
        raise InvalidArgumentError("give --simulator or --base-url, not both")
    if not options.simulator and (options.cases is not None or options.seed is not None):
        raise InvalidArgumentError("--cases and --seed describe a simulator: add --simulator")
    if options.simulator and (options.allow_http or options.proxy is not None or options.ca_file is not None):
        raise InvalidArgumentError(
            "--proxy, --ca-file and --allow-http have no effect with --simulator: leave them out"
        )


def check_paging(paging: Paging, shape: Shape) -> None:
    """Check the options of a search or a list.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if paging.after is not None and paging.before is not None:
        raise InvalidArgumentError("give --after or --before, not both")
    if paging.explain and shape.output is not None:
        raise InvalidArgumentError("--explain prints no cases: leave out --output")


def check_watching(watching: Watching) -> None:
    """Check the options of `watch`.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if watching.interval > watching.max_interval:
        raise InvalidArgumentError("--interval is longer than --max-interval: give a longer --max-interval as well")


def check_included(include: str | None, shape: Shape) -> None:
    """Check the options of `get`.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if include is not None and shape.output is Format.TABLE:
        raise InvalidArgumentError("a table does not show what --include loads: choose another --output")


def check_file(shape: FileShape, target: Target, *, in_order: bool, to_stdout: bool, only: list[str] | None) -> None:
    """Check the options of an export.

    Args:
        shape: the options.
        target: path, format and compression of the file.
        in_order: whether pages are fetched one after another, which cannot be resumed.
        to_stdout: whether the cases go to stdout.
        only: names of the attributes to load; None for all.

    Raises:
        InvalidArgumentError: if one of the options has no effect or is not possible.
    """
    if in_order and shape.consistency == "fresh":
        raise InvalidArgumentError("--consistency fresh is not possible with -o -, --sort or --limit: leave them out")
    about_resuming = {"--restart": shape.restart, "--resume-max-age": shape.resume_max_age is not None}
    if in_order and (name := _first_given(about_resuming)):
        raise InvalidArgumentError(
            f"{name} has no effect with -o -, --sort or --limit, which always start from the beginning: leave it out"
        )
    if all(about_resuming.values()):
        raise InvalidArgumentError("--resume-max-age has no effect with --restart: leave one of them out")
    if shape.overwrite and (to_stdout or target.format is not FileFormat.SQLITE):
        raise InvalidArgumentError("--overwrite has no effect because only SQLite files need it: leave it out")
    if to_stdout and not target.is_stream:
        raise InvalidArgumentError(f"{target.format} cannot be written to stdout: name a file with --output-file")
    if to_stdout and shape.undecodable == "set_aside":
        raise InvalidArgumentError("--undecodable set_aside writes a second file beside the output: name it with -o")
    if to_stdout and shape.manifest:
        raise InvalidArgumentError("--manifest writes a second file beside the output: name it with -o")
    about_columns = {
        "--columns-from": shape.columns_from is not None,
        "--column-style": shape.column_style is not None,
        "--raw": shape.raw,
    }
    if target.format is FileFormat.JSON_LINES and (name := _first_given(about_columns)):
        raise InvalidArgumentError(f"{name} needs a table: choose csv, parquet or sqlite")
    if shape.columns_from is not None and only is not None and not any(map(_is_custom, only)):
        raise InvalidArgumentError("--columns-from has no effect because --only names no custom field: leave it out")
    if shape.fail_on_missing and shape.attachments is None:
        raise InvalidArgumentError("--fail-on-missing has no effect without --attachments: add it")


def _first_given(options: Mapping[str, bool]) -> str | None:
    return next((name for name, given in options.items() if given), None)


def _is_custom(name: str) -> bool:
    return name.partition(".")[0] == _CUSTOM_FIELDS

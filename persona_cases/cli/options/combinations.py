"""Options that have no effect together are refused, so that nothing a user asks for is ignored: pure."""

from __future__ import annotations

from typing import Final

from persona_cases.cli.options.option_groups import (
    Connection,
    ConsistencyChoice,
    FileShape,
    Format,
    Shape,
    UndecodableChoice,
    Walk,
    Watching,
)
from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.target import FileFormat, Target

__all__ = ["check_connection", "check_file", "check_included", "check_pace", "check_walk"]

_CUSTOM_FIELDS: Final = "fields"


def check_connection(options: Connection) -> None:
    """Check options that say whom to ask.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if options.simulator and options.base_url is not None:
        raise InvalidArgumentError("give --simulator or --base-url, not both")
    if not options.simulator and (options.cases is not None or options.seed is not None):
        raise InvalidArgumentError("--cases and --seed describe a simulator: add --simulator")
    if options.simulator and (options.allow_http or options.proxy is not None or options.ca_file is not None):
        raise InvalidArgumentError(
            "--proxy, --ca-file and --allow-http are for a server elsewhere: leave them out with --simulator"
        )


def check_walk(walk: Walk, shape: Shape) -> None:
    """Check the options of a search or a list.

    Raises:
        InvalidArgumentError: if one of them would have no effect.
    """
    if walk.after is not None and walk.before is not None:
        raise InvalidArgumentError("give --after or --before, not both")
    if walk.explain and shape.output is not None:
        raise InvalidArgumentError("--explain prints no cases: leave out --output")


def check_pace(watching: Watching) -> None:
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
        target: what is to be written.
        in_order: whether it is one walk in order, which cannot be resumed.
        to_stdout: whether it goes to stdout.
        only: the names of the attributes to load, if not all.

    Raises:
        InvalidArgumentError: if one of the options would have no effect, or cannot be had.
    """
    if in_order and shape.consistency is ConsistencyChoice.FRESH:
        raise InvalidArgumentError("--consistency fresh needs a file, without --sort and --limit")
    about_resuming = {"--restart": shape.restart, "--resume-max-age": shape.resume_max_age is not None}
    if in_order and (name := next((name for name, given in about_resuming.items() if given), None)):
        raise InvalidArgumentError(
            f"{name} has no effect with -o -, --sort or --limit, which always start from the beginning: leave it out"
        )
    if all(about_resuming.values()):
        raise InvalidArgumentError("--restart resumes nothing: leave out --resume-max-age")
    if shape.overwrite and (to_stdout or target.format is not FileFormat.SQLITE):
        raise InvalidArgumentError("--overwrite is about SQLite files, others are replaced without it: leave it out")
    if to_stdout and not target.is_stream:
        raise InvalidArgumentError(f"{target.format} cannot be written to stdout: name a file with --output-file")
    if to_stdout and shape.undecodable is UndecodableChoice.SET_ASIDE:
        raise InvalidArgumentError("--undecodable set_aside writes a file beside the output: name one with -o")
    if to_stdout and shape.manifest:
        raise InvalidArgumentError("--manifest writes a file beside the output: name one with -o")
    if shape.columns_from is not None and target.format is FileFormat.JSON_LINES:
        raise InvalidArgumentError("--columns-from needs a table: choose csv, parquet or sqlite")
    if shape.columns_from is not None and only is not None and not any(map(_is_custom, only)):
        raise InvalidArgumentError("--columns-from describes custom fields, but the chosen attributes have none")
    if shape.fail_on_missing and shape.attachments is None:
        raise InvalidArgumentError("--fail-on-missing is about attachments: add --attachments")


def _is_custom(name: str) -> bool:
    return name.partition(".")[0] == _CUSTOM_FIELDS

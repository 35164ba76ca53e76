"""`ExportRequest`: the arguments of an export, checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, get_args

import attrs

from persona_cases import models
from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.packages import check_available
from persona_cases.export.formats.replacing import check_replaceable
from persona_cases.export.formats.target import ColumnStyle, FileFormat, Target
from persona_cases.export.manifest_file import account_path
from persona_cases.export.progress import OnProgress
from persona_cases.export.provenance import Provenance
from persona_cases.export.sinks import AtomicFile, Sink
from persona_cases.export.stream_output import StreamOutput
from persona_cases.protocol.checks import flag, one_of, seconds, whole_number
from persona_cases.query import Predicate, Q, Sort
from persona_cases.query.entry import as_predicate
from persona_cases.query.relative import as_written
from persona_cases.resources.reading.searches import Search
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.argument_checks import callback, file_path

if TYPE_CHECKING:
    from persona_cases.export.columns.choice import ColumnChoice
    from persona_cases.export.columns.column import Column

__all__ = ["ATTACHMENTS", "OLDEST_FIRST", "Consistency", "ExportRequest", "FilePath", "Undecodable"]

ATTACHMENTS: Final = "attachments"
OLDEST_FIRST: Final = Q.created_at.asc()
_DEFAULT_MAX_AGE: Final = 6 * 3600.0

FilePath: TypeAlias = str | os.PathLike[str]

Undecodable: TypeAlias = Literal["raise", "set_aside"]
"""What an export does with a case that cannot be decoded: raise an error, or write the case to a file beside the
output."""

Consistency: TypeAlias = Literal["search", "fresh"]
"""The view of an export: search results, which are stale by about a minute, or the current list."""


def _is_path(value: object) -> bool:
    return isinstance(value, (str, os.PathLike))


def _destination(to: object) -> FilePath | Sink | StreamOutput:
    if hasattr(to, "write") and not _is_path(to):
        return to if isinstance(to, Sink) else StreamOutput(to)
    file_path(to, "to")
    return cast("FilePath", to)


def _names(only: object) -> tuple[str, ...] | None:
    return None if only is None else tuple(parameters.names(only, "only", "['status', 'fields.priority']"))


def _columns(columns: object) -> tuple[Column, ...]:
    given = columns
    if isinstance(given, tuple) and not given:
        return ()
    from persona_cases.export.columns.choice import ColumnChoice  # noqa: PLC0415 - lines have no columns

    return ColumnChoice.declared_by(columns)


def _age(resume_max_age: object) -> float | None:
    return None if resume_max_age is None else seconds(resume_max_age, "resume_max_age", least=0)


def _checked(check: Callable[[Any, str], object]) -> Any:
    """Make a validator of a check that takes a value and the name of its argument."""

    def validate(_: object, argument: attrs.Attribute[Any], value: object) -> None:
        check(value, argument.name)

    return validate


def _one_of(choices: object) -> Any:
    return _checked(partial(one_of, choices=get_args(choices)))


def _target(request: ExportRequest) -> Target:
    is_sink = request.path is None and not isinstance(request.to, StreamOutput)
    if is_sink and (request.format is not None or request.compression is not None):
        raise InvalidArgumentError(
            "format and compression have no effect because a sink gets the cases as they come: leave them out"
        )
    target = Target.of(request.path or "", request.format, request.compression)
    check_available(target)
    if request.path is None and not target.is_stream:
        raise InvalidArgumentError(f"to: {target.format} needs a seekable file: pass a path")
    return target


def _check_effects(request: ExportRequest) -> None:
    """Raise for arguments that would have no effect."""
    if request.path is None:
        for argument, given in (("manifest=True", request.manifest), ("undecodable='set_aside'", request.sets_aside)):
            if given:
                raise InvalidArgumentError(f"{argument} writes a file beside the output: pass a path as to")
        if request.overwrite:
            raise InvalidArgumentError(
                "overwrite has no effect because a stream or a sink replaces no file: leave it out, or pass a path"
            )
    for argument, given in (("restart", request.restart), ("resume_max_age", request.resume_max_age is not None)):
        if given and request.in_order:
            raise InvalidArgumentError(
                f"{argument} has no effect because an export to a stream or a sink, or with sort or limit, always "
                "starts from the beginning: leave it out"
            )
    about_columns = {
        "columns": bool(request.columns),
        "column_style": request.column_style != "dotted",
        "raw": request.raw,
    }
    for argument, given in about_columns.items():
        if given and request.target.format is FileFormat.JSON_LINES:
            raise InvalidArgumentError(f"{argument} has no effect because only tables have columns: leave it out")


@attrs.frozen(kw_only=True)
class ExportRequest:
    """The arguments of `cases.export`, which has their description.

    Attributes:
        target: the format; for a sink, plain JSON Lines.
        began: when the export began, by the system clock.

    Raises:
        InvalidArgumentError: if an argument is invalid, or a combination of arguments is.
        QueryError: if no search can evaluate the expression.
    """

    to: FilePath | Sink | StreamOutput = attrs.field(converter=_destination)
    where: Predicate | None
    sort: Sort | None
    only: tuple[str, ...] | None = attrs.field(converter=_names)
    limit: int | None
    on_progress: OnProgress | None = attrs.field(validator=_checked(callback))
    format: str | None
    compression: str | None
    columns: tuple[Column, ...] = attrs.field(converter=_columns)
    column_style: ColumnStyle = attrs.field(validator=_one_of(ColumnStyle))
    raw: bool = attrs.field(validator=_checked(flag))
    max_searches: int
    restart: bool = attrs.field(validator=_checked(flag))
    resume_max_age: float | None = attrs.field(converter=_age)
    overwrite: bool = attrs.field(validator=_checked(flag))
    consistency: Consistency = attrs.field(validator=_one_of(Consistency))
    attachments: FilePath | None
    undecodable: Undecodable = attrs.field(validator=_one_of(Undecodable))
    manifest: bool = attrs.field(validator=_checked(flag))
    began: datetime = attrs.field(factory=partial(datetime.now, UTC), init=False)
    target: Target = attrs.field(default=attrs.Factory(_target, takes_self=True), init=False)

    def __attrs_post_init__(self) -> None:
        _check_effects(self)
        if self.path is not None:
            check_replaceable(self.path, self.target, overwrite=self.overwrite)
            if self.manifest:
                AtomicFile.check(account_path(self.path))
        if self.attachments is not None:
            file_path(self.attachments, "attachments")
            if self.loaded is not None and ATTACHMENTS not in self.loaded:
                raise InvalidArgumentError("attachments are found through the attribute of that name: add it to only")
        if self.limit is not None:
            whole_number(self.limit, "limit", least=0)
        if not self.fresh:
            # Each way to fetch the cases plans its own searches. Raise before that for expressions that no search can
            # evaluate.
            sort = OLDEST_FIRST if self.sort is None else self.sort
            Search.of(self.where, sort, self.max_searches, None).loading(self.loaded)
        elif self.in_order:
            raise InvalidArgumentError("consistency='fresh' needs a file: pass a path as to, without sort and limit")

    @property
    def max_age(self) -> float:
        """Maximum age of an unfinished export that is resumed, in seconds."""
        return _DEFAULT_MAX_AGE if self.resume_max_age is None else self.resume_max_age

    @property
    def path(self) -> FilePath | None:
        """The path of the output file; None for a sink or a stream."""
        return self.to if isinstance(self.to, (str, os.PathLike)) else None

    @property
    def in_order(self) -> bool:
        """Whether the cases are fetched page by page, so that the export cannot be resumed."""
        return self.path is None or self.sort is not None or self.limit is not None

    @property
    def fresh(self) -> bool:
        """Whether the export reads the list instead of searching."""
        return self.consistency == "fresh"

    @property
    def sets_aside(self) -> bool:
        """Whether undecodable cases go to a file of their own."""
        return self.undecodable == "set_aside"

    @property
    def loaded(self) -> tuple[str, ...] | None:
        """The attributes to load; None for all."""
        return None if self.only is None else models.Fieldset.of(self.only).names

    @property
    def choice(self) -> ColumnChoice:
        """The columns of a table."""
        from persona_cases.export.columns.choice import ColumnChoice  # noqa: PLC0415 - lines have no columns

        return ColumnChoice.of(self.only, self.columns, raw=self.raw)

    def settings(self, api_version: str) -> dict[str, Any]:
        """Return the settings that determine the content of the file, as plain JSON, for an export that can be resumed.

        Args:
            api_version: the version of the API.
        """
        return {
            "where": None if self.where is None else as_written(as_predicate(self.where, "where")),
            "consistency": self.consistency,
            "version": api_version,
            "only": None if self.only is None else list(self.only),
            "columns": list(map(repr, self.columns)),
            "column_style": self.column_style,
            "raw": self.raw,
            "format": self.target.format.value,
            "compression": self.target.compression.value,
        }

    def provenance(self, api_version: str) -> Provenance:
        """Return the provenance of the file, if its cases are fetched page by page.

        Args:
            api_version: the version of the API.
        """
        settings = {
            "where": None if self.where is None else self.where.to_dict(),
            "sort": None if self.sort is None else f"{self.sort.attribute}:{self.sort.direction}",
            "only": None if self.only is None else list(self.only),
            "columns": list(map(repr, self.columns)),
            "column_style": self.column_style,
            "raw": self.raw,
            "limit": self.limit,
            "version": api_version,
        }
        return Provenance(settings=settings, library=version("persona-cases"), snapshot_at=self.began)

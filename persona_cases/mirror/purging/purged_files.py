"""The files of earlier exports at given paths, from which redacted cases are erased."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import ClassVar, Final, Protocol

from persona_cases.errors import InvalidArgumentError
from persona_cases.export.formats.packages import check_available
from persona_cases.export.formats.target import FileFormat, Target
from persona_cases.export.rejects import REJECTED
from persona_cases.mirror.purging.left_behind import MissingFile, left_beside
from persona_cases.mirror.purging.purged_attachments import PurgedAttachments
from persona_cases.mirror.purging.purged_text import PurgedCsv, PurgedLines
from persona_cases.mirror.purging.redacted_rows import Holding

__all__ = ["PurgedFile", "purged_files"]

_UNFINISHED: Final = ".export"


class PurgedFile(Protocol):
    """A file of an earlier export, or a directory of attached files."""

    is_there: ClassVar[bool]
    """Whether the file exists, and not only leftovers of an interrupted export."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def settle(self) -> dict[Path, str]:
        """Remove leftovers of interrupted exports next to it, and return those that must stay, with the reasons."""
        ...

    def find(self, redacted: AbstractSet[str], /) -> Holding:
        """Return which of these cases are in the file."""
        ...

    def replace(self, redacted: Mapping[str, bytes], /) -> int:
        """Rewrite these cases as they are now, and return how many of them changed."""
        ...


def purged_files(paths: Iterable[str], attachments: str | None = None) -> list[PurgedFile]:
    """Return the files at these paths; for a directory, all exported files in it, at any depth.

    Args:
        paths: files, and directories of files.
        attachments: a directory of attached files, which are not exports, whatever their names.

    Raises:
        InvalidArgumentError: if a path does not exist, a file has an unknown extension, or a package that it needs is
            not installed.
    """
    attached = None if attachments is None else PurgedAttachments(Path(attachments))
    found = list[PurgedFile]([] if attached is None else [attached])
    for each in map(Path, paths):
        if each.is_dir():
            files = [path for path in sorted(each.rglob("*")) if path.is_file() and not _is_below(path, attached)]
            # Hidden files belong to unfinished exports.
            shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(each).parts)]
            found += [file for path in shown if (file := _in_dataset(path))]
            found += _unfinished(each)
        elif each.is_file():
            rejects = each.with_name(each.name + REJECTED)
            found += map(_file_at, [each, rejects] if rejects.is_file() else [each])
        elif left_beside(each):
            found.append(MissingFile(each))
        else:
            raise InvalidArgumentError(f"there is no file or directory at {each}: check the path")
    return found


def _is_below(path: Path, attached: PurgedAttachments | None) -> bool:
    return attached is not None and path.resolve().is_relative_to(attached.path.resolve())


def _unfinished(directory: Path) -> Iterator[MissingFile]:
    """Return the files of unfinished exports in a directory that do not exist yet."""
    for hidden in sorted(directory.rglob(f".*{_UNFINISHED}")):
        path = hidden.with_name(hidden.name.removeprefix(".").removesuffix(_UNFINISHED))
        if hidden.is_dir() and not path.exists():
            yield MissingFile(path)


def _in_dataset(path: Path) -> PurgedFile | None:
    try:
        Target.of(path)
    except InvalidArgumentError:
        return None
    return _file_at(path) if path.suffix else None


def _file_at(path: Path) -> PurgedFile:
    target = Target.of(path)
    check_available(target)
    match target.format:
        case FileFormat.JSON_LINES:
            return PurgedLines(path, target.compression, are_rejects=path.name.endswith(REJECTED))
        case FileFormat.CSV:
            return PurgedCsv(path, target.compression)
        case _:
            # SQLite takes time to load.
            from persona_cases.mirror.purging.purged_tables import PurgedParquet, PurgedSqlite  # noqa: PLC0415

            return PurgedParquet(path) if target.format is FileFormat.PARQUET else PurgedSqlite(path)

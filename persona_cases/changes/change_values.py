"""The changes: their arguments, checked, as they will be sent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, BinaryIO, Final, Protocol, Self, TypeAlias, cast, get_args

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.json_values import field_values
from persona_cases.models import UNSET, Unset
from persona_cases.protocol.checks import flag, sla_seconds, text, texts
from persona_cases.surface import publish

__all__ = [
    "AddComment",
    "AddObjects",
    "AddTag",
    "Assign",
    "Attachable",
    "Change",
    "RemoveObjects",
    "RemoveTag",
    "SetStatus",
    "SetTags",
    "Update",
    "Upload",
    "UploadedFile",
    "as_change",
]


class UploadedFile(Protocol):
    """A file that a browser sent, such as FastAPI's and Starlette's `UploadFile` and a `FileField` of aiohttp.web."""

    @property
    def filename(self) -> str | None:
        """The name that the browser gave."""
        ...

    @property
    def file(self) -> BinaryIO:
        """The content."""
        ...


@attrs.frozen
class Upload:
    """A file to attach.

    Attributes:
        filename: the name that the case will show; its extension, such as `.pdf` or `.png`, decides the file type.
        content: bytes, or a binary file object, which is read to the end.
    """

    filename: str = attrs.field(repr=False)
    content: bytes | BinaryIO = attrs.field(repr=False)

    @classmethod
    def from_upload_file(cls, file: UploadedFile) -> Self:
        """Make an upload from a file that a browser sent to a web service.

        The file is read from its beginning when the case is changed, so its request must still be open then.

        Args:
            file: an `UploadFile` of FastAPI or Starlette, or a `FileField` of aiohttp.web. Folders in its name are
                dropped.

        Returns:
            The upload.

        Raises:
            InvalidArgumentError: if the file has no name or is empty, which is a mistake of the browser's user.
        """
        name = re.split(r"[/\\]", file.filename or "")[-1]
        if not name:
            raise InvalidArgumentError("file: it has no name: ask for a file with one, such as 'passport.pdf'")
        if file.file.seek(0, os.SEEK_END) == 0:
            raise InvalidArgumentError("file: it is empty: ask for another")
        file.file.seek(0)
        return cls(name, file.file)


Attachable: TypeAlias = Upload | str | os.PathLike[str]
"""An attachment to add: the path of a file, or an `Upload`."""


def _hidden(value: object) -> str:
    """Show whether a value is set, but not the value itself: most are personal data."""
    return repr(value) if value is None or value is UNSET or value == () else "..."


def _email(email: str) -> str:
    return text(email, "email")


def _status(status: str) -> str:
    return text(status, "status")


def _message(message: str) -> str:
    return text(message, "message")


def _name(name: str | None) -> str | None:
    return None if name is None else text(name, "name")


def _tag_id(tag_id: str | None) -> str | None:
    return None if tag_id is None else text(tag_id, "tag_id")


def _names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(texts(names, "names", least=0))


def _tag_ids(tag_ids: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if tag_ids is None else tuple(texts(tag_ids, "tag_ids", least=0))


def _object_ids(object_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts(object_ids, "object_ids"))


def _fields(fields: Mapping[str, Any] | Unset) -> Mapping[str, Any] | Unset:
    return UNSET if fields is UNSET else field_values(fields)


def _queue(case_queue_id: str | Unset | None) -> str | Unset | None:
    return case_queue_id if case_queue_id is UNSET or case_queue_id is None else text(case_queue_id, "case_queue_id")


def _sla(sla_expires_in: timedelta | float | Unset | None) -> int | Unset | None:
    return sla_expires_in if sla_expires_in is UNSET or sla_expires_in is None else sla_seconds(sla_expires_in)


def _attachments(attachments: Iterable[Attachable]) -> tuple[Attachable, ...]:
    given = cast("object", attachments)
    if isinstance(given, (str, bytes, Upload, os.PathLike)) or not isinstance(given, Iterable):
        raise InvalidArgumentError("attachments must be a list of paths or of Upload(filename, content)")
    listed = tuple(cast("Iterable[object]", given))
    if not all(isinstance(each, (Upload, str, os.PathLike)) for each in listed):
        raise InvalidArgumentError("attachments: each must be a path or Upload(filename, content)")
    return cast("tuple[Attachable, ...]", listed)


def _repeatable(repeatable: bool) -> bool:  # noqa: FBT001 - the argument of a constructor
    return flag(repeatable, "repeatable")


@attrs.frozen
class Assign:
    """Assign a case to a user; see `persona.cases.assign`.

    Attributes:
        email: the email address of the user.

    Raises:
        InvalidArgumentError: if it is not a non-empty string.
    """

    email: str = attrs.field(converter=_email, repr=_hidden)


@attrs.frozen
class SetStatus:
    """Set the status of a case; see `persona.cases.set_status`.

    Attributes:
        status: any status of the case's template, spelled as in the template.

    Raises:
        InvalidArgumentError: if it is not a non-empty string.
    """

    status: str = attrs.field(converter=_status, repr=_hidden)


@attrs.frozen
class AddTag:
    """Add a tag to a case; see `persona.cases.add_tag`.

    Attributes:
        name: the name of the tag; an unknown name creates a tag.
        tag_id: or the id of the tag.

    Raises:
        InvalidArgumentError: if both or neither are given.
    """

    name: str | None = attrs.field(default=None, converter=_name, repr=_hidden)
    tag_id: str | None = attrs.field(default=None, converter=_tag_id, kw_only=True, repr=_hidden)

    def __attrs_post_init__(self) -> None:
        _check_one_tag(self.name, self.tag_id)


@attrs.frozen
class RemoveTag:
    """Remove a tag from a case; see `persona.cases.remove_tag`.

    Attributes:
        name: the name of the tag.
        tag_id: or the id of the tag.

    Raises:
        InvalidArgumentError: if both or neither are given.
    """

    name: str | None = attrs.field(default=None, converter=_name, repr=_hidden)
    tag_id: str | None = attrs.field(default=None, converter=_tag_id, kw_only=True, repr=_hidden)

    def __attrs_post_init__(self) -> None:
        _check_one_tag(self.name, self.tag_id)


def _check_one_tag(name: str | None, tag_id: str | None) -> None:
    if (name is None) == (tag_id is None):
        raise InvalidArgumentError("give either name or tag_id, to say which tag")


@attrs.frozen
class SetTags:
    """Give a case exactly these tags; see `persona.cases.set_tags`.

    Attributes:
        names: names of tags; unknown names create tags. An empty list removes all tags.
        tag_ids: ids of tags.

    Raises:
        InvalidArgumentError: if neither is given.
    """

    names: tuple[str, ...] | None = attrs.field(default=None, converter=_names, repr=_hidden)
    tag_ids: tuple[str, ...] | None = attrs.field(default=None, converter=_tag_ids, kw_only=True, repr=_hidden)

    def __attrs_post_init__(self) -> None:
        if self.names is None and self.tag_ids is None:
            raise InvalidArgumentError("give names or tag_ids, or both; names=[] removes all tags")


@attrs.frozen
class AddComment:
    """Add a comment to a case; see `persona.cases.add_comment`.

    Attributes:
        message: the text.

    Raises:
        InvalidArgumentError: if it is not a non-empty string.
    """

    message: str = attrs.field(converter=_message, repr=_hidden)


@attrs.frozen
class AddObjects:
    """Attach objects to a case; see `persona.cases.add_objects`.

    Attributes:
        object_ids: the ids of accounts, inquiries, reports and other objects, at least one.

    Raises:
        InvalidArgumentError: if it is not a list of ids.
    """

    object_ids: tuple[str, ...] = attrs.field(converter=_object_ids, repr=_hidden)


@attrs.frozen
class RemoveObjects:
    """Detach objects from a case; see `persona.cases.remove_objects`.

    Attributes:
        object_ids: the ids of the objects, at least one.

    Raises:
        InvalidArgumentError: if it is not a list of ids.
    """

    object_ids: tuple[str, ...] = attrs.field(converter=_object_ids, repr=_hidden)


@attrs.frozen(kw_only=True)
class Update:
    """Change fields, queue or SLA of a case, and attach files to it; see `persona.cases.update`.

    Attributes:
        fields: new values of custom fields by their keys; a value of None clears the field.
        case_queue_id: the queue to put the case in; None takes it out of its queue.
        sla_expires_in: time until its SLA expires, up to 90 days; a number is in seconds; None clears the SLA.
        attachments: PDF or image files to add: paths or `Upload` objects.
        repeatable: whether the client may retry the update even if an earlier attempt may have been carried out.

    Raises:
        InvalidArgumentError: if nothing is to be updated, or an argument is invalid.
    """

    fields: Mapping[str, Any] | Unset = attrs.field(default=UNSET, converter=_fields, repr=_hidden, hash=False)
    case_queue_id: str | Unset | None = attrs.field(default=UNSET, converter=_queue, repr=_hidden)
    sla_expires_in: int | Unset | None = attrs.field(default=UNSET, converter=_sla, repr=_hidden)
    attachments: tuple[Attachable, ...] = attrs.field(default=(), converter=_attachments, repr=_hidden)
    repeatable: bool = attrs.field(default=False, converter=_repeatable)

    def __attrs_post_init__(self) -> None:
        unset = all(each is UNSET for each in (self.fields, self.case_queue_id, self.sla_expires_in))
        if unset and not self.attachments:
            raise InvalidArgumentError("nothing to update: give fields, case_queue_id, sla_expires_in or attachments")
        if self.repeatable and self.attachments:
            raise InvalidArgumentError("repeatable: a repeated update would add the attachments twice: leave it out")


Change: TypeAlias = AddComment | AddObjects | AddTag | Assign | RemoveObjects | RemoveTag | SetStatus | SetTags | Update
"""Any change of one case: a closed union to `match` on."""

_KINDS: Final[tuple[type[Change], ...]] = get_args(Change)


def as_change(value: object, argument: str = "change") -> Change:
    """Return the change that a caller passed.

    Raises:
        InvalidArgumentError: if it is not a change; the message says what to write instead.
    """
    if isinstance(value, _KINDS):
        return value
    if isinstance(value, type) and issubclass(cast("type[object]", value), _KINDS):
        raise InvalidArgumentError(f"{argument} is the class {value.__name__}: make one, as in {value.__name__}(...)")
    raise InvalidArgumentError(
        f"{argument} must be a change of persona_cases.changes, such as SetStatus(...), not {type(value).__name__}"
    )


publish("persona_cases", Upload)
publish("persona_cases.changes", *_KINDS)

"""Writing cases, and what belongs to them, to stdout: as they come, in any form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Generic, Protocol, TypeVar

import msgspec
from rich.console import Console
from rich.highlighter import JSONHighlighter

from persona_cases.cli.options.option_groups import Format
from persona_cases.cli.screen.stdout_console import StdoutConsole
from persona_cases.cli.screen.table import CaseTable
from persona_cases.cli.screen.terminal import escaped, is_terminal
from persona_cases.models import Case

__all__ = ["Writer", "bare", "case_writer", "form_of", "json_writer", "stdout_bytes", "with_included"]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Writer(Protocol[T_contra]):
    """What prints cases, or anything else."""

    def write(self, items: Iterable[T_contra]) -> None:
        """Print some more."""
        ...

    def finish(self) -> None:
        """Print what comes after the last one. After an error it is left out, so that nothing looks complete."""
        ...


def form_of(chosen: Format | None, on_terminal: Format) -> Format:
    """Return the form to print in.

    Args:
        chosen: the form that was asked for, if any.
        on_terminal: the form for a terminal; anything else gets JSON Lines by default.
    """
    return chosen or (on_terminal if is_terminal(sys.stdout) else Format.JSONL)


def case_writer(
    form: Format, *, text: Callable[[Case], bytes] | None = None, columns: Sequence[str] | None = None
) -> Writer[Case]:
    """Return what prints cases to stdout.

    Args:
        form: the form to print them in.
        text: what to print of a case as JSON, on one line; by default what the API sent.
        columns: the attributes that were asked for; None for those that suit a table.
    """
    return CaseTable(StdoutConsole(), columns) if form is Format.TABLE else json_writer(form, text or bare)


def json_writer(form: Format, text: Callable[[T], bytes]) -> Writer[T]:
    """Return what prints JSON to stdout.

    Args:
        form: the form to print it in.
        text: the JSON text of an item, on one line.
    """
    match form:
        case Format.PRETTY:
            return PrettyDocuments(StdoutConsole(), text)
        case Format.JSON:
            return JsonArray(stdout_bytes(), text)
        case _:
            return JsonLines(stdout_bytes(), text)


def stdout_bytes() -> BinaryIO:
    """Return stdout for bytes."""
    return sys.stdout.buffer


def bare(case: Case) -> bytes:
    """Return a case exactly as the API sent it."""
    return case.raw_line


def with_included(case: Case) -> bytes:
    """Return a case with the objects that the answer included, in the shape of the API's answer."""
    included = msgspec.json.encode([each.to_dict() for each in case.included])
    return b'{"data":%b,"included":%b}' % (case.raw_line, included)


class JsonLines(Generic[T]):
    """A line each."""

    def __init__(self, stream: BinaryIO, text: Callable[[T], bytes]) -> None:
        self._stream = stream
        self._text = text

    def write(self, items: Iterable[T]) -> None:
        """Print some more lines."""
        self._stream.write(b"".join(self._text(item) + b"\n" for item in items))
        self._stream.flush()

    def finish(self) -> None:
        """Nothing comes after the last line."""


class JsonArray(Generic[T]):
    """One JSON array, a line each."""

    def __init__(self, stream: BinaryIO, text: Callable[[T], bytes]) -> None:
        self._stream = stream
        self._text = text
        self._before_next = b"[\n"

    def write(self, items: Iterable[T]) -> None:
        """Print some more elements."""
        for item in items:
            self._stream.write(self._before_next + self._text(item))
            self._before_next = b",\n"
        self._stream.flush()

    def finish(self) -> None:
        """Close the array."""
        self._stream.write(b"[]\n" if self._before_next == b"[\n" else b"\n]\n")
        self._stream.flush()


class PrettyDocuments(Generic[T]):
    """One indented JSON document after the other, in colour where there is any."""

    def __init__(self, console: Console, text: Callable[[T], bytes]) -> None:
        self._console = console
        self._text = text
        self._highlight = JSONHighlighter()

    def write(self, items: Iterable[T]) -> None:
        """Print some more documents."""
        for item in items:
            document = msgspec.json.format(self._text(item), indent=2).decode()
            self._console.print(self._highlight(escaped(document)), soft_wrap=True)

    def finish(self) -> None:
        """Nothing comes after the last document."""

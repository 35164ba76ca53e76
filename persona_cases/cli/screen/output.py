"""Writing cases and other documents to stdout as they arrive, in any form."""

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
    """Prints items to stdout."""

    def write(self, items: Iterable[T_contra]) -> None:
        """Print more items."""
        ...

    def finish(self) -> None:
        """Print what follows the last item. Not called after an error, so truncated output never looks complete."""
        ...


def form_of(chosen: Format | None, on_terminal: Format) -> Format:
    """Return the form to print in.

    Args:
        chosen: the form from the command line, if any.
        on_terminal: the default on a terminal. Elsewhere the default is JSON Lines.
    """
    return chosen or (on_terminal if is_terminal(sys.stdout) else Format.JSONL)


def case_writer(
    form: Format, *, text: Callable[[Case], bytes] | None = None, columns: Sequence[str] | None = None
) -> Writer[Case]:
    """Return a writer of cases to stdout.

    Args:
        form: the form to print them in.
        text: returns the JSON text of a case on one line; by default exactly what the API sent.
        columns: the columns of a table; None to choose columns that fit.
    """
    return CaseTable(StdoutConsole(), columns) if form is Format.TABLE else json_writer(form, text or bare)


def json_writer(form: Format, text: Callable[[T], bytes]) -> Writer[T]:
    """Return a writer of JSON to stdout.

    Args:
        form: the form to print it in.
        text: returns the JSON text of an item on one line.
    """
    match form:
        case Format.PRETTY:
            return PrettyDocuments(StdoutConsole(), text)
        case Format.JSON:
            return JsonArray(stdout_bytes(), text)
        case _:
            return JsonLines(stdout_bytes(), text)


def stdout_bytes() -> BinaryIO:
    """Return stdout as a binary stream."""
    return sys.stdout.buffer


def bare(case: Case) -> bytes:
    """Return a case exactly as the API sent it."""
    return case.raw_line


def with_included(case: Case) -> bytes:
    """Return a case with its included objects, in the shape of the API's response."""
    included = msgspec.json.encode([each.to_dict() for each in case.included])
    return b'{"data":%b,"included":%b}' % (case.raw_line, included)


class JsonLines(Generic[T]):
    """One item per line."""

    def __init__(self, stream: BinaryIO, text: Callable[[T], bytes]) -> None:
        self._stream = stream
        self._text = text

    def write(self, items: Iterable[T]) -> None:
        """Print more lines."""
        self._stream.write(b"".join(self._text(item) + b"\n" for item in items))
        self._stream.flush()

    def finish(self) -> None:
        """Do nothing: nothing follows the last line."""


class JsonArray(Generic[T]):
    """One JSON array, with one item per line."""

    def __init__(self, stream: BinaryIO, text: Callable[[T], bytes]) -> None:
        self._stream = stream
        self._text = text
        self._before_next = b"[\n"

    def write(self, items: Iterable[T]) -> None:
        """Print more items."""
        for item in items:
            self._stream.write(self._before_next + self._text(item))
            self._before_next = b",\n"
        self._stream.flush()

    def finish(self) -> None:
        """Close the array."""
        self._stream.write(b"[]\n" if self._before_next == b"[\n" else b"\n]\n")
        self._stream.flush()


class PrettyDocuments(Generic[T]):
    """Indented JSON documents, in color on a terminal."""

    def __init__(self, console: Console, text: Callable[[T], bytes]) -> None:
        self._console = console
        self._text = text
        self._highlight = JSONHighlighter()

    def write(self, items: Iterable[T]) -> None:
        """Print more documents."""
        for item in items:
            document = msgspec.json.format(self._text(item), indent=2).decode()
            self._console.print(self._highlight(escaped(document)), soft_wrap=True)

    def finish(self) -> None:
        """Do nothing: nothing follows the last document."""

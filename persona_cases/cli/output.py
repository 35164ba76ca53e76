"""Writing cases to stdout, page by page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Protocol

import msgspec
from rich.console import Console
from rich.highlighter import JSONHighlighter

from persona_cases.cli.options import Format
from persona_cases.cli.table import CaseTable
from persona_cases.cli.terminal import StdoutConsole, escaped, is_terminal
from persona_cases.models import Case

__all__ = ["CaseWriter", "bare", "case_writer", "stdout_bytes", "with_included"]

Text = Callable[[Case], bytes]
"""The JSON text of a case, on one line."""


class CaseWriter(Protocol):
    """What prints cases."""

    def write(self, cases: Iterable[Case]) -> None:
        """Print some more cases."""
        ...

    def finish(self) -> None:
        """Print what comes after the last case. After an error it is left out, so that nothing looks complete."""
        ...


def case_writer(chosen: Format | None, *, on_terminal: Format, text: Text, columns: Sequence[str] | None) -> CaseWriter:
    """Return what prints cases to stdout.

    Args:
        chosen: the format that was asked for, if any.
        on_terminal: the format for a terminal; anything else gets JSON Lines by default.
        text: what to print of a case as JSON.
        columns: the attributes that were asked for; None for those that suit a table.
    """
    match chosen or (on_terminal if is_terminal(sys.stdout) else Format.JSONL):
        case Format.TABLE:
            return CaseTable(StdoutConsole(), columns)
        case Format.PRETTY:
            return PrettyDocuments(StdoutConsole(), text)
        case Format.JSON:
            return JsonArray(stdout_bytes(), text)
        case Format.JSONL:
            return JsonLines(stdout_bytes(), text)


def stdout_bytes() -> BinaryIO:
    """Return stdout for bytes."""
    return sys.stdout.buffer


def bare(case: Case) -> bytes:
    """Return a case exactly as the API sent it."""
    return case.raw_line


def with_included(case: Case) -> bytes:
    """Return a case with the objects that the answer included, in the shape of the API's answer."""
    included = msgspec.json.encode([each.to_json() for each in case.included])
    return b'{"data":%b,"included":%b}' % (case.raw_line, included)


class JsonLines:
    """A line a case."""

    def __init__(self, stream: BinaryIO, text: Text) -> None:
        self._stream = stream
        self._text = text

    def write(self, cases: Iterable[Case]) -> None:
        """Print some more lines."""
        self._stream.write(b"".join(self._text(case) + b"\n" for case in cases))
        self._stream.flush()

    def finish(self) -> None:
        """Nothing comes after the last line."""


class JsonArray:
    """One JSON array, a line a case."""

    def __init__(self, stream: BinaryIO, text: Text) -> None:
        self._stream = stream
        self._text = text
        self._before_next = b"[\n"

    def write(self, cases: Iterable[Case]) -> None:
        """Print some more elements."""
        for case in cases:
            self._stream.write(self._before_next + self._text(case))
            self._before_next = b",\n"
        self._stream.flush()

    def finish(self) -> None:
        """Close the array."""
        self._stream.write(b"[]\n" if self._before_next == b"[\n" else b"\n]\n")
        self._stream.flush()


class PrettyDocuments:
    """One indented JSON document after the other, in colour where there is any."""

    def __init__(self, console: Console, text: Text) -> None:
        self._console = console
        self._text = text
        self._highlight = JSONHighlighter()

    def write(self, cases: Iterable[Case]) -> None:
        """Print some more documents."""
        for case in cases:
            document = msgspec.json.format(self._text(case), indent=2).decode()
            self._console.print(self._highlight(escaped(document)), soft_wrap=True)

    def finish(self) -> None:
        """Nothing comes after the last document."""

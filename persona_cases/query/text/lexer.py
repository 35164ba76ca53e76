"""The lexer of the text form, with hints for the syntax of other languages."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import attrs

from persona_cases.errors import QueryError
from persona_cases.query.values import Scalar

__all__ = ["Token", "at", "tokens_of"]

TokenKind: TypeAlias = Literal["text", "number", "span", "word", "operator", "mark", "end"]

_TOKEN: Final = re.compile(
    r"""
    \s+
    | (?P<text>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<span>\d+[smhdw](?!\w))
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))
    | (?P<word>[^\W\d]\w*)
    | (?P<slip>===|<>|=(?!=)|!(?!=))
    | (?P<operator>==|!=|<=|>=|<|>)
    | (?P<mark>[()\[\],.+-])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPED: Final = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}

_PLAIN_QUOTES: Final = "use plain quotation marks: ' or \""
_UNCLOSED: Final = "this quotation mark is never closed"
_SLIPS: Final = {
    "=": "write `==` for equal",
    "===": "write `==` for equal",
    "<>": "write `!=` for unequal",
    "!": "write `not`, or `!=` for unequal",
    "~": "write `not`",
    "&": "write `and`",
    "|": "write `or`",
    "'": _UNCLOSED,
    '"': _UNCLOSED,
    **dict.fromkeys("\u2018\u2019\u201a\u201c\u201d\u201e`", _PLAIN_QUOTES),
}


@attrs.frozen
class Token:
    """One word, mark or literal of the text.

    Attributes:
        kind: its kind; `end` comes after the last one.
        text: the text as written.
        start: its offset.
        value: the value of a literal.
    """

    kind: TokenKind
    text: str
    start: int
    value: Scalar = ""

    def is_word(self, *words: str) -> bool:
        """Return whether this is one of the words, unquoted."""
        return self.kind == "word" and self.text in words

    def is_mark(self, *marks: str) -> bool:
        """Return whether this is one of the marks: brackets, commas and dots."""
        return self.kind == "mark" and self.text in marks


def tokens_of(source: str) -> Iterator[Token]:
    """Split the text form into tokens, or raise an error that says which part is not a token."""
    for match in _TOKEN.finditer(source):
        written, start = match[0], match.start()
        match match.lastgroup:
            case None:
                continue
            case "text":
                yield Token("text", written, start, _unescaped(source, written, start))
            case "number":
                yield Token("number", written, start, _number(source, written, start))
            case "span":
                yield Token("span", written, start, _number(source, written[:-1], start))
            case "word" | "operator" | "mark" as kind:
                yield Token(kind, written, start)
            case "date":
                raise at(source, start, "a date must be quoted")
            case _:
                raise at(
                    source,
                    start,
                    _SLIPS.get(written, "this cannot stand here: quote it if it is a text"),
                )
    yield Token("end", "", len(source))


def at(source: str, start: int, reason: str, kind: type[QueryError] = QueryError) -> QueryError:
    """Return an error that names a line and column of the text, counted from 1."""
    before = source[:start]
    line, column = before.count("\n") + 1, start - before.rfind("\n")
    where = f"column {column}" if "\n" not in source else f"line {line}, column {column}"
    return kind(f"{where}: {reason}")


def _unescaped(source: str, written: str, start: int) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPED:
            return _ESCAPED[code]
        if len(code) > 1 and (point := int(code[1:], 16)) <= sys.maxunicode:
            return chr(point)
        raise at(source, start + 1 + match.start(), "unknown escape in a text; write \\\\ for a backslash")

    return _ESCAPE.sub(character, written[1:-1])


def _number(source: str, written: str, start: int) -> int | float:
    if re.match(r"-?0\d", written):
        raise at(source, start, "a number must not begin with 0; quote it if it is a text")
    try:
        return int(written) if written.lstrip("-").isdecimal() else float(written)
    except ValueError:
        raise at(source, start, "this number has too many digits") from None

"""The parser of the text form: `status == 'open' and not fields.priority in ['low']`.

A comparison is read sequentially, because nothing nests in it. Nesting (parentheses, `all`, `any`, `not`) is kept on a
list of open brackets, so no input can exhaust Python's stack. The text makes the same predicates as the same expression
written with `Q`: `and`, `or`, `not` are `&`, `|`, `~`, and the fields check their values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

import attrs

from persona_cases.errors import QueryError, QueryTypeError, UnknownAttributeError
from persona_cases.query.attributes import SEARCHABLE
from persona_cases.query.field import OrderedField, TimeField
from persona_cases.query.namespace import Q
from persona_cases.query.nodes import AllOf, AnyOf, Predicate
from persona_cases.query.relative import RelativeTime, moment_of
from persona_cases.query.text.lexer import Token, at, tokens_of
from persona_cases.query.values import Scalar
from persona_cases.surface import publish
from persona_cases.teaching import nearest, shortened

__all__ = ["parse"]

Value: TypeAlias = Scalar | RelativeTime
T = TypeVar("T")

_NO_NULL: Final = "the API has no null; times have is_set(resolved_at) and is_unset(resolved_at)"

# The method of a field for each operator, and for the operator with its sides swapped.
_METHODS: Final = {
    "==": ("eq", "eq"),
    "!=": ("ne", "ne"),
    "<": ("lt", "gt"),
    "<=": ("lte", "gte"),
    ">": ("gt", "lt"),
    ">=": ("gte", "lte"),
}
_BOOLS: Final = {"True": True, "true": True, "False": False, "false": False}
_NULLS: Final = frozenset({"None", "null", "NULL", "nil"})
_CLOCKS: Final = frozenset({"now", "today", "yesterday"})
_A_SPAN: Final = "a span is + or -, a whole number and a unit (s, m, h, d or w), such as now() - 7d"
_AN_OPERAND: Final = "an attribute or a value"
_AN_OPERATOR: Final = "an operator such as == or in"
_MEMBERSHIPS: Final = {"in": "in_", "not in": "not_in"}
_RESERVED: Final = {
    "and": "write `and` between two comparisons, in lower case",
    "or": "write `or` between two comparisons, in lower case",
    "not": "write `not` before a comparison, in lower case; after a value, write `not in`",
    "in": "write `in` between an attribute and a list, in lower case",
    "is": "there is no `is`: write == for equal",
    "like": "the API has no pattern matching: compare with ==, !=, <, <=, > or >=",
    "between": "there is no `between`: write low <= attribute < high",
}
_JUNCTIONS: Final[Mapping[str, type[AllOf | AnyOf]]] = {"all": AllOf, "any": AnyOf}
_TIME_TESTS: Final = frozenset({"is_set", "is_unset"})


def parse(text: str, *, now: datetime | None = None) -> Predicate:
    """Parse the text form of a search expression, a subset of Python's expression syntax.

    * Comparisons: `status == 'open'`, `!=`, `<`, `<=`, `>`, `>=`, `status in ['a', 'b']`, `not in`, and chains such as
      `'2025-01-01' <= created_at < '2026-01-01'`.
    * Attributes: `created_at`, `fields.priority`, `fields['any key']`, and `attribute('name')` for one newer than this
      library.
    * Values: quoted strings, numbers, `True` and `False` (or `true` and `false`).
    * Combinations: `and`, `or`, `not`, parentheses; `all([...])` and `any([...])` make one node of exactly their parts,
      whereas `and` and `or` merge nodes of their own kind.
    * `is_set(resolved_at)` and `is_unset(resolved_at)` for times.
    * Relative times: `created_at >= now() - 7d`, `today()`, `yesterday()`, with the units s, m, h, d and w. Days begin
      at midnight UTC, or in a given zone: `today('Europe/Berlin')`. For a custom field, a day is its date.

    Relative times become fixed times when the text is parsed, all from the same `now`. Nothing is ever evaluated as
    Python. `parse(str(predicate)) == predicate` for every predicate.

    Args:
        text: the expression.
        now: the time to which relative times refer, an aware datetime. Default: the time of the call.

    Returns:
        The expression.

    Raises:
        QueryError: if the text cannot be parsed; the message names the column and says what to write.
        QueryTypeError: if `text` is not a str, or `now` is not a datetime.
    """
    return _Parser(_require_text(text), moment_of("parse", now), moving=now is None).expression()


def _require_text(text: object) -> str:
    if not isinstance(text, str):
        raise QueryTypeError(f"parse reads a str, not {type(text).__name__}")
    if not text.strip():
        raise QueryError("the search expression is empty: write one such as status == 'open'")
    return text


def _zone_named(name: str) -> tzinfo:
    """Return the time zone with that name. On Windows, the IANA database is in the package `tzdata`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise QueryError("there is no such time zone: write one such as 'Europe/Berlin'") from None


@attrs.frozen
class _Operand:
    """One side of a comparison: an attribute, a value or a list of values, and its offset."""

    token: Token
    value: OrderedField[Any] | Value | tuple[Value, ...]


@attrs.define
class _Bracket:
    """An open parenthesis, an open list of `all([` or `any([`, or the whole text, with its parts so far."""

    opening: Token | None = None
    junction: type[AllOf | AnyOf] | None = None
    items: list[Predicate] = attrs.field(factory=list[Predicate])
    negations: int = 0
    conjunction: Predicate | None = None
    disjunction: Predicate | None = None

    def add(self, predicate: Predicate) -> None:
        for _ in range(self.negations):
            predicate = ~predicate
        self.negations = 0
        self.conjunction = predicate if self.conjunction is None else self.conjunction & predicate

    def end_conjunction(self) -> None:
        if self.conjunction is not None:
            joined = self.conjunction if self.disjunction is None else self.disjunction | self.conjunction
            self.disjunction, self.conjunction = joined, None

    def end_item(self) -> None:
        self.end_conjunction()
        if self.disjunction is not None:
            self.items.append(self.disjunction)
            self.disjunction = None

    def result(self) -> Predicate:
        self.end_item()
        return self.items[0] if self.junction is None else self.junction(self.items)


class _Parser:
    """The tokens, and the reading position."""

    def __init__(self, source: str, now: datetime, *, moving: bool) -> None:
        self._source = source
        self._now = now
        self._moving = moving
        self._tokens = list(tokens_of(source))
        self._next = 0

    def expression(self) -> Predicate:
        brackets = [_Bracket()]
        more = True
        while more:
            self._read_operand(brackets)
            more = self._read_operator(brackets)
        return brackets[0].result()

    def _read_operand(self, brackets: list[_Bracket]) -> None:
        """Read negations, opening marks, and then one comparison or an empty list."""
        while True:
            token = self._take()
            if token.is_word("not"):
                brackets[-1].negations += 1
            elif token.is_mark("("):
                brackets.append(_Bracket(token))
            elif token.is_word(*_JUNCTIONS) and self._peek().is_mark("("):
                self._expect("(")
                self._expect("[")
                brackets.append(_Bracket(token, _JUNCTIONS[token.text]))
                if self._peek().is_mark("]"):
                    return
            else:
                brackets[-1].add(self._comparison(token))
                return

    def _read_operator(self, brackets: list[_Bracket]) -> bool:
        """Read closing marks and then one `and`, `or` or comma; False at the end of the text."""
        while True:
            token, bracket = self._take(), brackets[-1]
            if token.is_word("and"):
                return True
            if token.is_word("or"):
                bracket.end_conjunction()
                return True
            if bracket.junction is not None and token.is_mark(","):
                bracket.end_item()
                if not self._peek().is_mark("]"):
                    return True
            elif bracket.opening is not None and token.is_mark(")" if bracket.junction is None else "]"):
                if bracket.junction is not None:
                    self._expect(")")
                brackets.pop()
                brackets[-1].add(bracket.result())
            elif token.kind != "end":
                raise self._misplaced(token, "`and`, `or` or the end")
            elif bracket.opening is not None:
                raise self._error(bracket.opening, "this bracket is never closed")
            else:
                return False

    def _comparison(self, token: Token) -> Predicate:
        if token.is_word(*_TIME_TESTS) and self._peek().is_mark("("):
            return self._time_test(token)
        left = self._operand(token)
        links: list[Predicate] = []
        while sign := self._sign():
            right = self._operand(self._take(), after=left)
            links.append(self._link(left, sign, right))
            left = right
        if not links:
            raise self._uncompared(left)
        return functools.reduce(lambda chain, link: chain & link, links)

    def _time_test(self, token: Token) -> Predicate:
        self._expect("(")
        operand = self._operand(self._take())
        self._expect(")")
        if not isinstance(operand.value, TimeField):
            raise self._error(operand.token, f"{token.text} takes a time attribute, such as resolved_at")
        return operand.value.is_set() if token.text == "is_set" else operand.value.is_unset()

    def _sign(self) -> str | None:
        token = self._peek()
        if token.kind == "operator" or token.is_word("in"):
            return self._take().text
        if token.is_word("not") and self._tokens[self._next + 1].is_word("in"):
            self._next += 2
            return "not in"
        return None

    def _link(self, left: _Operand, sign: str, right: _Operand) -> Predicate:
        match left.value, right.value:
            case OrderedField(), OrderedField():
                raise self._error(right.token, "one side must be a value: quote it if it is a text")
            case OrderedField() as field, tuple() as values if sign in _MEMBERSHIPS:
                return self._made(right, _MEMBERSHIPS[sign], field, values)
            case (_, tuple()) | (tuple(), _):
                raise self._error(right.token, "write an attribute, `in` or `not in`, and then a list")
            case _ if sign in _MEMBERSHIPS:
                raise self._error(right.token, "`in` needs a list, such as ['a', 'b']")
            case OrderedField() as field, value:
                return self._made(right, _METHODS[sign][0], field, value)
            case value, OrderedField() as field:
                return self._made(left, _METHODS[sign][1], field, value)
            case _:
                raise self._error(left.token, "one side of a comparison must be an attribute")

    def _made(self, operand: _Operand, method: str, field: OrderedField[Any], value: object) -> Predicate:
        make: Callable[[object], Predicate] = getattr(field, method)
        return self._checked(operand.token, functools.partial(make, value))

    def _operand(self, token: Token, after: _Operand | None = None) -> _Operand:
        if self._is_clock(token):
            return _Operand(token, self._relative_time(token))
        if token.kind == "word" and token.text not in _BOOLS:
            return _Operand(token, self._attribute(token, after))
        if token.is_mark("["):
            return _Operand(token, tuple(self._list()))
        return _Operand(token, self._literal(token))

    def _is_clock(self, token: Token) -> bool:
        return token.is_word(*_CLOCKS) and self._peek().is_mark("(")

    def _relative_time(self, token: Token) -> RelativeTime:
        """Read the rest of `now`, `today` or `yesterday`: the parentheses with a zone, and the spans after them."""
        time = self._clock(token, self._zone(token))
        while self._peek().is_mark("+", "-"):
            sign = -1 if self._take().text == "-" else 1
            span = self._take()
            if span.kind != "span":
                raise self._error(span, _A_SPAN)
            count = sign * cast("int", span.value)
            time = self._checked(span, functools.partial(time.shifted, count, span.text[-1]))
        if self._peek().kind in {"number", "span"}:
            raise self._error(self._peek(), _A_SPAN)
        return time

    def _zone(self, token: Token) -> tzinfo:
        self._expect("(")
        if self._peek().is_mark(")"):
            self._expect(")")
            return UTC
        name = self._take()
        if name.kind != "text":
            raise self._error(name, f"a time zone is quoted, such as {token.text}('Europe/Berlin')")
        if token.text == "now":
            raise self._error(name, "now() takes no time zone, because it is the same moment everywhere")
        self._expect(")")
        return self._checked(name, functools.partial(_zone_named, str(name.value)))

    def _clock(self, token: Token, zone: tzinfo) -> RelativeTime:
        if token.text == "now":
            return RelativeTime(self._now, "now()" if self._moving else None)
        words = f"today({zone})" if self._moving else None
        today = self._checked(token, functools.partial(RelativeTime.day_of, self._now, zone, words=words))
        if token.text == "today":
            return today
        return self._checked(token, functools.partial(today.shifted, -1, "d"))

    def _literal(self, token: Token) -> Value:
        if token.kind in {"text", "number"}:
            return token.value
        if token.is_word(*_BOOLS):
            return _BOOLS[token.text]
        if token.is_word(*_NULLS):
            raise self._error(token, _NO_NULL)
        if token.kind == "span":
            raise self._error(token, "write a span after a time, such as now() - 7d, or quote it if it is a text")
        if token.kind == "word":
            raise self._error(token, "a list holds values: quote texts")
        raise self._misplaced(token, _AN_OPERAND)

    def _list(self) -> Iterator[Value]:
        while not self._peek().is_mark("]"):
            token = self._take()
            yield self._relative_time(token) if self._is_clock(token) else self._literal(token)
            if not self._peek().is_mark("]"):
                self._expect(",")
        self._expect("]")

    def _attribute(self, token: Token, after: _Operand | None) -> OrderedField[Any]:
        name = token.text
        if name in SEARCHABLE:
            return cast("OrderedField[Any]", getattr(Q, name))
        if name == "fields":
            return self._custom_field()
        if name == "attribute" and self._peek().is_mark("("):
            return self._untyped_attribute()
        if name in _NULLS:
            raise self._error(token, _NO_NULL)
        if name in _CLOCKS:
            raise self._error(token, f"write {name}() with parentheses, or quote it if it is a text")
        if name.lower() in _RESERVED:
            raise self._misplaced(token, _AN_OPERAND)
        if after is not None and isinstance(after.value, OrderedField):
            raise self._error(token, "a text value must be quoted, such as status == 'open'")
        raise self._unknown(token)

    def _custom_field(self) -> OrderedField[Any]:
        mark = self._take()
        key = self._take()
        if mark.is_mark("[") and key.kind == "text":
            self._expect("]")
        elif not (mark.is_mark(".") and key.kind == "word"):
            raise self._error(mark, "a custom field is written fields.key or fields['any key']")
        if self._peek().is_mark("."):
            raise self._error(self._peek(), "a key with a dot is written fields['with.dot']")
        name = str(key.value) if key.kind == "text" else key.text
        return self._checked(key, lambda: Q.fields[name])

    def _untyped_attribute(self) -> OrderedField[Any]:
        self._expect("(")
        name = self._take()
        if name.kind != "text":
            raise self._error(name, "the name must be quoted: attribute('name')")
        self._expect(")")
        return self._checked(name, lambda: Q.attribute(str(name.value)))

    def _checked(self, token: Token, make: Callable[[], T]) -> T:
        """Return the result of `make`; add the position in the text to its errors."""
        try:
            return make()
        except QueryError as error:
            raise self._error(token, str(error), type(error)) from None

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        # The end token follows every text and may be read repeatedly.
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _expect(self, mark: str) -> None:
        token = self._take()
        if not token.is_mark(mark):
            raise self._error(token, f"expected {mark}")

    def _error(self, token: Token, reason: str, kind: type[QueryError] = QueryError) -> QueryError:
        return at(self._source, token.start, reason, kind)

    def _misplaced(self, token: Token, expected: str) -> QueryError:
        if token.kind == "end":
            return self._error(token, f"the expression ends where {expected} is expected")
        if token.kind == "word" and token.text.lower() in _RESERVED:
            return self._error(token, _RESERVED[token.text.lower()])
        if token.is_mark(")", "]"):
            return self._error(token, f"{expected} is expected here, or there is one {token.text} too many")
        return self._error(token, f"{expected} is expected here")

    def _uncompared(self, operand: _Operand) -> QueryError:
        follower = self._peek()
        if follower.kind == "word" and follower.text.lower() in _RESERVED.keys() - {"and", "or"}:
            return self._misplaced(follower, _AN_OPERATOR)
        side = "an attribute" if isinstance(operand.value, OrderedField) else "a value"
        return self._error(operand.token, f"{side} must be compared, such as status == 'open'")

    def _unknown(self, token: Token) -> QueryError:
        guess = nearest(token.text, (*SEARCHABLE, "fields"))
        nearby = f"; did you mean {guess}?" if guess else "."
        reason = (
            f"there is no attribute {shortened(token.text)!r}{nearby}"
            " Texts are quoted, custom fields are written fields.key,"
            " and attribute('name') takes a name that is newer than this library"
        )
        return self._error(token, reason, UnknownAttributeError)


publish("persona_cases", parse)

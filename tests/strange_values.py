"""Values that callers pass by mistake, or to see what happens."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

HALF = "\ud83d"
"""The first half of a character: Python holds it, UTF-8 cannot."""


class Hostile:
    """An object that raises whatever is asked of it. What the iterables of a caller raise is the caller's own."""

    def _refuse(self, *_: object) -> NoReturn:
        raise ZeroDivisionError("a stranger's method was called")

    __str__ = __repr__ = __eq__ = __hash__ = __format__ = __lt__ = _refuse  # type: ignore[assignment]


class Share(float):
    """What numpy has for a float."""


class Several:
    """What numpy and pandas have for several values: neither it nor its equality has a truth value."""

    def __bool__(self) -> NoReturn:
        raise ValueError("the truth value of an array is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = object.__hash__


class Missing(datetime):
    """What pandas has for a missing time: a datetime by its class alone."""

    def utcoffset(self) -> NoReturn:
        raise ValueError("NaTType does not support utcoffset")

    def isoformat(self, *_: object, **__: object) -> str:
        return "NaT"


class Word(str):
    """A text of a class of its own."""

    __slots__ = ()


def nested(depth: int) -> Any:
    """Return lists in lists."""
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def strange_values() -> list[Any]:
    """Return one of each kind, made afresh."""
    return [
        None,
        True,
        0,
        -1,
        10**400,
        1.5,
        math.nan,
        math.inf,
        Share(1.5),
        Decimal("sNaN"),
        "",
        " ",
        "\x00",
        HALF,
        f"a{HALF}b",
        "é",
        "x" * 70_000,
        "../..",
        Word("open"),
        b"bytes",
        [],
        [HALF],
        [None],
        [Word("status")],
        ["status", HALF],
        nested(900),
        (),
        set(),
        {},
        {"a": HALF},
        {HALF: 1},
        {"a": nested(900)},
        {"a": Share(2.5), "b": Missing(2026, 1, 1)},
        {"a": Hostile()},
        {5: 5},
        [Hostile()],
        Hostile(),
        Several(),
        object(),
        datetime(2026, 1, 1),
        datetime.max.replace(tzinfo=UTC),
        Missing(2026, 1, 1),
        date(2026, 1, 1),
        timedelta.max,
        -timedelta(days=1),
        Path("\x00"),
        Path(HALF),
        print,
        iter([HALF]),
    ]

"""Overhearing what the library says: its log records, its errors, and what aiohttp and asyncio say for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import attrs
import pytest

from persona_cases import PersonaError
from persona_cases.protocol import secret
from secrecy.secrets import Secrets

__all__ = ["Finding", "Overheard", "texts_of"]

LOGGERS = ("persona_cases", "aiohttp", "asyncio")
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


@attrs.frozen
class Finding:
    """A secret that got out.

    Attributes:
        kind: what kind of secret.
        where: where it was seen.
        text: the text around it, without it.
    """

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}: {self.text}"


def texts_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """Give all that an error and those in its chain show, each with the place."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        name = type(one).__qualname__ if one is error else f"{type(one).__qualname__} behind {type(error).__qualname__}"
        yield f"str of {name}", str(one)
        yield f"repr of {name}", repr(one)
        yield f"arguments of {name}", repr(one.args)
        yield f"attributes of {name}", repr(vars(one))
        # Also a context that `from None` hides: error trackers may look there.
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
        waiting += getattr(one, "exceptions", ())


class Overheard(logging.Handler):
    """Listens, and keeps what should not have been said."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets = Secrets()
        self.findings: list[Finding] = []
        self._reported: set[Finding] = set()
        self._errors: WeakSet[PersonaError] = WeakSet()

    def listen(self, patch: pytest.MonkeyPatch) -> None:
        """Begin to listen."""
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self)
        patch.setattr(secret, "api_key", _also(secret.api_key, lambda key: self.secrets.add_key(key.reveal())))
        self._listen_to_errors(patch)

    def _listen_to_errors(self, patch: pytest.MonkeyPatch) -> None:
        overheard, made = self, PersonaError.__init__

        def init(error: PersonaError, *args: Any, **settings: Any) -> None:
            made(error, *args, **settings)
            overheard._errors.add(error)

        def gone(error: PersonaError) -> None:
            overheard.hear_error(error)

        # Errors are looked at when they go: only then do they have their cause, their context and all attributes.
        patch.setattr(PersonaError, "__init__", init)
        patch.setattr(PersonaError, "__del__", gone, raising=False)

    def speak_up(self) -> None:
        """Have the loggers say everything; tests may have changed that."""
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        where = f"a log record of {record.name}"
        self.hear(where, record.getMessage())
        self.hear(f"the arguments of {where}", repr(record.args))
        self.hear(f"the extras of {where}", repr({k: v for k, v in vars(record).items() if k not in _STANDARD}))
        if record.exc_info and record.exc_info[1] is not None:
            for place, text in texts_of(record.exc_info[1]):
                self.hear(f"{where}, {place}", text)

    def hear_error(self, error: BaseException) -> None:
        """Listen to an error."""
        for where, text in texts_of(error):
            self.hear(where, text)

    def hear(self, where: str, text: str) -> None:
        """Listen to a text."""
        for kind, rest in self.secrets.find(text):
            self.findings.append(Finding(kind, where, rest))

    def take(self) -> list[Finding]:
        """Hand out what was found since the last time, everything once."""
        for error in list(self._errors):
            self.hear_error(error)
        self._errors.clear()
        fresh = [finding for finding in dict.fromkeys(self.findings) if finding not in self._reported]
        self.findings.clear()
        self._reported.update(fresh)
        return fresh


def _also(function: Any, tell: Any) -> Any:
    def telling(*args: Any) -> Any:
        result = function(*args)
        tell(result)
        return result

    return telling

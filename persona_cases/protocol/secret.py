"""The API key: checked once, and never shown."""

from __future__ import annotations

import re
from typing import Any, NoReturn, cast

from persona_cases.errors import InvalidArgumentError

_PRINTABLE_ASCII = re.compile(r"[\x21-\x7e]+")


class Secret:
    """A value that never appears in a repr, pickle or message; only `reveal` returns it.

    Args:
        value: the secret.
    """

    # Not an attrs class or a struct, because rich shows the fields of both.
    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled: create a client in each process that needs one")

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self


def hidden(value: Any) -> Secret | None:
    """Wrap a possible API key, unchecked, so that no frame of the caller holds it in plain text; None stays None."""
    return None if value is None else Secret(value)


def api_key(value: object, source: str) -> Secret:
    """Check an API key and wrap it.

    Args:
        value: the value from the caller or the environment, perhaps already wrapped.
        source: its source, for the message.

    Raises:
        InvalidArgumentError: if it cannot be sent in an `Authorization` header. The message never shows it.
    """
    wrapped = value if isinstance(value, Secret) else Secret(cast("str", value))
    # A traceback with locals would show the key.
    del value
    if not _is_text(wrapped):
        raise InvalidArgumentError(
            "no API key: pass api_key=... or set the environment variable PERSONA_API_KEY "
            "(to try without an account, use persona_cases.testing.Simulator)"
        )
    if not _PRINTABLE_ASCII.fullmatch(wrapped.reveal()):
        raise InvalidArgumentError(
            f"the API key from {source} contains spaces, line breaks or characters outside ASCII: "
            "strip what surrounds the key, such as the trailing newline of a secrets file"
        )
    return wrapped


def _is_text(wrapped: Secret) -> bool:
    # Any: callers may give anything.
    value: Any = wrapped.reveal()
    return isinstance(value, str) and bool(value)

"""Response headers, with case-insensitive names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

__all__ = ["Headers", "as_headers"]

D = TypeVar("D")


class Headers(Mapping[str, str]):
    """A mapping of case-insensitive header names to values. Its own names are in lower case.

    Args:
        values: the values by name, in a mapping that ignores case itself or has all names in lower case. Not copied.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: Mapping[str, str] = {} if values is None else values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | D) -> str | D: ...
    def get(self, key: str, /, default: str | D | None = None) -> str | D | None:
        """Return the value of a header, or the default."""
        # Not the mapping's own method, which costs an exception for each missing header.
        return self._values.get(key.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): None for name in self._values})

    def __len__(self) -> int:
        return len(set(self))

    def __repr__(self) -> str:
        # Values are not shown, because they come from outside.
        return f"Headers({', '.join(self)})"

    def __reduce__(self) -> tuple[type[Headers], tuple[dict[str, str]]]:
        return Headers, (dict(self),)


def as_headers(headers: Mapping[str, str]) -> Headers:
    """Return `Headers` unchanged, or convert another mapping."""
    if isinstance(headers, Headers):
        return headers
    return Headers({name.lower(): value for name, value in headers.items()})

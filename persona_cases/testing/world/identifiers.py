"""Ids and random draws that are the same on every run and every Python version.

Only `Random.random` and `Random.getrandbits` are used: the other methods may change between versions.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

__all__ = ["Draw", "named_id"]

_T = TypeVar("_T")
_ALPHANUMERIC = b"Xq"
"""Replacements for the two characters of base 64 that are not letters or digits."""


def named_id(prefix: str, name: str) -> str:
    """Return the fixed id for `name`, such as `ctmpl_` and 24 letters and digits."""
    digest = hashlib.sha256(f"{prefix}:{name}".encode()).digest()[:18]
    return f"{prefix}_{b64encode(digest, _ALPHANUMERIC).decode()}"


class Draw:
    """A stream of random decisions from a seed; not for secrets."""

    def __init__(self, seed: int | str) -> None:
        source = Random(seed)
        self.fraction: Callable[[], float] = source.random
        self._bits = source.getrandbits

    def below(self, bound: int) -> int:
        """Return a whole number from 0 up to, but not including, `bound`."""
        return int(self.fraction() * bound)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def pick(self, options: Sequence[_T]) -> _T:
        """Return one of `options`."""
        return options[int(self.fraction() * len(options))]

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.fraction() < probability

    def some(self, options: Sequence[_T], most: int) -> tuple[_T, ...]:
        """Return up to `most` different options, in the order in which they are listed."""
        if not options:
            return ()
        chosen = {self.below(len(options)) for _ in range(self.between(0, most))}
        return tuple(options[index] for index in sorted(chosen))

    def id(self, prefix: str) -> str:
        """Return a new id: the prefix and 24 letters and digits."""
        return f"{prefix}_{self.token()}"

    def token(self) -> str:
        """Return 24 letters and digits."""
        return b64encode(self._bits(144).to_bytes(18, "big"), _ALPHANUMERIC).decode()

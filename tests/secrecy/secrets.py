"""What may not be shown: API keys, access tokens, and all that the case factory invents about people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from persona_cases.testing import Simulator
from persona_cases.testing.world import catalog, field_values

__all__ = ["Secrets"]

# Shorter ones that tests use as keys, such as "key", are words that occur anyway.
_SHORTEST_KEY = 8
_HIDDEN = "***"
_CONTEXT = 100


def _any_of(*texts: str) -> str:
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))


_KINDS = {
    "API key": rf"{re.escape(Simulator(cases=0).api_key)}|Bearer\s+\S+",
    "access token": r"access_token=[^\s&'\"]+",
    "e-mail address": r"(?<![\w.+-])[\w.+-]++(?:@|%40)[\w-]+(?:\.[\w-]+)+",
    "comment": _any_of(*catalog.COMMENTS, *field_values.SENTENCES),
    "name": rf"\b(?:{_any_of(*catalog.FIRST_NAMES, *catalog.LAST_NAMES)})\b",
    "website": rf"\b(?:{_any_of(*map(str.lower, catalog.LAST_NAMES))})\.example\.com",
    "address": rf"\b(?:{_any_of(*catalog.CITIES)})\b",
    "account": r"\bcustomer-\d+\b",
    "file name": r"\b(?:statement|passport)\.\w+-\d+\.\w+",
}
_PERSONAL = re.compile("|".join(f"(?P<k{number}>{pattern})" for number, pattern in enumerate(_KINDS.values())))
_NAMES = list(_KINDS)
# One after the other, they are found out to be missing in a fifth of the time that all at once take.
_ANY = [re.compile(pattern) for pattern in _KINDS.values()]


# Errors and log records of many tests say the same.
@lru_cache(maxsize=4096)
def _is_personal(text: str) -> bool:
    return any(pattern.search(text) for pattern in _ANY)


class Secrets:
    """Finds secrets in texts. The keys that clients are made with are added as they come."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def add_key(self, key: str) -> None:
        """Look for an API key from now on."""
        if len(key) >= _SHORTEST_KEY:
            self._keys.add(key)

    def find(self, text: str) -> Iterator[tuple[str, str]]:
        """Give each kind of secret that a text shows, and the text around the first without any of them."""
        kinds: set[str] = set()
        for key in self._keys:
            if key in text:
                kinds.add("API key")
                text = text.replace(key, _HIDDEN)

        if not kinds and not _is_personal(text):
            return

        def hide(match: re.Match[str]) -> str:
            kinds.add(_NAMES[int((match.lastgroup or "k0")[1:])])
            return _HIDDEN

        rest = _PERSONAL.sub(hide, text)
        first = max(0, rest.find(_HIDDEN) - _CONTEXT)
        yield from ((kind, rest[first : first + 2 * _CONTEXT]) for kind in sorted(kinds))

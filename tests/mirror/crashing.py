"""A mirror whose process ends at some call."""

from __future__ import annotations

from persona_cases.mirror.targets.open_mirror import mirror_at


class CrashError(Exception):
    """The process ended."""


class CrashingMirror:
    """A mirror that ends with its process after some calls, before or after the last of them took effect."""

    def __init__(self, to, calls: int, *, late: bool) -> None:
        self._mirror, self._calls, self._late = mirror_at(to), calls, late

    def _step(self, act, *arguments):
        self._calls -= 1
        if self._calls > 0:
            return act(*arguments)
        if self._late:
            act(*arguments)
        raise CrashError

    def begin(self, settings):
        return self._mirror.begin(settings)

    def known(self, ids):
        return self._step(self._mirror.known, ids)

    def between(self, low, high):
        return self._step(self._mirror.between, low, high)

    def apply(self, changes):
        return self._step(self._mirror.apply, changes)

    def rejected(self):
        return self._mirror.rejected()

    def commit(self, mark):
        return self._step(self._mirror.commit, mark)

    def end(self):
        self._mirror.end()

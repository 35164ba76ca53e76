"""Responses stored under idempotency keys, so that a repeated POST is not carried out again.

See https://docs.withpersona.com/idempotence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import attrs

from persona_cases.surface import publish
from persona_cases.testing.http.problems import idempotency_error
from persona_cases.testing.http.traffic import Answer, ReceivedRequest
from persona_cases.testing.world.simulated_clock import Clock

__all__ = ["IdempotencyStore", "StoredAnswer"]

_LIFETIME = 24 * 60 * 60.0

_Parameters: TypeAlias = tuple[str, str, str, bytes]


@attrs.define(eq=False)
class StoredAnswer:
    """The response to the first request with a key.

    Attributes:
        method: method of that request.
        path: its path below `/api/v1`.
        answer: the response, without the headers that report the state of a window.
        parameters: the identity of the request: method, path, query and a digest of the body.
        stored_at: when it was stored, in seconds on the simulator's monotonic clock.
        replays: number of requests that got this response again.
    """

    method: str
    path: str
    answer: Answer
    parameters: _Parameters = attrs.field(repr=False)
    stored_at: float
    replays: int = 0


class IdempotencyStore(Mapping[str, StoredAnswer]):
    """The stored responses by key, for 24 hours each; available to tests as `sim.idempotency`.

    Args:
        clock: the clock that decides when a response expires.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[str, StoredAnswer] = {}

    def __getitem__(self, key: str) -> StoredAnswer:
        self._prune()
        return self._stored[key]

    def __iter__(self) -> Iterator[str]:
        self._prune()
        return iter(self._stored)

    def __len__(self) -> int:
        self._prune()
        return len(self._stored)

    def answer(self, request: ReceivedRequest, carry_out: Callable[[], Answer]) -> Answer:
        """Carry out a request, or replay the response stored under its key.

        Args:
            request: the request; only a POST is looked up.
            carry_out: returns the response; its errors are not stored.

        Raises:
            AnsweredError: 400 if the key was used with other parameters; or any error of `carry_out`.
        """
        key = request.headers.get("idempotency-key")
        if not key or request.method != "POST":
            return carry_out()
        self._prune()
        parameters = _parameters(request)
        stored = self._stored.get(key)
        if stored is None:
            answer = carry_out()
            now = self._clock.monotonic()
            self._stored[key] = StoredAnswer(request.method, request.path, answer, parameters, now)
            return answer
        if stored.parameters != parameters:
            raise idempotency_error(key)
        stored.replays += 1
        request.replayed = True
        return stored.answer

    def clear(self) -> None:
        """Forget all keys."""
        self._stored.clear()

    def _prune(self) -> None:
        oldest = self._clock.monotonic() - _LIFETIME
        # Responses are stored in order of time, so the first one that has not expired ends the search.
        while self._stored:
            key = next(iter(self._stored))
            if self._stored[key].stored_at > oldest:
                return
            del self._stored[key]


def _parameters(request: ReceivedRequest) -> _Parameters:
    return request.method, request.path, request.query, hashlib.sha256(request.body).digest()


publish("persona_cases.testing", IdempotencyStore, StoredAnswer)

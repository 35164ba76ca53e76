"""Overhears what goes between tests, client and simulator, without a change to any of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

import pytest
from yarl import URL

from conformance.exchange import API_ROOT, Answer, Exchange, Request
from persona_cases.testing import ReceivedRequest, RequestLog
from persona_cases.testing.endpoints.answering import InternalFailure, SimulatedApi

__all__ = ["Overheard"]


class Overheard:
    """Keeps exchanges until they are taken; checking them later leaves the timing of the tests as it is."""

    def __init__(self) -> None:
        self._received: dict[int, tuple[ReceivedRequest, bool | None, Answer | None]] = {}
        self._mocked: list[Exchange] = []

    def listen(self, patch: pytest.MonkeyPatch) -> None:
        """Begin to listen at the simulator and at the mock of aiohttp."""
        self._listen_to_log(patch)
        self._listen_to_answers(patch)
        try:
            from aioresponses import aioresponses
        except ImportError:
            return
        self._listen_to_mock(patch, aioresponses)

    def take(self) -> list[Exchange]:
        """What was overheard since the last time."""
        received, self._received = self._received, {}
        mocked, self._mocked = self._mocked, []
        below_root = (
            Exchange(_as_request(request, authorized), answer)
            for request, authorized, answer in received.values()
            if request.in_api
        )
        return [*below_root, *mocked]

    def _listen_to_log(self, patch: pytest.MonkeyPatch) -> None:
        record = RequestLog.record

        @wraps(record)
        def overheard(log: RequestLog, request: ReceivedRequest) -> None:
            # A scripted fault may take the place of the answer: then this is all there is to see.
            self._received[id(request)] = (request, None, None)
            record(log, request)

        patch.setattr(RequestLog, "record", overheard)

    def _listen_to_answers(self, patch: pytest.MonkeyPatch) -> None:
        answer = SimulatedApi.answer

        @wraps(answer)
        def overheard(
            api: SimulatedApi,
            request: ReceivedRequest,
            authorization: str | None,
            origin: str,
            failure: InternalFailure | None = None,
        ) -> Any:
            given = answer(api, request, authorization, origin, failure)
            authorized = authorization is not None and authorization.startswith("Bearer ")
            own = Answer(given.status, given.headers, given.body) if failure is None else None
            self._received[id(request)] = (request, authorized, own)
            return given

        patch.setattr(SimulatedApi, "answer", overheard)

    def _listen_to_mock(self, patch: pytest.MonkeyPatch, mock: Any) -> None:
        match = mock.match

        @wraps(match)
        async def overheard(self_: Any, method: str, url: URL, *rest: Any, **options: Any) -> Any:
            request = _as_mocked_request(method, url, options)
            if request is not None and request.is_ours:
                self._mocked.append(Exchange(request))
            return await match(self_, method, url, *rest, **options)

        patch.setattr(mock, "match", overheard)


def _as_request(request: ReceivedRequest, authorized: bool | None) -> Request:
    return Request(request.method, request.path, request.query, request.headers, request.body, authorized)


def _as_mocked_request(method: str, url: URL, options: Mapping[str, Any]) -> Request | None:
    _, root, path = url.path.partition(API_ROOT)
    if not root:
        return None
    headers = {name.lower(): value for name, value in (options.get("headers") or {}).items()}
    authorized = headers.pop("authorization", "").startswith("Bearer ")
    return Request(method.upper(), path, url.raw_query_string, headers, options.get("data") or b"", authorized)

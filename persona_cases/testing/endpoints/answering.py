"""From a received request to its response: authentication, rate limit, idempotency, quota, routing, in this order.

Nothing here waits or uses a socket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from persona_cases.testing.endpoints.case_actions import CaseActions
from persona_cases.testing.endpoints.case_writes import CaseWrites
from persona_cases.testing.endpoints.endpoint_table import CasesEndpoints, TemplateEndpoints
from persona_cases.testing.endpoints.event_endpoints import EventEndpoints
from persona_cases.testing.gates.case_quota import CaseQuota
from persona_cases.testing.gates.rate_window import FixedWindow, WindowState
from persona_cases.testing.gates.stored_answers import IdempotencyStore
from persona_cases.testing.http.documents import Presentation
from persona_cases.testing.http.inflection import inflect, is_inflection
from persona_cases.testing.http.problems import (
    AnsweredError,
    bad_request,
    method_not_allowed,
    not_found,
    rate_limited,
    unauthorized,
)
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.traffic import Answer, ReceivedRequest
from persona_cases.testing.world import catalog
from persona_cases.testing.world.file_links import FileLinks, FileSigner
from persona_cases.testing.world.identifiers import Draw

__all__ = ["API_ROOT", "CURRENT_VERSION", "Endpoints", "Gates", "InternalFailure", "SimulatedApi"]

API_ROOT = "/api/v1"
CURRENT_VERSION = "2025-12-08"

_VERSIONS = frozenset(
    {
        "2020-05-18",
        "2021-02-21",
        "2021-05-14",
        "2021-07-05",
        "2021-08-18",
        "2022-09-01",
        "2023-01-05",
        "2025-10-27",
        "2025-12-08",
        "2026-09-29",
    }
)

_Handler = Callable[[ReceivedCall], Reply]


@attrs.frozen
class _Route:
    path: re.Pattern[str]
    methods: Mapping[str, _Handler]


def _route(template: str, **methods: _Handler) -> _Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return _Route(re.compile(pattern), methods)


@attrs.frozen
class Endpoints:
    """The endpoints, by subject."""

    cases: CasesEndpoints
    writes: CaseWrites
    actions: CaseActions
    templates: TemplateEndpoints
    events: EventEndpoints


@attrs.frozen
class Gates:
    """The gates that a request must pass before an endpoint sees it, in this order."""

    window: FixedWindow
    idempotency: IdempotencyStore
    quota: CaseQuota


@attrs.frozen
class InternalFailure:
    """An error inside the API, after the gates, whose response is stored under the idempotency key.

    Attributes:
        problem: the error document.
        applied: whether the request is carried out nevertheless.
    """

    problem: AnsweredError
    applied: bool


class SimulatedApi:
    """Responds to requests.

    Args:
        api_key: the key that requests must send.
        gates: the gates that they must pass.
        endpoints: the endpoints that then respond.
        signer: signs links to files.
        seed: determines the ids of requests.
    """

    def __init__(self, api_key: str, gates: Gates, endpoints: Endpoints, signer: FileSigner, *, seed: int = 0) -> None:
        self._authorization = f"Bearer {api_key}"
        self._window = gates.window
        self._idempotency = gates.idempotency
        self._quota = gates.quota
        self._signer = signer
        self._request_ids = Draw(f"requests:{seed}")
        self._routes = _routes(endpoints)

    def answer(
        self, request: ReceivedRequest, authorization: str | None, origin: str, failure: InternalFailure | None = None
    ) -> Answer:
        """Carry out a request.

        Args:
            request: the request.
            authorization: its `Authorization` header.
            origin: the origin that serves attached files.
            failure: an error inside the API, if any.
        """
        if authorization != self._authorization:
            return _unauthenticated(unauthorized(key_given=authorization is not None))
        window = self._window.spend()
        creates = request.in_api and (request.method, request.path) == ("POST", "/cases")
        try:
            if not window.allowed:
                limit = self._window.limit
                raise rate_limited(limit.requests, limit.seconds)
            answer = self._idempotency.answer(
                request, lambda: self._carry_out(request, window, origin, failure, counted=creates)
            )
        except AnsweredError as problem:
            answer = Answer.json(problem.status, problem.document(), self._identity())
        quota = self._quota.headers() if creates else {}
        return attrs.evolve(answer, headers={**answer.headers, **window.headers(), **quota})

    def refuse(self, problem: AnsweredError) -> Answer:
        """Return the response for a given error; it counts as a request and has the usual headers, except for 401."""
        if problem.status == HTTPStatus.UNAUTHORIZED:
            return _unauthenticated(problem)
        headers = {**self._window.spend().headers(), **self._identity()}
        return Answer.json(problem.status, problem.document(), headers)

    def _carry_out(
        self,
        request: ReceivedRequest,
        window: WindowState,
        origin: str,
        failure: InternalFailure | None,
        *,
        counted: bool,
    ) -> Answer:
        """Return the response to a request that is not a replay; raise if it is over the quota."""
        if counted:
            self._quota.admit()
        try:
            if failure is None:
                reply = self._dispatch(request, window, origin)
            else:
                if failure.applied:
                    self._dispatch(request, window, origin)
                raise failure.problem
        except AnsweredError as problem:
            return Answer.json(problem.status, problem.document(), {**self._identity(), **problem.headers})
        return Answer.json(reply.status, reply.document, self._identity())

    def _identity(self) -> dict[str, str]:
        return {
            "Request-Id": self._request_ids.id("req"),
            "Persona-Environment-Id": catalog.ENVIRONMENT_ID,
            "Persona-Organization-Id": catalog.ORGANIZATION_ID,
        }

    def _dispatch(self, request: ReceivedRequest, window: WindowState, origin: str) -> Reply:
        look = _presentation(request.headers, FileLinks(origin, self._signer, self._signer.expiry()))
        allowed: set[str] = set()
        for route in self._routes if request.in_api else ():
            match = route.path.fullmatch(request.path)
            if match is None:
                continue
            if (handler := route.methods.get(request.method)) is not None:
                return handler(ReceivedCall(request, look, window, match.groupdict()))
            # `/cases/search` is a separate path for POST, but an id like any other for GET.
            allowed |= route.methods.keys()
        raise method_not_allowed(request.method, allowed) if allowed else not_found()


def _unauthenticated(problem: AnsweredError) -> Answer:
    return Answer.json(problem.status, problem.document(), {})


def _routes(to: Endpoints) -> tuple[_Route, ...]:
    return (
        _route("/cases", GET=to.cases.list, POST=to.writes.create),
        _route("/cases/search", POST=to.cases.search),
        _route("/cases/{id}", GET=to.cases.get, PATCH=to.writes.update, DELETE=to.writes.redact),
        _route("/cases/{id}/add-objects", POST=to.actions.add_objects),
        _route("/cases/{id}/remove-objects", POST=to.actions.remove_objects),
        _route("/cases/{id}/assign", POST=to.actions.assign),
        _route("/cases/{id}/set-status", POST=to.actions.set_status),
        _route("/cases/{id}/add-tag", POST=to.actions.add_tag),
        _route("/cases/{id}/remove-tag", POST=to.actions.remove_tag),
        _route("/cases/{id}/set-tags", POST=to.actions.set_tags),
        _route("/cases/{id}/add-comment", POST=to.actions.add_comment),
        _route("/case-templates/{id}", GET=to.templates.get),
        _route("/events", GET=to.events.list),
        _route("/events/{id}", GET=to.events.get),
        _route("/rate-limits", GET=_rate_limits),
    )


def _presentation(headers: Mapping[str, str], files: FileLinks) -> Presentation:
    version = headers.get("persona-version", CURRENT_VERSION)
    if version not in _VERSIONS:
        raise bad_request(f"Persona-Version {version} is not supported")
    inflection = headers.get("key-inflection", "kebab")
    if not is_inflection(inflection):
        raise bad_request("Key-Inflection must be one of camel, kebab, snake")
    return Presentation(inflection, version, files)


def _rate_limits(call: ReceivedCall) -> Reply:
    call.parameters(frozenset())
    attributes: dict[str, Any] = {
        "limit": call.window.limit,
        "remaining": call.window.remaining,
        inflect("seconds_to_reset", call.look.inflection): call.window.reset,
    }
    return Reply({"data": [{"type": "rate-limit/api", "attributes": attributes}]})

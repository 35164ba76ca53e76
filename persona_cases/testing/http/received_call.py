"""A request on its way to an endpoint, and the endpoint's reply."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
import msgspec

from persona_cases.testing.gates.rate_window import WindowState
from persona_cases.testing.http.documents import Presentation
from persona_cases.testing.http.problems import bad_request
from persona_cases.testing.http.strict_parameters import Family, Parameters, parse_parameters
from persona_cases.testing.http.traffic import ReceivedRequest

__all__ = ["ReceivedCall", "Reply"]


@attrs.frozen
class Reply:
    """The outcome of an endpoint."""

    document: Any
    status: int = 200


@attrs.frozen
class ReceivedCall:
    """A request that has passed authentication and rate limit, on its way to an endpoint."""

    request: ReceivedRequest
    look: Presentation
    window: WindowState
    path: Mapping[str, str]

    def parameters(self, allowed: frozenset[Family], filters: Collection[str] = ()) -> Parameters:
        """Parse the query string, which may have only the `allowed` families and the named `filters`.

        Raises:
            AnsweredError: 400 for any other parameter.
        """
        return parse_parameters(self.request.query, allowed, filters)

    def styled(self, parameters: Parameters) -> Presentation:
        """Return the presentation of the response, with the requested fieldsets."""
        return attrs.evolve(self.look, fieldsets=parameters.fieldsets)

    def body(self) -> Any:
        """Return the JSON body; None if it is empty.

        Raises:
            AnsweredError: 400 if it is not JSON, not declared as JSON, or null.
        """
        if not self.request.body:
            return None
        if self.request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise bad_request("Content-Type must be application/json")
        try:
            document = self.request.json()
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise bad_request("The body is not valid JSON") from None
        if document is None:
            raise bad_request("The body must be an object")
        return document

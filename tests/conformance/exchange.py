"""Requests and answers as the checks see them, wherever they were overheard."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from conformance.spelling import INFLECTIONS, KEBAB

__all__ = ["API_ROOT", "Answer", "Exchange", "Request"]

API_ROOT = "/api/v1"
"""Where the paths of the API begin, with the vendor and in the simulator."""


@attrs.frozen
class Request:
    """One request below the root of the API.

    Attributes:
        method: in upper case.
        path: decoded, such as `/cases/search`.
        query: as sent, without the question mark.
        headers: by lower-case name, without `authorization`.
        body: the bytes of the body, empty if there is none.
        authorized: whether it carried a bearer token; None if that was not to be seen.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    authorized: bool | None = None

    @property
    def is_ours(self) -> bool:
        """Whether our client sent it, and not a test by its own means."""
        return self.headers.get("user-agent", "").startswith("persona-cases")

    @property
    def version(self) -> str | None:
        return self.headers.get("persona-version")

    @property
    def inflection(self) -> str:
        """The spelling that the answer has to have; one that nobody knows is not obeyed."""
        asked = self.headers.get("key-inflection", KEBAB)
        return asked if asked in INFLECTIONS else KEBAB


@attrs.frozen
class Answer:
    """What the simulator decided to answer, before a scripted fault changed it."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class Exchange:
    """A request, and its answer if the simulator gave one of its own."""

    request: Request
    answer: Answer | None = None

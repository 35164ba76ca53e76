"""One case as the response to a request, with the requested related objects and fieldset."""

from __future__ import annotations

from typing import Any

import attrs

from persona_cases.testing.http.documents import check_include, included, serialize_case
from persona_cases.testing.http.received_call import ReceivedCall, Reply
from persona_cases.testing.http.strict_parameters import Family, Parameters
from persona_cases.testing.world.store import CaseStore
from persona_cases.testing.world.stored_cases import CaseRecord

__all__ = ["RETRIEVED", "WRITTEN", "SingleCase"]

_ALLOWED: frozenset[Family] = frozenset({"include", "fields"})

WRITTEN = ("accounts", "inquiries", "reports", "case-comments")
"""The default of `include` for a new or changed case in versions before 2025-10-27."""
RETRIEVED = (*WRITTEN, "verifications")
"""The default of `include` for a retrieved case in those versions."""


@attrs.frozen
class SingleCase:
    """The presentation of one case that a request asks for."""

    call: ReceivedCall
    parameters: Parameters

    @classmethod
    def asked_by(cls, call: ReceivedCall) -> SingleCase:
        """Parse the query string, before anything is done with the case.

        Raises:
            AnsweredError: 400 for parameters other than `include` and `fields`, or for paths that cannot be included.
        """
        parameters = call.parameters(_ALLOWED)
        check_include(parameters.include)
        return cls(call, parameters)

    def reply(self, case: CaseRecord, store: CaseStore, *, unasked: tuple[str, ...], status: int = 200) -> Reply:
        """Return the document with the case.

        Args:
            case: the current case.
            store: the store with its related objects.
            unasked: the default of `include` in old versions.
            status: the HTTP status.
        """
        look = self.call.styled(self.parameters)
        document: dict[str, Any] = {"data": serialize_case(case, look)}
        asked = self.parameters.include
        paths = unasked if asked is None and look.is_open else asked
        if paths is not None:
            document["included"] = included(case, paths, store, look)
        return Reply(document, status)

"""One case as the answer to a request: with the neighbours and the fieldset that the request asks for."""

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
"""What versions before 2025-10-27 include in a new or changed case if the request does not say."""
RETRIEVED = (*WRITTEN, "verifications")
"""The same for a case that is only looked at."""


@attrs.frozen
class SingleCase:
    """What a request wants to see of the one case that it is about."""

    call: ReceivedCall
    parameters: Parameters

    @classmethod
    def asked_by(cls, call: ReceivedCall) -> SingleCase:
        """Read the query string, before anything is done about the case.

        Raises:
            AnsweredError: 400 for parameters other than `include` and `fields`, or for paths that cannot be included.
        """
        parameters = call.parameters(_ALLOWED)
        check_include(parameters.include)
        return cls(call, parameters)

    def reply(self, case: CaseRecord, store: CaseStore, *, unasked: tuple[str, ...], status: int = 200) -> Reply:
        """The document with the case.

        Args:
            case: the case as it is now.
            store: knows its neighbours.
            unasked: what old versions include if there is no `include`.
            status: HTTP status.
        """
        look = self.call.styled(self.parameters)
        document: dict[str, Any] = {"data": serialize_case(case, look)}
        asked = self.parameters.include
        paths = unasked if asked is None and look.is_open else asked
        if paths is not None:
            document["included"] = included(case, paths, store, look)
        return Reply(document, status)

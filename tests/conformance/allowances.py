"""What may differ from the documents, and why. Each allowance has to be needed: an unused one fails the whole run."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import attrs

from conformance.checks import Violation

__all__ = ["ALLOWANCES", "Allowance", "Kind"]

Kind = Literal["our request", "malformed input", "answer"]


@attrs.frozen
class Allowance:
    """Violations that are meant to be.

    Attributes:
        kind: whether our client's request, somebody's malformed request that was accepted, or an answer is concerned.
        operation: pattern of method and path, as the document or else the request has them.
        where: pattern of the place.
        reason: why this is right and the document is not.
        rule: pattern of what is violated.
        before: the first version of the API, as a date, for which this does not hold any more.
    """

    kind: Kind
    operation: str
    where: str
    reason: str
    rule: str = "*"
    before: str | None = None

    def covers(self, kind: Kind, operation: str, violation: Violation, version: str | None) -> bool:
        return (
            kind == self.kind
            and (self.before is None or (version is not None and version < self.before))
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(violation.where, self.where)
            and fnmatchcase(violation.rule, self.rule)
        )


_FREE_REQUESTS = "persona.request() reaches any endpoint: its tests send what no document has"

_STORED = "an error that a test puts into the API is stored under the idempotency key, and replayed"

_CUT_DOWN = "the documents may be cut down to cases; the vendor's own have events"

ALLOWANCES: tuple[Allowance, ...] = (
    Allowance("our request", "* /things", "path", _FREE_REQUESTS),
    Allowance("our request", "POST /nowhere", "path", _FREE_REQUESTS),
    Allowance("our request", "POST /accounts", "path", _FREE_REQUESTS),
    Allowance("our request", "GET /accounts/*", "path", _FREE_REQUESTS),
    Allowance("our request", "POST /inquiries", "path", _FREE_REQUESTS),
    Allowance("our request", "P*T /cases/case_1", "path", _FREE_REQUESTS),
    Allowance("our request", "GET /events*", "path", _CUT_DOWN),
    Allowance("malformed input", "GET /events*", "path", _CUT_DOWN),
    Allowance(
        "our request",
        "GET /cases",
        "query shard",
        "a link of the vendor's may carry what we do not know; it is followed as it is",
    ),
    Allowance(
        "malformed input",
        "POST /cases/{case-id}/set-status",
        "body",
        "the status was an attribute, says the changelog, although the documents of those versions have it in `meta`",
        rule="additionalProperties (data)",
        before="2025-10-27",
    ),
    Allowance("answer", "POST /cases", "status", _STORED, rule="500 is not declared"),
    Allowance("answer", "POST /cases/{case-id}/*", "status", _STORED, rule="500 is not declared"),
)

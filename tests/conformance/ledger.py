"""What was checked so far, and with what outcome; ledgers of several processes add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Self

import attrs

from conformance.allowances import ALLOWANCES, Allowance, Kind
from conformance.checks import Violation, answer_violations, operation_name, request_violations
from conformance.document import Documents
from conformance.exchange import Exchange

__all__ = ["Finding", "Ledger"]


@attrs.frozen
class Finding:
    """A violation that nothing allows."""

    kind: Kind
    operation: str
    status: int | None
    violation: Violation

    def __str__(self) -> str:
        answered = f" -> {self.status}" if self.status is not None else ""
        return f"{self.kind}: {self.operation}{answered}: {self.violation}"


@attrs.define
class Ledger:
    """Counts by operation.

    Attributes:
        ours: valid requests of our client.
        refused: malformed requests of others that were refused, as they must be.
        answers: answers checked, by operation and status.
        allowed: how often each allowance was needed, by its place in the table.
        findings: violations.
    """

    ours: Counter[str] = attrs.field(factory=Counter)
    refused: Counter[str] = attrs.field(factory=Counter)
    answers: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    allowed: Counter[int] = attrs.field(factory=Counter)
    findings: int = 0

    def judge(
        self, documents: Documents, exchange: Exchange, allowances: Sequence[Allowance] = ALLOWANCES
    ) -> list[Finding]:
        """Check an exchange, count it, and return what is wrong with it."""
        request, answer = exchange.request, exchange.answer
        document = documents.for_version(request.version)
        operation = operation_name(document, request)
        status = answer.status if answer else None
        known = document.find(request.method, request.path) is not None
        found: list[tuple[Kind, Violation]] = []
        malformed = request_violations(document, request)
        if request.is_ours:
            found += (("our request", violation) for violation in malformed)
            self.ours[operation] += known
        elif malformed and status is not None:
            if 400 <= status < 500:
                self.refused[operation] += known
            else:
                found += (("malformed input", violation) for violation in malformed)
        if answer is not None:
            found += (("answer", violation) for violation in answer_violations(document, request, answer))
            self.answers[operation, answer.status] += known
        findings = [
            Finding(kind, operation, status, violation)
            for kind, violation in found
            if not self._allows(allowances, kind, operation, violation, request.version)
        ]
        self.findings += len(findings)
        return findings

    def _allows(
        self, allowances: Sequence[Allowance], kind: Kind, operation: str, violation: Violation, version: str | None
    ) -> bool:
        for place, allowance in enumerate(allowances):
            if allowance.covers(kind, operation, violation, version):
                self.allowed[place] += 1
                return True
        return False

    def add(self, other: Ledger) -> None:
        """Take in what another process has counted."""
        self.ours.update(other.ours)
        self.refused.update(other.refused)
        self.answers.update(other.answers)
        self.allowed.update(other.allowed)
        self.findings += other.findings

    def to_plain(self) -> dict[str, Any]:
        """This ledger in types that can be sent to another process."""
        return {
            "ours": dict(self.ours),
            "refused": dict(self.refused),
            "answers": [[operation, status, count] for (operation, status), count in self.answers.items()],
            "allowed": [[place, count] for place, count in self.allowed.items()],
            "findings": self.findings,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        return cls(
            ours=Counter(plain["ours"]),
            refused=Counter(plain["refused"]),
            answers=Counter({(operation, status): count for operation, status, count in plain["answers"]}),
            allowed=Counter(dict(plain["allowed"])),
            findings=plain["findings"],
        )

    def unexercised(self, documents: Documents) -> list[str]:
        """Operations that our client was never seen to ask for, or the simulator never seen to carry out."""
        carried_out = {operation for (operation, status), count in self.answers.items() if count and status < 400}
        asked_for = {operation for operation, count in self.ours.items() if count}
        return sorted(documents.operation_names() - (carried_out & asked_for))

    def unneeded(self, allowances: Sequence[Allowance] = ALLOWANCES) -> list[Allowance]:
        return [allowance for place, allowance in enumerate(allowances) if not self.allowed[place]]

    def lines(self, documents: Documents) -> Iterator[str]:
        """The summary."""
        requests, answers, refused = (sum(each.values()) for each in (self.ours, self.answers, self.refused))
        yield (
            f"{requests:,} requests of our client and {answers:,} answers of the simulator checked, "
            f"{refused:,} malformed requests seen refused, {sum(self.allowed.values()):,} times an exception made"
        )
        for name in sorted(documents.operation_names(), key=lambda name: (name.partition(" ")[2], name)):
            statuses = sorted(
                (status, count) for (operation, status), count in self.answers.items() if operation == name
            )
            told = ", ".join(f"{status}: {count:,}" for status, count in statuses if count) or "none"
            yield f"  {name}: {self.ours[name]:,} requests; {self.refused[name]:,} refused; answers {told}"

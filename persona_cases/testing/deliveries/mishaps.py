"""What goes wrong with deliveries of webhooks, on demand.

A receiver has to expect all of it: deliveries come at least once and in any order, and anybody can send it a request::

    sim.webhooks.mishaps.next(Mishap.twice())
    sim.webhooks.mishaps.add(Mishap.forged(), event="case.redacted")
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from random import Random
from typing import Literal, TypeAlias

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol import checks
from persona_cases.surface import publish

__all__ = ["Mishap", "Mishaps", "SignatureFlaw"]

SignatureFlaw: TypeAlias = Literal["forged", "missing", "malformed", "altered body"]


@attrs.frozen(kw_only=True)
class Mishap:
    """Something that goes wrong with one event on its way to a webhook. Make one with the class methods.

    Attributes:
        name: what `WebhookDelivery.mishap` says afterwards.
        delay: seconds on the simulator's clock until the first attempt.
        copies: how many deliveries the event has.
        apart: seconds on the simulator's clock between copies; with 0 they are sent at the same time.
        flaw: what is wrong with the signature of the first attempt.
        age: how many seconds older than it is the signature of the first attempt says to be.
    """

    name: str
    delay: float = 0.0
    copies: int = 1
    apart: float = 0.0
    flaw: SignatureFlaw | None = None
    age: float = 0.0

    @classmethod
    def twice(cls, apart: float = 0.0) -> Mishap:
        """Deliver the event twice: at the same time, or that many seconds apart on the simulator's clock.

        Raises:
            InvalidArgumentError: a time is negative.
        """
        return cls(name="twice", copies=2, apart=checks.seconds(apart, "apart", least=0))

    @classmethod
    def late(cls, seconds: float) -> Mishap:
        """Deliver the event that many seconds later on the simulator's clock, so that later ones overtake it.

        Raises:
            InvalidArgumentError: `seconds` is not above zero.
        """
        return cls(name="late", delay=checks.seconds(seconds, "seconds"))

    @classmethod
    def forged(cls) -> Mishap:
        """Sign with a secret that the receiver does not have. The vendor's next attempt is signed as it should be."""
        return cls(name="forged", flaw="forged")

    @classmethod
    def unsigned(cls) -> Mishap:
        """Leave the signature out. The next attempt is signed as it should be."""
        return cls(name="unsigned", flaw="missing")

    @classmethod
    def malformed(cls) -> Mishap:
        """Send a header that is no signature. The next attempt is signed as it should be."""
        return cls(name="malformed", flaw="malformed")

    @classmethod
    def altered(cls) -> Mishap:
        """Change the body after it was signed. The next attempt is as it should be."""
        return cls(name="altered", flaw="altered body")

    @classmethod
    def stale(cls, seconds: float = 3600.0) -> Mishap:
        """Sign as if that many seconds ago, as whoever recorded a delivery would. The next attempt is signed anew.

        Raises:
            InvalidArgumentError: `seconds` is not above zero.
        """
        return cls(name="stale", age=checks.seconds(seconds, "seconds"))


@attrs.define
class _MishapRule:
    mishap: Mishap
    event: str
    probability: float
    times: int | None


class Mishaps:
    """The mishaps of a simulator's webhooks. For each event the first rule that is due decides.

    Args:
        seed: decides about rules with a `probability`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[_MishapRule] = []
        self._random = Random(f"mishaps:{seed}")

    def __repr__(self) -> str:
        return f"<Mishaps: {[rule.mishap.name for rule in self._rules]}>"

    def add(self, mishap: Mishap, *, event: str = "*", probability: float = 1.0, times: int | None = None) -> None:
        """Let a mishap happen to events.

        Args:
            mishap: what happens.
            event: only events whose name fits this pattern, such as `case.*`.
            probability: only that share of them, decided by the simulator's seed.
            times: at most so many times; without end, if left out.

        Raises:
            InvalidArgumentError: a number is out of range.
        """
        if not 0 <= probability <= 1:
            raise InvalidArgumentError("probability: needs to lie between 0 and 1")
        if times is not None and times < 1:
            raise InvalidArgumentError("times: needs to be at least 1")
        self._rules.append(_MishapRule(mishap, event, probability, times))

    def next(self, *mishaps: Mishap, event: str = "*") -> None:
        """Let these mishaps happen to the next matching events, one each, in this order."""
        for mishap in mishaps:
            self.add(mishap, event=event, times=1)

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()

    def choose(self, event: str) -> Mishap | None:
        """What happens to an event of this name, if anything."""
        for rule in self._rules:
            if fnmatchcase(event, rule.event) and rule.times != 0 and self._random.random() < rule.probability:
                rule.times = None if rule.times is None else rule.times - 1
                return rule.mishap
        return None


publish("persona_cases.testing", Mishap, Mishaps)

"""Scripted mishaps of webhook deliveries.

A receiver has to expect all of them: deliveries come at least once and in any order, and anyone can send it a request::

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
    """A mishap of one event on its way to a webhook. Make one with the class methods.

    Attributes:
        name: its name in `WebhookDelivery.mishap`.
        delay: seconds on the simulator's clock until the first attempt.
        copies: number of deliveries of the event.
        apart: seconds on the simulator's clock between copies; with 0 they are sent at the same time.
        flaw: what is wrong with the signature of the first attempt.
        age: seconds by which the signature of the first attempt is antedated.
    """

    name: str
    delay: float = 0.0
    copies: int = 1
    apart: float = 0.0
    flaw: SignatureFlaw | None = None
    age: float = 0.0

    @classmethod
    def twice(cls, apart: float = 0.0) -> Mishap:
        """Deliver the event twice.

        Args:
            apart: seconds between the two on the simulator's clock; 0 sends them at the same time.

        Returns:
            The mishap.

        Raises:
            InvalidArgumentError: if `apart` is negative.
        """
        return cls(name="twice", copies=2, apart=checks.seconds(apart, "apart", least=0))

    @classmethod
    def late(cls, seconds: float) -> Mishap:
        """Deliver the event late, so that later events overtake it.

        Args:
            seconds: the delay on the simulator's clock.

        Returns:
            The mishap.

        Raises:
            InvalidArgumentError: if `seconds` is not above zero.
        """
        return cls(name="late", delay=checks.seconds(seconds, "seconds"))

    @classmethod
    def forged(cls) -> Mishap:
        """Sign with a secret that the receiver does not have. The next attempt is signed correctly."""
        return cls(name="forged", flaw="forged")

    @classmethod
    def unsigned(cls) -> Mishap:
        """Leave the signature out. The next attempt is signed correctly."""
        return cls(name="unsigned", flaw="missing")

    @classmethod
    def malformed(cls) -> Mishap:
        """Send a header that is not a signature. The next attempt is signed correctly."""
        return cls(name="malformed", flaw="malformed")

    @classmethod
    def altered(cls) -> Mishap:
        """Change the body after signing it. The next attempt is correct."""
        return cls(name="altered", flaw="altered body")

    @classmethod
    def stale(cls, seconds: float = 3600.0) -> Mishap:
        """Send an old signature, as in a replayed delivery. The next attempt has a new signature.

        Args:
            seconds: the age of the signature.

        Returns:
            The mishap.

        Raises:
            InvalidArgumentError: if `seconds` is not above zero.
        """
        return cls(name="stale", age=checks.seconds(seconds, "seconds"))


@attrs.define
class _MishapRule:
    mishap: Mishap
    event: str
    probability: float
    times: int | None


class Mishaps:
    """The mishaps of a simulator's webhooks. For each event, the first rule that is due decides.

    Args:
        seed: determines the outcome of rules with a `probability`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[_MishapRule] = []
        self._random = Random(f"mishaps:{seed}")

    def __repr__(self) -> str:
        return f"<Mishaps: {[rule.mishap.name for rule in self._rules]}>"

    def add(self, mishap: Mishap, *, event: str = "*", probability: float = 1.0, times: int | None = None) -> None:
        """Make a mishap happen to events.

        Args:
            mishap: the mishap.
            event: only events whose name matches this pattern, such as `case.*`.
            probability: only this share of the events, determined by the simulator's seed.
            times: maximum number of times; None for no limit.

        Raises:
            InvalidArgumentError: if a number is out of range.
        """
        if not 0 <= probability <= 1:
            raise InvalidArgumentError("probability must be from 0 to 1")
        if times is not None and times < 1:
            raise InvalidArgumentError("times must be at least 1")
        self._rules.append(_MishapRule(mishap, event, probability, times))

    def next(self, *mishaps: Mishap, event: str = "*") -> None:
        """Make these mishaps happen to the next matching events, one each, in this order.

        Args:
            mishaps: the mishaps.
            event: only events whose name matches this pattern, such as `case.*`.
        """
        for mishap in mishaps:
            self.add(mishap, event=event, times=1)

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def choose(self, event: str) -> Mishap | None:
        """Return the mishap of an event with this name, if any."""
        for rule in self._rules:
            if fnmatchcase(event, rule.event) and rule.times != 0 and self._random.random() < rule.probability:
                rule.times = None if rule.times is None else rule.times - 1
                return rule.mishap
        return None


publish("persona_cases.testing", Mishap, Mishaps)

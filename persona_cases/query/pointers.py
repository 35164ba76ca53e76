"""Where the nodes of an expression stand, as JSON pointers into what `to_dict` gives."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not

__all__ = ["Place"]


@attrs.frozen(eq=False)
class Place:
    """A node, which knows the way to itself: pointers are only written out for errors.

    Attributes:
        node: what stands there.
        negated: whether an odd number of negations stands above it.
        depth: how many boolean nodes stand above it.
    """

    node: Node
    negated: bool = False
    depth: int = 0
    _above: Place | None = None
    _step: str = ""

    @property
    def pointer(self) -> str:
        """The JSON pointer; empty for the root."""
        steps: list[str] = []
        place: Place | None = self
        while place is not None:
            steps.append(place._step)
            place = place._above
        return "".join(reversed(steps))

    def below(self) -> Sequence[Place]:
        """The places of the parts, in the order in which they were written."""
        match self.node:
            case Comparison():
                return ()
            case Not():
                return (self._part(self.node.part, "/not", negated=not self.negated),)
            case AllOf() | AnyOf():
                word = self.node.word
                return [
                    self._part(part, f"/{word}/{i}", negated=self.negated) for i, part in enumerate(self.node.parts)
                ]

    def _part(self, node: Node, step: str, *, negated: bool) -> Place:
        return Place(node, negated, self.depth + 1, self, step)

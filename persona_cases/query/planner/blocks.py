"""Blocks: the expressions that fit one search, as sets of small integers.

A *literal* stands for a comparison (an even number) or its complement (the odd number after it). A *clause* is a set of
literals of which at least one must hold; a *block* is a set of clauses that must all hold. So a block is a conjunctive
normal form, and with the API's two levels it is one search: an `and` of comparisons, complements and `or`s.

A complement takes a level of its own, so an `or` inside an `and` has no room for one, unless the limits do not count
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import product
from math import ceil, inf, prod
from typing import Final, TypeAlias

import attrs

from persona_cases.query.intervals import axis_of, contradictory_or_needless
from persona_cases.query.nodes import Comparison, Node, Not, Predicate, leaves_of
from persona_cases.query.planner.search_limits import SearchLimits

__all__ = ["EVERYTHING", "Block", "Capacity", "Clause", "Vocabulary", "disjoined", "normal", "split"]

Clause: TypeAlias = frozenset[int]
Block: TypeAlias = frozenset[Clause]

EVERYTHING: Final[Block] = frozenset()


class Vocabulary:
    """The comparisons of an expression by number, in the order written."""

    def __init__(self, predicate: Predicate) -> None:
        self._leaves = list(dict.fromkeys(leaves_of(predicate)))
        self._numbers = {leaf: number for number, leaf in enumerate(self._leaves)}
        axes = [axis_of(leaf) for leaf in self._leaves]
        shared = Counter(axis for axis in axes if axis is not None)
        self._related = frozenset(
            literal
            for number, axis in enumerate(axes)
            if axis is not None and shared[axis] > 1
            for literal in (2 * number, 2 * number + 1)
        )

    def literal(self, leaf: Comparison, *, negated: bool) -> int:
        """Return the number of a comparison or of its complement."""
        return 2 * self._numbers[leaf] + negated

    def node(self, literal: int) -> Node:
        """Return the comparison or complement that a literal stands for."""
        leaf = self._leaves[literal // 2]
        return Not(leaf) if literal % 2 else leaf

    def without_needless(self, literals: frozenset[int]) -> frozenset[int] | None:
        """Drop redundant literals from literals that must all hold; None if they cannot all hold."""
        related = literals & self._related
        if len(related) < 2:
            return literals
        nodes = {self.node(literal): literal for literal in related}
        needless = contradictory_or_needless(nodes, conjunctive=True)
        return None if needless is None else literals - {nodes[node] for node in needless}


@attrs.frozen
class Capacity:
    """The capacity of one search.

    Attributes:
        width: clauses per node.
        nested: whether `and` and `or` can be nested.
        free_complements: whether a complement fits wherever a comparison does.
    """

    width: int
    nested: bool
    free_complements: bool

    @classmethod
    def of(cls, limits: SearchLimits) -> Capacity:
        """Return the capacity under these limits."""
        free = not limits.count_negated_leaf or limits.max_depth > 2
        return cls(limits.max_clauses, limits.max_depth > 1, free)

    def is_free(self, literal: int) -> bool:
        """Return whether a literal fits into the `or` of an `and`, and into the `and` of an `or`."""
        return self.free_complements or not literal % 2

    def slots(self, block: Block) -> float:
        """Return how many slots of one `and` a block takes; infinity if it does not fit any."""
        if len(block) == 1:
            return 1
        free = sum(len(clause) == 1 and self.is_free(*clause) for clause in block)
        bound = len(block) - free
        if not self.nested:
            return inf if bound else free
        return len(block) if len(block) <= self.width else bound + ceil(free / self.width)

    def holds(self, block: Block) -> bool:
        """Return whether one search can express a block."""
        if len(block) == 1:
            (clause,) = block
            return len(clause) <= (self.width**2 if self.nested else self.width)
        return self.slots(block) <= self.width and all(len(clause) <= self.width for clause in block)


def normal(clauses: Iterable[Clause], vocabulary: Vocabulary) -> Block | None:
    """Simplify clauses that must all hold; None if they cannot all hold."""
    block = frozenset(clauses)
    while True:
        units = frozenset(literal for clause in block if len(clause) == 1 for literal in clause)
        kept = vocabulary.without_needless(units)
        if kept is None or any(literal ^ 1 in kept for literal in kept):
            return None
        wide = [clause for clause in block if len(clause) > 1]
        if not wide:
            return frozenset(frozenset((literal,)) for literal in kept)
        false = {literal ^ 1 for literal in units}
        reduced = {clause - false for clause in wide if not clause & units}
        if frozenset() in reduced:
            return None
        found = frozenset({*(frozenset((literal,)) for literal in kept), *_minimal(reduced)})
        if found == block:
            return block
        block = found


def _minimal(clauses: set[Clause]) -> Iterable[Clause]:
    if len(clauses) < 2:
        return clauses
    return [clause for clause in clauses if not any(other < clause for other in clauses)]


def disjoined(left: Block, right: Block, vocabulary: Vocabulary, capacity: Capacity) -> Block | None:
    """Return the block that holds where either block does; None if it is too large for one search."""
    common = left & right
    own, other = left - common, right - common
    if len(own) * len(other) > 2 * capacity.width:
        return None
    clauses = set(common)
    for clause in (one | two for one in own for two in other):
        if any(literal ^ 1 in clause for literal in clause):
            continue
        if len(clause) > 1 and not all(capacity.is_free(literal) for literal in clause):
            return None
        clauses.add(clause)
    return normal(clauses, vocabulary)


@attrs.frozen
class Split:
    """A block as a union of blocks, each of which fits one search.

    Attributes:
        blocks: the blocks; None if there would be too many.
        count: their number, or an estimate if there are too many; infinity if no number is enough.
    """

    blocks: list[Block] | None
    count: float


def split(block: Block, vocabulary: Vocabulary, capacity: Capacity, most: int) -> Split:
    """Split a block into at most `most` blocks, each of which fits one search."""
    if capacity.holds(block):
        return Split([block], 1)
    choices = [_pieces(clause, capacity) for clause in sorted(block, key=sorted)]
    widths = sorted(len(clause) for pieces in choices for clause in pieces[:1] if len(clause) > 1)
    count = prod(map(len, choices)) * _spread(block, widths, capacity)
    if count > most:
        return Split(None, count)
    pending = [frozenset(chosen) for chosen in product(*choices)]
    found: dict[Block, None] = {}
    while pending:
        piece = normal(pending.pop(), vocabulary)
        if piece is None:
            continue
        if capacity.holds(piece):
            found[piece] = None
            continue
        narrowest = min((clause for clause in piece if len(clause) > 1), key=lambda it: (len(it), sorted(it)))
        rest = piece - {narrowest}
        pending.extend(rest | {frozenset((literal,))} for literal in narrowest)
    return Split(list(found), len(found))


def _pieces(clause: Clause, capacity: Capacity) -> list[Clause]:
    """Return a clause as a union of clauses that fit into an `and`."""
    literals = sorted(clause)
    width = capacity.width if capacity.nested else 1
    return [frozenset(literals[start : start + width]) for start in range(0, len(literals), width)]


def _spread(block: Block, widths: list[int], capacity: Capacity) -> float:
    """Return how many parts a block must be split into if its narrowest clauses are split first."""
    alone = sum(not capacity.is_free(*clause) for clause in block if len(clause) == 1)
    for dissolved in range(len(widths) + 1):
        wide = len(widths) - dissolved
        free = len(block) - alone - wide
        if not capacity.nested:
            return 1 if not alone and free <= capacity.width else inf
        slots = len(block) if len(block) <= capacity.width else alone + wide + ceil(free / capacity.width)
        if slots <= capacity.width:
            return prod(widths[:dissolved])
    return inf

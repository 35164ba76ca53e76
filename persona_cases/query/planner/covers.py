"""Covers: an expression as a union of blocks, built from its leaves upward, of bounded size.

Writing an expression as a union of conjunctions (a disjunctive normal form) can take exponentially many conjunctions,
and a conjunction of unions can too. Blocks are in between: a cover keeps a union inside a block if it fits, and splits
only unions that do not fit. Each node keeps two forms, because the node above decides which is cheaper: `whole`, one
block for everything, and `blocks`, a union.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import cast

import attrs

from persona_cases.query.nodes import AllOf, AnyOf, Comparison, Node, Not, Predicate, fold_nodes
from persona_cases.query.planner.blocks import EVERYTHING, Block, Capacity, Clause, Vocabulary, disjoined, normal

__all__ = ["Cover", "Covers", "TooManyBlocksError", "minimal"]

# Up to this number, comparing every block with every other one is worthwhile.
_COMPARED = 64
# Maximum number of clauses to combine for one expression, and additional ones per allowed block: by default some tens
# of milliseconds, and a few megabytes.
_WORK, _WORK_A_BLOCK = 30_000, 20


class TooManyBlocksError(Exception):
    """A part of the expression takes at least `count` blocks, more than allowed."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


@attrs.frozen
class Cover:
    """An expression as a union of blocks.

    Attributes:
        blocks: the blocks; empty if nothing can match.
        whole: one block for the whole expression, if there is one that fits one search.
    """

    blocks: tuple[Block, ...]
    whole: Block | None

    @classmethod
    def of(cls, block: Block | None) -> Cover:
        """Return the cover of a single block; for None, an empty cover."""
        return _NOTHING if block is None else cls((block,), block)


_NOTHING = Cover((), None)


class Covers:
    """Builds covers of at most `most` blocks for expressions in negation normal form.

    Every method raises `TooManyBlocksError` if a cover needs more blocks or too much work.
    """

    def __init__(self, vocabulary: Vocabulary, capacity: Capacity, most: int) -> None:
        self._vocabulary = vocabulary
        self._capacity = capacity
        self._most = most
        self._work = _WORK + _WORK_A_BLOCK * most

    def of(self, expression: Predicate) -> Cover:
        """Return the cover of an expression."""
        return fold_nodes(expression, self.combine)

    def combine(self, node: Node, parts: list[Cover]) -> Cover:
        """Return the cover of a node from the covers of its parts, which are ignored for a complement."""
        match node:
            case Comparison():
                return self.literal(node, negated=False)
            case Not():
                # In negation normal form, only a comparison is below a complement.
                return self.literal(cast("Comparison", node.part), negated=True)
            case AllOf():
                return self.all_of(parts)
            case AnyOf():
                return self.any_of(parts)

    def literal(self, leaf: Comparison, *, negated: bool) -> Cover:
        """Return the cover of a comparison or of its complement."""
        literal = self._vocabulary.literal(leaf, negated=negated)
        return Cover.of(frozenset((frozenset((literal,)),)))

    def all_of(self, parts: Sequence[Cover]) -> Cover:
        """Return the cover of a conjunction."""
        if not all(part.blocks for part in parts):
            return _NOTHING
        whole = None
        if all(part.whole is not None for part in parts):
            whole = self._normal([clause for part in parts for clause in part.whole or ()])
            if whole is None or self._capacity.holds(whole):
                return Cover.of(whole)
        try:
            blocks = self._product(*self._with_room(parts))
        except TooManyBlocksError:
            if whole is None:
                raise
            return Cover.of(whole)
        return Cover(blocks, blocks[0] if len(blocks) == 1 else whole)

    def any_of(self, parts: Sequence[Cover]) -> Cover:
        """Return the cover of a disjunction."""
        parts = [part for part in parts if part.blocks]
        if not parts:
            return _NOTHING
        whole = self._whole(parts)
        blocks = self._fused([block for part in parts for block in self._united_face(part)])
        if EVERYTHING in blocks:
            return Cover.of(EVERYTHING)
        if len(blocks) == 1:
            return Cover.of(blocks[0])
        self._spend(sum(map(len, blocks)))
        if len(blocks) > self._most:
            if whole is None:
                raise TooManyBlocksError(len(blocks))
            return Cover.of(whole)
        return Cover(tuple(blocks), whole)

    def _with_room(self, parts: Sequence[Cover]) -> tuple[list[Block], list[Cover]]:
        """Choose which parts stay one block, the smallest first, while they fit an `and`."""
        kept: list[Block] = []
        multiplied: list[Cover] = []
        together: Block = EVERYTHING
        for part in sorted(parts, key=lambda part: 0 if part.whole is None else len(part.whole)):
            if part.whole is None:
                multiplied.append(part)
                continue
            wider = together | part.whole
            if len(part.blocks) == 1 or self._capacity.slots(wider) <= self._capacity.width:
                kept.append(part.whole)
                together = wider
            else:
                multiplied.append(part)
        return kept, multiplied

    def _product(self, kept: list[Block], multiplied: list[Cover]) -> tuple[Block, ...]:
        first = self._normal([clause for block in kept for clause in block])
        found = [] if first is None else [first]
        for part in sorted(multiplied, key=lambda part: len(part.blocks)):
            if len(found) * len(part.blocks) > 4 * self._most:
                raise TooManyBlocksError(prod(len(part.blocks) for part in multiplied))
            combined = [self._normal([*left, *right]) for left in found for right in part.blocks]
            found = minimal([block for block in combined if block is not None])
        if len(found) > self._most:
            raise TooManyBlocksError(len(found))
        return tuple(found)

    def _normal(self, clauses: Sequence[Clause]) -> Block | None:
        self._spend(len(clauses))
        return normal(clauses, self._vocabulary)

    def _spend(self, clauses: int) -> None:
        self._work -= clauses
        if self._work < 0:
            raise TooManyBlocksError(self._most + 1)

    def _united_face(self, part: Cover) -> tuple[Block, ...]:
        """Return the form of a part to unite with others: terms, which share a search, rather than its own block."""
        if part.whole is None or all(map(self._is_term, part.blocks)):
            return part.blocks
        return (part.whole,)

    def _is_term(self, block: Block) -> bool:
        return len(block) == 1 or all(len(clause) == 1 for clause in block)

    def _whole(self, parts: Sequence[Cover]) -> Block | None:
        wholes = [part.whole for part in parts if part.whole is not None]
        if len(wholes) < len(parts):
            return None
        first, *others = self._fused(wholes)
        found: Block | None = first
        for block in others:
            if found is None:
                return None
            found = disjoined(found, block, self._vocabulary, self._capacity)
        return found

    def _fused(self, blocks: list[Block]) -> list[Block]:
        """Unite all blocks that are a clause of free literals, and drop blocks that others include."""
        literals: set[int] = set()
        kept: list[Block] = []
        for block in blocks:
            clause = next(iter(block)) if len(block) == 1 else frozenset[int]()
            if clause and all(self._capacity.is_free(literal) for literal in clause):
                literals |= clause
            else:
                kept.append(block)
        complements = {literal for block in kept if len(block) == 1 for clause in block for literal in clause}
        if any(literal ^ 1 in literals for literal in (*complements, *literals)):
            return [EVERYTHING]
        if literals:
            kept.insert(0, frozenset((frozenset(literals),)))
        return minimal(kept)


def minimal(blocks: Iterable[Block]) -> list[Block]:
    """Drop duplicates, and blocks that another one includes."""
    distinct = list(dict.fromkeys(blocks))
    if not 1 < len(distinct) <= _COMPARED:
        return distinct
    return [block for block in distinct if not any(other < block for other in distinct)]

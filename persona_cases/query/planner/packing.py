"""Packing: combines the blocks of a cover into few searches, and turns these into expressions.

Two kinds of search can express blocks. An `and` expresses one block. An `or` expresses as many *terms* as it has
clauses. Terms are blocks that need no level below their own: conjunctions of comparisons, and clauses. So terms share a
search, but other blocks need one each. A block with few combinations may be cheaper as terms, if a search has room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import ceil, inf, prod

import attrs

from persona_cases.query.nodes import AllOf, AnyOf, Node, Predicate
from persona_cases.query.planner.blocks import EVERYTHING, Block, Capacity, Vocabulary, disjoined, normal, split
from persona_cases.query.planner.covers import Cover, minimal
from persona_cases.query.planner.nesting import nested
from persona_cases.query.planner.search_limits import SearchLimits

__all__ = ["Packing", "expression", "pack"]

# Maximum number of attempts to merge two blocks, for a whole packing.
_MERGES = 500
# Maximum number of terms to write a whole cover as, to see whether that takes fewer searches.
_EXPANDED = 200


@attrs.frozen
class Packing:
    """Searches, each as the union of the blocks that it expresses.

    Attributes:
        searches: the searches; None if there would be too many.
        count: their number, or a lower bound if there are too many; infinity if no number is enough.
    """

    searches: tuple[tuple[Block, ...], ...] | None
    count: float


def pack(cover: Cover, vocabulary: Vocabulary, capacity: Capacity, most: int) -> Packing:
    """Express a cover in as few searches as possible, but at most `most`."""
    if cover.whole == EVERYTHING:
        return Packing(((EVERYTHING,),), 1)
    best = Packing(None, inf)
    for blocks in _ways(cover, vocabulary, capacity):
        packing = _packed(blocks, vocabulary, capacity, most)
        if packing.count < best.count:
            best = packing
        if best.count <= 1:
            break
    return best


def _ways(cover: Cover, vocabulary: Vocabulary, capacity: Capacity) -> Iterator[Sequence[Block]]:
    """Yield the cover in equivalent forms, the most promising first."""
    yield minimal(cover.blocks)
    if cover.whole is not None:
        yield [cover.whole]
    yield _merged(cover.blocks, vocabulary, capacity)
    if sum(map(_combinations, cover.blocks)) <= _EXPANDED:
        terms = minimal(term for block in cover.blocks for term in _terms(block, vocabulary))
        yield terms
        yield _merged(terms, vocabulary, capacity)


def _packed(blocks: Iterable[Block], vocabulary: Vocabulary, capacity: Capacity, most: int) -> Packing:
    terms: list[Block] = []
    own: list[Block] = []
    needed: float = 0
    for block in blocks:
        if _is_term(block, capacity):
            terms.append(block)
            continue
        pieces = split(block, vocabulary, capacity, most)
        needed += pieces.count
        own.extend(pieces.blocks or ())
    if needed > most:
        return Packing(None, needed)
    own = minimal(own)
    terms, own = _spread(terms, own, vocabulary, capacity)
    searches = [*_pools(terms, capacity), *((block,) for block in own)]
    return Packing(tuple(searches) if len(searches) <= most else None, len(searches))


def _merged(blocks: Sequence[Block], vocabulary: Vocabulary, capacity: Capacity) -> list[Block]:
    """Merge blocks while the result fits one search, starting with blocks that have the same complements."""
    alike: dict[Block, list[Block]] = defaultdict(list)
    tries: int = _MERGES
    for block in blocks:
        bound = frozenset(clause for clause in block if not all(map(capacity.is_free, clause)))
        group = alike[bound]
        for index, other in enumerate(group):
            if tries < 1 or not (other & block):
                continue
            tries -= 1
            merged = disjoined(other, block, vocabulary, capacity)
            if merged is not None and capacity.holds(merged):
                group[index] = merged
                break
        else:
            group.append(block)
    return minimal([block for group in alike.values() for block in group])


def _is_term(block: Block, capacity: Capacity) -> bool:
    """Return whether a block is one clause of an `or`, or can be split into such clauses."""
    if len(block) == 1:
        return capacity.nested or all(map(capacity.is_free, _only(block)))
    free = all(len(clause) == 1 and capacity.is_free(*clause) for clause in block)
    return capacity.nested and free and len(block) <= capacity.width


def _spread(
    terms: list[Block], own: list[Block], vocabulary: Vocabulary, capacity: Capacity
) -> tuple[list[Block], list[Block]]:
    """Write blocks as terms if that saves searches, those with the fewest combinations first."""
    sized = sorted(
        (_combinations(block), sorted(map(sorted, block)), block) for block in own if _has_terms(block, capacity)
    )
    taken, leaves = _counted(terms, capacity)
    best, spread = ceil(_slots(taken, leaves, capacity) / capacity.width), 0
    for index, (combinations, _, _) in enumerate(sized, start=1):
        taken += combinations
        if (searches := ceil(_slots(taken, leaves, capacity) / capacity.width) - index) < best:
            best, spread = searches, index
    chosen = [block for _, _, block in sized[:spread]]
    united = [term for block in chosen for term in _terms(block, vocabulary)]
    return minimal([*terms, *united]), [block for block in own if block not in chosen]


def _has_terms(block: Block, capacity: Capacity) -> bool:
    return (
        capacity.nested
        and len(block) <= capacity.width
        and all(capacity.is_free(it) for clause in block for it in clause)
    )


def _combinations(block: Block) -> int:
    return prod(map(len, block))


def _terms(block: Block, vocabulary: Vocabulary) -> Iterable[Block]:
    for literals in product(*(sorted(clause) for clause in sorted(block, key=sorted))):
        term = normal((frozenset((literal,)) for literal in literals), vocabulary)
        if term is not None:
            yield term


def _counted(terms: Iterable[Block], capacity: Capacity) -> tuple[int, int]:
    """Count the slots of terms other than single comparisons, and the single comparisons."""
    taken = leaves = 0
    for term in terms:
        if len(term) > 1:
            taken += 1
            continue
        free = sum(map(capacity.is_free, _only(term)))
        leaves += free
        taken += len(_only(term)) - free
    return taken, leaves


def _slots(taken: int, leaves: int, capacity: Capacity) -> int:
    """Return how many slots of an `or` are needed if single comparisons are gathered when necessary."""
    gathered = capacity.nested and taken + leaves > capacity.width
    return taken + (ceil(leaves / capacity.width) if gathered else leaves)


def _pools(terms: list[Block], capacity: Capacity) -> list[tuple[Block, ...]]:
    """Fill searches with terms, in the order written."""
    entries = sorted((entry for term in terms for entry in _entries(term, capacity)), key=_first)
    if not capacity.nested or len(entries) <= capacity.width:
        return _chunks(entries, capacity.width)
    leaves = [entry for entry in entries if len(entry) == 1 and capacity.is_free(*next(iter(entry)))]
    gathered = [_gathered(chunk) for chunk in _chunks(leaves, capacity.width)]
    alone = frozenset(leaves)
    others = [entry for entry in entries if entry not in alone]
    return _chunks(sorted([*others, *gathered], key=_first), capacity.width)


def _gathered(leaves: Iterable[Block]) -> Block:
    return frozenset((frozenset(literal for leaf in leaves for literal in _only(leaf)),))


def _entries(term: Block, capacity: Capacity) -> Iterable[Block]:
    if len(term) > 1:
        return [term]
    return [frozenset((frozenset((literal,)),)) for literal in _only(term)]


def _only(block: Block) -> frozenset[int]:
    (clause,) = block
    return clause


def _first(block: Block) -> list[list[int]]:
    return sorted(map(sorted, block))


def _chunks(entries: Sequence[Block], size: int) -> list[tuple[Block, ...]]:
    return [tuple(entries[start : start + size]) for start in range(0, len(entries), size)]


def expression(search: tuple[Block, ...], vocabulary: Vocabulary, limits: SearchLimits) -> Predicate | None:
    """Return a search as an expression within the limits; None if it finds every case."""
    if EVERYTHING in search:
        return None
    said = _joined(AnyOf, [_block_node(block, vocabulary) for block in search])
    packed = nested(said, limits)
    return said if packed is None else packed


def _block_node(block: Block, vocabulary: Vocabulary) -> Node:
    clauses = [
        _joined(AnyOf, [vocabulary.node(literal) for literal in sorted(clause)]) for clause in sorted(block, key=sorted)
    ]
    return _joined(AllOf, clauses)


def _joined(kind: type[AllOf | AnyOf], parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    return kind(flat)

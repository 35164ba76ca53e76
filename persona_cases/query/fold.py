"""The loop over trees that every pass of this room uses, so that no pass recurses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["fold"]

N = TypeVar("N")
T = TypeVar("T")


def fold(root: N, children: Callable[[N], Sequence[N]], combine: Callable[[N, list[T]], T]) -> T:
    """Reduce a tree from its leaves to its root, left to right, at any depth.

    Args:
        root: the root.
        children: returns the direct children of a node; called once per node, before theirs.
        combine: returns a node's result from the results of its children.
    """
    results: list[T] = []
    pending: list[tuple[N, int | None]] = [(root, None)]
    while pending:
        node, arity = pending.pop()
        if arity is None:
            below = children(node)
            if not below:
                results.append(combine(node, []))
                continue
            pending.append((node, len(below)))
            pending.extend([(child, None) for child in reversed(below)])
        else:
            results[-arity:] = [combine(node, results[-arity:])]
    return results.pop()

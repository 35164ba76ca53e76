"""What it costs to plan a query, by its size and shape.

Each figure is the least of several rounds: planning allocates little, so the least is what it costs when nothing else
runs. Queries that cannot be planned count too, since an answer that is "no" must come soon as well.

Run: python benchmarks/plan.py [--require]
"""

from __future__ import annotations

import argparse
import platform
import random
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

from persona_cases.errors import QueryTooComplexError
from persona_cases.query import Predicate, Q, plan

TYPICAL, LARGE, REFUSED = 100e-6, 50e-3, 500e-3
"""The bounds in seconds: under 10 leaves, 1,000 leaves, and a refusal of any size."""

REFUSED_BYTES = 8_000_000


def leaves(count: int, value: int = 1) -> list[Predicate]:
    return [Q.fields[f"f{number}"].eq(value) for number in range(count)]


def typical() -> dict[str, Predicate]:
    urgent = Q.status.eq("open") & ~Q.fields.priority.eq("low")
    month = Q.created_at.between("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z")
    mine = Q.assignee.in_([f"user_{number}" for number in range(5)])
    return {
        "2 leaves": urgent,
        "9 leaves": urgent & month & mine,
        "8 leaves, De Morgan": ~(Q.status.eq("a") | Q.status.eq("b")) & mine & Q.fields.amount.gt(100),
    }


def large() -> dict[str, Predicate]:
    several = leaves(1_000)
    tens = [several[start : start + 10] for start in range(0, 1_000, 10)]
    return {
        "1,000 in one list": Q.status.in_([f"name {number}" for number in range(1_000)]),
        "1,000 in 100 terms": Q.any_of(Q.all_of(ten) for ten in tens),
        "1,000 in 100 lists, one or": Q.any_of(Q.any_of(ten) for ten in tens),
        "1,000 in 50 terms, complements": Q.any_of(Q.all_of(each) & ~several[0] for each in tens[::2]),
        "1,000 complements": ~Q.all_of(several[:300]) | Q.any_of(several[300:]),
        "1,000 ranges on one attribute": Q.any_of(Q.fields.x.gt(number) for number in range(1_000)),
    }


def refused() -> dict[str, Predicate]:
    groups = [[~Q.fields[f"f{n}"].eq(m) for m in range(20)] for n in range(20)]
    pairs = [[Q.fields[f"f{n}"].eq(m) & Q.fields.y.gt(m) for m in range(20)] for n in range(20)]
    chain: Predicate = Q.fields.z.eq(1)
    for number, leaf in enumerate(leaves(1_000)):
        chain = chain & leaf if number % 2 else chain | leaf
    return {
        "20 ors of 20 complements": Q.all_of(map(Q.any_of, groups)),
        "20 ors of 20 pairs": Q.all_of(map(Q.any_of, pairs)),
        "random, 1,000 leaves": mixed(random.Random(3), 1_000),
        "a chain of 1,000": chain,
    }


def mixed(rng: random.Random, count: int) -> Predicate:
    if count == 1:
        leaf = Q.fields[f"f{rng.randrange(1_000)}"].eq(rng.randrange(3))
        return ~leaf if rng.random() < 0.3 else leaf
    cuts = sorted(rng.sample(range(1, count), rng.randint(1, min(count - 1, 4))))
    parts = [mixed(rng, end - start) for start, end in zip([0, *cuts], [*cuts, count], strict=True)]
    return Q.all_of(parts) if rng.random() < 0.5 else Q.any_of(parts)


def outcome(where: Predicate) -> str:
    try:
        count = len(plan(where).searches)
    except QueryTooComplexError as error:
        return "refused" if error.searches_needed is None else f"refused: {min(error.searches_needed, 10**6):,}"
    return f"{count} search{'es' * (count != 1)}"


def seconds(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def peak(where: Predicate) -> int:
    tracemalloc.start()
    outcome(where)
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--require", action="store_true", help="fail if a bound is missed")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}")
    print(f"{'query':<34} {'µs':>10} {'bound':>10} {'peak kB':>9}  outcome")
    missed = False
    for bound, rounds, queries in ((TYPICAL, 2_000, typical()), (LARGE, 10, large()), (REFUSED, 3, refused())):
        for name, where in queries.items():
            took = seconds(partial(outcome, where), rounds)
            used = peak(where)
            over = took > bound or (bound == REFUSED and used > REFUSED_BYTES)
            missed |= over
            figures = f"{took * 1e6:>10,.0f} {bound * 1e6:>10,.0f} {used / 1e3:>9,.0f}"
            print(f"{name:<34} {figures}  {outcome(where)}{'  MISSED' if over else ''}")
    return 1 if missed and arguments.require else 0


if __name__ == "__main__":
    raise SystemExit(main())

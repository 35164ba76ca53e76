"""The mistakes that the tool makes, and where it looks for the tests that could notice them."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from textwrap import dedent

import pytest

from mutation.mutants import Mutant, mutant_at, places_in, sample
from mutation.running import Reach, Visit
from mutation.swapping import swap


def mutants_of(root: Path, source: str) -> list[Mutant]:
    (root / "module.py").write_text(dedent(source), encoding="utf-8")
    return [mutant_at(root, place) for place in places_in(root, "module.py")]


@pytest.mark.parametrize(
    ("statement", "mistakes"),
    [
        ("a = b < c", ["a = b <= c", "a = b >= c"]),
        ("a = b == c", ["a = b != c"]),
        ("a = b is c", ["a = b is not c"]),
        ("a = b and c", ["a = b or c"]),
        ("a = b + c", ["a = b - c"]),
        ("a = not b", ["a = not (not b)"]),
        ("a = 3", ["a = 4"]),
        ("a = True", ["a = False"]),
        ("a = b if c else d", ["a = b if not c else d"]),
        ("a = [b for b in c if d]", ["a = [b for b in c]"]),
        ("while a: pass", ["while not a:"]),
        ("def f():\n    return a", ["return None"]),
        ("def f():\n    return False", ["return True"]),
        ("a: int | None = b", []),
        ("raise ValueError(1)", []),
        ("def f(a: int | None) -> int | str:\n    return None", []),
        ("class A(B, frozen=True):\n    pass", []),
        ("__all__ = ['a'] + ['b']", []),
    ],
)
def test_what_is_changed_in_a_statement(tmp_path: Path, statement: str, mistakes: list[str]) -> None:
    made = [mutant.after for mutant in mutants_of(tmp_path, statement)]

    assert [ast.unparse(ast.parse(f"{each} pass" if each.endswith(":") else each)) for each in made] == [
        ast.unparse(ast.parse(f"{each} pass" if each.endswith(":") else each)) for each in mistakes
    ]


SOURCE = """\
LIMIT = 3

def is_small(
    number,
):
    if number < LIMIT:
        return bool(number)
    return (
        number
        == 7
    )
"""


def test_a_mistake_knows_its_lines_and_whether_it_takes_effect_at_import(tmp_path: Path) -> None:
    shown = {(mutant.after, *mutant.lines, mutant.outside) for mutant in mutants_of(tmp_path, SOURCE)}

    assert shown == {
        ("LIMIT = 4", range(1, 2), range(1, 2), True),
        ("if not number < LIMIT:", range(6, 7), range(6, 7), False),
        ("if number <= LIMIT:", range(6, 7), range(6, 7), False),
        ("if number >= LIMIT:", range(6, 7), range(6, 7), False),
        ("return None", range(7, 8), range(7, 8), False),
        ("return None", range(8, 12), range(8, 12), False),
        ("return number != 7", range(9, 11), range(8, 12), False),
        ("return number == 8", range(10, 11), range(8, 12), False),
    }


def test_a_loaded_module_gets_the_mistake(tmp_path: Path) -> None:
    mutants = {mutant.after: mutant for mutant in mutants_of(tmp_path, SOURCE)}
    spec = importlib.util.spec_from_file_location("module", tmp_path / "module.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    is_small = module.is_small
    before = is_small(7), is_small(8)

    swapped = swap(tmp_path, mutants["return number == 8"])

    assert swapped
    assert (before, (is_small(7), is_small(8))) == ((True, False), (False, True))
    assert not swap(tmp_path, mutants["LIMIT = 4"])


def test_the_tests_that_reach_the_line_are_asked_quickest_first(tmp_path: Path) -> None:
    mutants = {mutant.after: mutant for mutant in mutants_of(tmp_path, SOURCE)}
    seconds_and_lines = [(3, {6, 8}), (2, {6, 7}), (1, {6, 8}), (9, {6}), (0.5, set())]
    reach = Reach(
        {test: Visit(each, {"module.py": lines}) for test, (each, lines) in enumerate(seconds_and_lines)},
        dict.fromkeys(range(5), "other"),
    )

    def tests_for(after: str, budget: float = 100) -> list[int]:
        return reach.tests_for(mutants[after], budget)

    assert tests_for("if number <= LIMIT:") == [2, 1, 0, 3]
    assert tests_for("if number <= LIMIT:", budget=6) == [2, 1, 0]
    assert tests_for("if number <= LIMIT:", budget=0) == [2]
    assert tests_for("return number == 8") == [2, 0]
    assert tests_for("LIMIT = 4") == [2, 1, 0, 3]
    one = Reach({0: Visit(1, {"module.py": {6}})}, {0: "other"})
    assert one.tests_for(mutants["return number == 8"], 100) == []


def test_what_a_class_body_says_is_looked_for_in_all_tests_of_its_room(tmp_path: Path) -> None:
    path = "package/rooms/module.py"
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("class A:\n    x = field(eq=False)\n", encoding="utf-8")
    (place,) = places_in(tmp_path, path)
    visits = {0: Visit(4, {}), 1: Visit(1, {path: frozenset({9})}), 2: Visit(2, {}), 3: Visit(3, {})}
    reach = Reach(visits, {0: "rooms", 1: "other", 2: "other", 3: None})

    assert reach.tests_for(mutant_at(tmp_path, place), 100) == [1, 3, 0]


def test_a_sample_stays_when_lines_move_and_other_statements_come(tmp_path: Path) -> None:
    source = "".join(f"a{number} = b < {number} + c\n" for number in range(20))

    def names(source: str, size: int) -> set[str]:
        (tmp_path / "module.py").write_text(source, encoding="utf-8")
        return {place.name for place in sample(places_in(tmp_path, "module.py"), 1, size)}

    every = names(source, 1000)
    before, after = names(source, 20), names(f"x = y and z\n{source}", 20)

    assert len(every) == 80
    assert len(before) == 20
    assert before < every
    assert len(before & after) >= 19

"""Ratios that benchmarks found, and a file of them that `chart.py` draws.

The file is JSON: by the name of a scenario, a list of what was compared, the ratio, the largest that is wanted, and
the floor, if there is one.
Each benchmark replaces its own scenarios, so that several of them add to one file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs


@attrs.frozen
class Verdict:
    """A figure and what it may be at most.

    Attributes:
        what: what is compared.
        value: what was found.
        wanted: the largest that is wanted.
        floor: what the least program with the same guarantees takes, in the same run; None if nothing was measured.
    """

    what: str
    value: float
    wanted: float
    floor: float | None = None

    @property
    def good(self) -> bool:
        return self.value <= self.wanted

    def __str__(self) -> str:
        floor = "" if self.floor is None else f", floor {self.floor:.3f}"
        mark = "" if self.good else "   MISSED"
        return f"{self.what}: {self.value:.3f}, wanted at most {self.wanted:.3f}{floor}{mark}"


def save(path: Path, scenario: str, verdicts: Sequence[Verdict]) -> None:
    """Put what a scenario found into a file, in the place of what it found before."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found[scenario] = [attrs.asdict(each) for each in verdicts]
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def load(path: Path) -> dict[str, list[Verdict]]:
    """Return what each scenario found."""
    return {name: [Verdict(**each) for each in found] for name, found in json.loads(path.read_text("utf-8")).items()}

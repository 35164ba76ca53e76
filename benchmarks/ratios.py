"""Ratios that benchmarks found, and a file of them that `chart.py` draws.

The file is JSON: by the name of a scenario, a list of what was compared, the ratio, and the largest that is wanted.
Each benchmark replaces its own scenarios, so that several of them add to one file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs


@attrs.frozen
class Verdict:
    """A figure and what it may be at most."""

    what: str
    value: float
    wanted: float

    @property
    def good(self) -> bool:
        return self.value <= self.wanted

    def __str__(self) -> str:
        mark = "" if self.good else "   MISSED"
        return f"{self.what}: {self.value:.3f}, wanted at most {self.wanted:.3f}{mark}"


def save(path: Path, scenario: str, verdicts: Sequence[Verdict]) -> None:
    """Put what a scenario found into a file, in the place of what it found before."""
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found[scenario] = [attrs.asdict(each) for each in verdicts]
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def load(path: Path) -> dict[str, list[Verdict]]:
    """Return what each scenario found."""
    return {name: [Verdict(**each) for each in found] for name, found in json.loads(path.read_text("utf-8")).items()}

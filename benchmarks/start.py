"""What a process pays before it does anything: CPU seconds of whole processes, side by side in one run.

    python benchmarks/start.py [--rounds N] [--require] [--save FILE]

Each program runs once per round, in turns, so that a busy machine slows all of them alike. The figure is the smallest
CPU time of all rounds, user and system together. `--require` ends with 1 if a ratio is above its bound.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ratios import Verdict, save


class Row(NamedTuple):
    """A program, what it is compared with, and how many times as long it may take."""

    name: str
    arguments: tuple[str, ...]
    beside: str | None = None
    bound: float = 0.0


AIOHTTP = "import aiohttp"
ALL_WE_NEED = "import aiohttp, attrs, cattrs, msgspec"
FIRST_USE = "from persona_cases import PersonaClient; PersonaClient('persona_sandbox_benchmark').cases"
ROWS = (
    Row("python -c pass", ("-c", "pass")),
    Row(AIOHTTP, ("-c", AIOHTTP)),
    Row(ALL_WE_NEED, ("-c", ALL_WE_NEED)),
    Row("PersonaClient", ("-c", "from persona_cases import PersonaClient"), ALL_WE_NEED, 1.15),
    Row("PersonaClient(...).cases", ("-c", FIRST_USE)),
    # 0.08 s and 0.15 s where aiohttp takes 0.22 s.
    Row("Q", ("-c", "from persona_cases.query import Q"), AIOHTTP, 0.36),
    Row("persona-cases --help", ("-m", "persona_cases", "--help"), AIOHTTP, 0.68),
    Row("persona-cases --version", ("-m", "persona_cases", "--version"), AIOHTTP, 0.68),
    Row("persona-cases export --help", ("-m", "persona_cases", "export", "--help")),
)


def cpu_seconds(arguments: tuple[str, ...]) -> float:
    """Run Python with these arguments, and return its CPU time in seconds."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)  # noqa: S603 - the programs above
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--require", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="put the ratios into a file for chart.py")
    given = parser.parse_args()
    best = {row.name: cpu_seconds(row.arguments) for row in ROWS}  # The first also compiles the modules.
    for _ in range(given.rounds):
        for row in ROWS:
            best[row.name] = min(best[row.name], cpu_seconds(row.arguments))
    for row in ROWS:
        print(f"{row.name:<42} {best[row.name]:6.3f} s")
    verdicts = [
        Verdict(f"CPU of {row.name}, of {row.beside}", best[row.name] / best[row.beside], row.bound)
        for row in ROWS
        if row.beside is not None
    ]
    print("", *verdicts, sep="\n")
    if given.save is not None:
        save(given.save, "start", verdicts)
    return int(given.require and not all(verdict.good for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())

"""What tests of attachments need: a simulator whose addresses expire, and what is on the disk."""

from __future__ import annotations

from persona_cases.testing import Simulator

# Longer than an address is valid.
SEVEN_HOURS = 7 * 60 * 60


def simulated(cases, clock):
    """A simulator of cases, some of which have files."""
    return Simulator(cases=cases, seed=5, clock=clock, rate_limit="off")


def on_disk(directory):
    """What is in the files of a directory, by their paths in it."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }

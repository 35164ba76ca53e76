"""The command line, `persona-cases`. It needs the extra `persona-cases[cli]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

_NEEDED = frozenset({"rich", "typer"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the arguments after the program's name; by default those of this process.
    """
    try:
        from persona_cases.cli.app import run  # noqa: PLC0415 - what it needs comes with an extra

        return run(argv)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        sys.stderr.write("error: the command line needs typer and rich: pip install 'persona-cases[cli]'\n")
        return 1

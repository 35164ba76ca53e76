"""The examples in the help texts: complete command lines that work as they are."""

from __future__ import annotations

from typing import Final

from persona_cases.cli.exits import ExitCode

__all__ = ["EXAMPLES", "PROGRAM", "epilog", "exit_codes"]

PROGRAM: Final = "persona-cases"

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "search": (
        """persona-cases search --simulator --where "status == 'open'" --limit 20""",
        """persona-cases search --simulator --sort updated_at:desc --fields tags""",
        """persona-cases search --where "fields.priority != 'low'" --explain""",
    ),
    "list": (
        """persona-cases list --simulator --status open --limit 20""",
        """persona-cases list --simulator --fields fields.priority --output jsonl""",
    ),
    "get": (
        """persona-cases get --simulator case_j5DjGo07GUN80NQLDbXhXwpr""",
        """persona-cases get --simulator --include accounts case_j5DjGo07GUN80NQLDbXhXwpr""",
    ),
    "export": (
        """persona-cases export --simulator --cases 5000 -o all.jsonl""",
        """persona-cases export --simulator --where "status == 'open'" -o open.jsonl""",
        """persona-cases export --simulator --fields status,tags -o - | head -3""",
    ),
    "simulator": (
        """persona-cases simulator --port 8080""",
        """persona-cases simulator --port 0 --cases 50000 --rate-limit off""",
    ),
}


def epilog(command: str) -> str:
    """Return the end of a command's help: a paragraph an example, so that lines are not joined."""
    return "\n\n".join(("Examples:", *EXAMPLES[command]))


def exit_codes() -> str:
    """Return the end of the program's help."""
    return "Exit codes:\n\n" + ";\n".join(f"{code.value}: {code.meaning}" for code in ExitCode)

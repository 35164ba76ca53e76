"""The examples in the help texts: complete command lines that work as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from persona_cases.cli.exits import ExitCode

__all__ = ["EXAMPLES", "PROGRAM", "epilog", "exit_codes"]

PROGRAM: Final = "persona-cases"

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "search": (
        """persona-cases search --simulator --where "status == 'open'" --limit 20""",
        """persona-cases search --simulator --sort updated_at:desc --only tags""",
        """persona-cases search --where "fields.priority != 'low'" --explain""",
    ),
    "list": (
        """persona-cases list --simulator --status open --limit 20""",
        """persona-cases list --simulator --only fields.priority --output jsonl""",
    ),
    "get": (
        """persona-cases get --simulator case_j5DjGo07GUN80NQLDbXhXwpr""",
        """persona-cases get --simulator --include accounts case_j5DjGo07GUN80NQLDbXhXwpr""",
    ),
    "export": (
        """persona-cases export --simulator --cases 1000 -o all.jsonl""",
        """persona-cases export --simulator --where "status == 'open'" -o open.jsonl""",
        """persona-cases export --simulator --only status,tags -o all.csv""",
        """persona-cases export --simulator --only status,tags -o - | head -3""",
    ),
    "sync": (
        """persona-cases sync --simulator --cases 200 -o warehouse.db""",
        """persona-cases sync --simulator --cases 200 --where "status == 'open'" -o open.db""",
    ),
    "purge": (
        """persona-cases export --simulator --cases 200 -o all.jsonl
persona-cases purge --simulator --cases 200 all.jsonl""",
    ),
    "download": ("""persona-cases download --simulator case_ZzNTi4Vy7QcZ1XdOXRZHvr4d --to files""",),
    "watch": (
        """ID=case_V5jmuMjFfET4ce8vxiVBLbHr
persona-cases watch --simulator --since $ID --limit 3""",
    ),
    "template": ("""persona-cases template --simulator ctmpl_oKGrX8DdwiiEZiK7VOkCExRG""",),
    "codegen": (
        """persona-cases codegen --simulator KYC=ctmpl_oKGrX8DdwiiEZiK7VOkCExRG -o our_cases.py""",
        """persona-cases codegen --simulator -o our_cases.py
persona-cases codegen --simulator --check -o our_cases.py""",
    ),
    "limits": ("""persona-cases limits --simulator --output table""",),
    "create": (
        """ID=ctmpl_oKGrX8DdwiiEZiK7VOkCExRG
persona-cases create --simulator --template $ID --field priority=high --sla 2h
persona-cases create --simulator --template $ID --field-json risk_score=7""",
    ),
    "update": (
        """persona-cases update --simulator case_j5DjGo07GUN80NQLDbXhXwpr --sla 2h""",
        """ID=case_j5DjGo07GUN80NQLDbXhXwpr
persona-cases update --simulator $ID --field priority=high --no-queue""",
    ),
    "assign": (
        """ID=case_j5DjGo07GUN80NQLDbXhXwpr
persona-cases assign --simulator $ID maya.okafor@example.com""",
    ),
    "status": ("""persona-cases status --simulator case_j5DjGo07GUN80NQLDbXhXwpr pending""",),
    "comment": (
        """persona-cases comment --simulator case_j5DjGo07GUN80NQLDbXhXwpr Phoned.""",
        """date | persona-cases comment --simulator case_j5DjGo07GUN80NQLDbXhXwpr -""",
    ),
    "redact": ("""persona-cases redact --simulator --yes case_j5DjGo07GUN80NQLDbXhXwpr""",),
    "tag add": ("""persona-cases tag add --simulator case_j5DjGo07GUN80NQLDbXhXwpr urgent vip""",),
    "tag remove": (
        """ID=case_j5DjGo07GUN80NQLDbXhXwpr
persona-cases tag remove --simulator $ID false-positive""",
    ),
    "tag set": (
        """persona-cases tag set --simulator case_j5DjGo07GUN80NQLDbXhXwpr urgent""",
        """persona-cases tag set --simulator case_j5DjGo07GUN80NQLDbXhXwpr --none""",
    ),
    "objects add": (
        """ID=case_ZzNTi4Vy7QcZ1XdOXRZHvr4d
persona-cases objects add --simulator $ID act_SX7OA6NNoCLf7oQqtgbotXLa""",
    ),
    "objects remove": (
        """ID=case_j5DjGo07GUN80NQLDbXhXwpr
persona-cases objects remove --simulator $ID act_SX7OA6NNoCLf7oQqtgbotXLa""",
    ),
    "simulator": (
        """persona-cases simulator --port 8080""",
        """persona-cases simulator --port 0 --cases 10000 --rate-limit off""",
    ),
}


def epilog(command: str) -> str:
    """Return the end of a command's help."""
    return _lines("Examples:", (line for example in EXAMPLES[command] for line in example.splitlines()))


def exit_codes() -> str:
    """Return the end of the program's help."""
    return _lines("Exit codes:", (f"{code.value:>3}  {code.meaning}" for code in ExitCode))


def _lines(heading: str, lines: Iterable[str]) -> str:
    # The first character keeps the lines as they are.
    return "\b\n" + "\n".join((heading, *(f"  {line}" for line in lines)))

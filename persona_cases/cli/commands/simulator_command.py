"""The command that lets others try: `simulator`."""

from __future__ import annotations

from functools import partial

from persona_cases.cli.commands.serve_simulator import serve
from persona_cases.cli.options.server_options import Server
from persona_cases.cli.running import execute

__all__ = ["simulator"]


def simulator(server: Server) -> None:
    """Stand in for the API on a local port, with made-up cases.

    One line says when it is ready, and with which PERSONA_BASE_URL and
    PERSONA_API_KEY to reach it. Ctrl-C or SIGTERM stops it.
    """
    execute(partial(serve, server))

"""Running the coroutine of a command: event loop, signals, logs, and an exit code for every error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NoReturn

import typer

from persona_cases.cli.exits import ExitCode
from persona_cases.cli.screen.advice import Advise
from persona_cases.cli.screen.error_lines import describe, one_line
from persona_cases.cli.screen.terminal import is_terminal
from persona_cases.errors import PersonaError

__all__ = ["Work", "execute", "on_signals", "report"]

Work = Callable[[], Coroutine[Any, Any, ExitCode]]
"""Returns the coroutine of a command. It is called before there is an event loop, so it may ask the user."""


class _TerminatedError(Exception):
    """The process got SIGTERM and has cleaned up."""


def execute(work: Work, *, verbose: bool = False, advise: Advise | None = None) -> NoReturn:
    """Run a command, and end the process with its exit code.

    Args:
        work: the work of the command.
        verbose: whether logs and the API's details of an error go to stderr.
        advise: returns hints for an error of this command.

    Raises:
        typer.Exit: always.
    """
    with _logs(shown=verbose):
        code = _outcome(work, verbose=verbose, advise=advise)
    raise typer.Exit(code)


def report(error: PersonaError, *, subject: str | None = None, verbose: bool, advise: Advise | None = None) -> ExitCode:
    """Describe an error on stderr, and return its exit code.

    The API's details are shown on a terminal. A pipe or a log gets them only with `verbose`.
    """
    details = verbose or is_terminal(sys.stderr)
    failure = describe(error, subject=subject, details=details, advise=advise)
    typer.echo("\n".join(failure.lines), err=True)
    return failure.code


def on_signals(act: Callable[[], object], *numbers: signal.Signals) -> None:
    """Call `act` in the running event loop at these signals, if platform and thread allow it."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, act)


def _outcome(work: Work, *, verbose: bool, advise: Advise | None) -> ExitCode:
    try:
        return asyncio.run(_terminable(work()))
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except _TerminatedError:
        return ExitCode.TERMINATED
    except PersonaError as error:
        return report(error, verbose=verbose, advise=advise)
    except UnicodeEncodeError:
        # An argument that is not UTF-8 fails when its request is made. The message must not show it.
        typer.echo("error: an argument is not UTF-8 text", err=True)
        return ExitCode.USAGE
    except BrokenPipeError:
        _abandon_stdout()
        return ExitCode.BROKEN_PIPE
    except OSError as error:
        _abandon_stdout()
        typer.echo(f"error: {one_line(error)}", err=True)
        return ExitCode.FAILURE


async def _terminable(work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    # By default, SIGTERM ends the process immediately and leaves half a file behind.
    task = asyncio.ensure_future(work)
    terminated = asyncio.Event()

    def terminate() -> None:
        terminated.set()
        task.cancel()

    on_signals(terminate, signal.SIGTERM)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated.is_set():
            raise _TerminatedError from None
        raise


@contextlib.contextmanager
def _logs(*, shown: bool) -> Generator[None]:
    logger, handler = logging.getLogger("persona_cases"), logging.StreamHandler()
    if not shown:
        yield
        return
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def _abandon_stdout() -> None:
    # The rest of the buffer cannot be written either, and without this Python complains about it at exit.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

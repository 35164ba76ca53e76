"""Commands as processes of their own that start at once: each is forked from a process that has loaded everything.

A new interpreter costs half a second, which is more than most commands take. What depends on the interpreter, such as
its encoding, needs one all the same.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, Self

from persona_cases.cli import main

__all__ = ["PROGRAM", "Forked"]

PROGRAM = str(Path(sys.executable).with_name("persona-cases"))

_PRELOADED = (
    "persona_cases.cli.app",
    "persona_cases.cli.commands.change_commands",
    "persona_cases.cli.commands.read_commands",
    "persona_cases.cli.commands.tag_commands",
    "persona_cases.testing.simulator",
)


class Forked:
    """A command that runs.

    Args:
        argv: its arguments.
        stdin: what it can read.
        terminal: a terminal for its standard streams; None for files.
        stdout: where its stdout goes instead, as a file descriptor.
        cwd: its directory.
        env: its environment variables.
    """

    def __init__(
        self,
        *argv: str,
        stdin: bytes = b"",
        terminal: int | None = None,
        stdout: int | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._stack = ExitStack()
        out, err = (self._stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))  # noqa: SIM115
        self._out, self._err = out.fileno(), err.fileno()
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            files = [source.fileno(), self._out if stdout is None else stdout, self._err]
            streams = _Streams(files if terminal is None else [terminal] * 3)
            call = (list(argv), streams, str(cwd or Path.cwd()), dict(os.environ if env is None else env))
            self._process = _context().Process(target=_run, args=call)
            self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.join()
        self._process.close()
        self._stack.close()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait_for(self, text: bytes) -> None:
        """Wait until it has written this to stdout."""
        deadline = time.monotonic() + 600
        while text not in self.out:
            assert time.monotonic() < deadline, "the command has not written it"
            time.sleep(0.01)

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        self._process.join(60)
        code = self._process.exitcode
        assert code is not None, "the command has not ended"
        return code

    def kill(self) -> None:
        """End it on the spot."""
        self._process.kill()

    @property
    def out(self) -> bytes:
        """What it has written to stdout."""
        return _content(self._out)

    @property
    def err(self) -> str:
        """What it has written to stderr."""
        return _content(self._err).decode()


class _Streams:
    """File descriptors that go to the child."""

    def __init__(self, descriptors: list[int]) -> None:
        self.descriptors = descriptors

    def __reduce__(self) -> Any:
        return _Received, ([DupFd(each) for each in self.descriptors],)


class _Received:
    def __init__(self, descriptors: list[Any]) -> None:
        self.descriptors = [each.detach() for each in descriptors]


def _run(argv: list[str], streams: _Received, cwd: str, env: dict[str, str]) -> None:
    os.setsid()
    for number, descriptor in enumerate(streams.descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv, sys.orig_argv = [PROGRAM, *argv], [sys.executable, PROGRAM, *argv]
    sys.exit(main(argv))


@cache
def _context() -> Any:
    # Windows has none.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED, __name__])
    return context


def _content(file: int) -> bytes:
    # The command writes at the same offset, which therefore stays where it is.
    return os.pread(file, os.fstat(file).st_size, 0)

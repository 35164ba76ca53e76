"""A real `redis-server`, to be started, frozen, killed and started again by tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

REQUIRED = "PERSONA_CASES_REQUIRE_REDIS"
MISSING = "redis-server is not installed (Debian: apt-get install redis-server): the shared limiter is not tested"
PATIENCE = 30.0


def redis_program() -> str:
    """The server's program; without it the test is skipped, or fails if REQUIRED is set."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{MISSING}, although {REQUIRED}=1")
        pytest.skip(MISSING)
    return program


class RedisServer:
    """One server on a free loopback port, which keeps nothing on disk."""

    def __init__(self, directory: Path, *settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        listen = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory))
        self._command = (redis_program(), *listen, *settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, "redis-server did not start"
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.01)

    def freeze(self) -> None:
        """Keep it from running: it accepts connections, and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, with all that it held; harmless if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

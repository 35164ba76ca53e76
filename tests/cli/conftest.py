"""Running the command line: in this process, as a process of its own, and on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import attrs
import msgspec
import pytest
from cli.forked import Forked

from persona_cases.cli import main
from persona_cases.testing import CaseRecord, Fault, Simulator

# A run in the background inherits that SIGINT is ignored, and would pass it on to the commands that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@attrs.frozen
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: bytes
    err: str

    @property
    def cases(self) -> list[Any]:
        """Stdout as JSON Lines."""
        return [msgspec.json.decode(line) for line in self.out.splitlines()]

    @property
    def ids(self) -> list[str]:
        return [case["id"] for case in self.cases]


@pytest.fixture
def cli(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    """Run a command in this process."""

    def run(*argv: str) -> Ran:
        capsysbinary.readouterr()
        code = main(argv)
        written = capsysbinary.readouterr()
        return Ran(code, written.out, written.err.decode())

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., Forked]]:
    """Start a command as a process of its own, which ends with the test."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    with contextlib.ExitStack() as stack:
        yield lambda *argv, **settings: stack.enter_context(Forked(*argv, **settings))


@pytest.fixture
def process(start: Callable[..., Forked]) -> Callable[..., Ran]:
    """Run a command as a process of its own."""

    def run(*argv: str, **settings: Any) -> Ran:
        started = start(*argv, **settings)
        return Ran(started.wait(), started.out, started.err)

    return run


@pytest.fixture
def interrupted(start: Callable[..., Forked]) -> Callable[..., list[str]]:
    """Run a command, send it a signal during a request that takes long, and return the lines of its stderr."""

    def run(
        api: Simulator,
        *argv: str,
        slow: str = "/cases/search",
        at: int = 3,
        number: int = signal.SIGINT,
        **settings: Any,
    ) -> list[str]:
        hanging = api.faults.add(Fault.delay(1e9), path=slow, nth=at)
        started, deadline = start(*argv, **settings), time.monotonic() + 600
        while not hanging.fired and time.monotonic() < deadline:
            time.sleep(0.01)
        started.send_signal(number)
        assert started.wait() == 128 + number
        assert api.api_key not in started.err
        api.faults.clear()
        return started.err.splitlines()

    return run


@pytest.fixture
def on_terminal(start: Callable[..., Forked]) -> Callable[..., Ran]:
    """Run a command on a terminal of 80 columns; what it writes to stdout and stderr comes together, as `out`.

    What is `typed` waits for the command to read it; once it has written `interrupt_at`, it is interrupted.
    """

    def run(*argv: str, typed: bytes = b"", interrupt_at: bytes | None = None, **env: str) -> Ran:
        master, slave = pytest.importorskip("pty").openpty()
        environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        environment |= {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40", **env}
        started = start(*argv, terminal=slave, env=environment)
        os.close(slave)
        try:
            os.write(master, typed)
            out = b""
            for part in _parts(master):
                out += part
                if interrupt_at is not None and interrupt_at in out:
                    interrupt_at = None
                    started.send_signal(signal.SIGINT)
            return Ran(started.wait(), out.replace(b"\r\n", b"\n"), "")
        finally:
            os.close(master)

    return run


@pytest.fixture
def records() -> Callable[..., list[CaseRecord]]:
    """What `--simulator --cases N --seed N` holds, newest first."""

    def made_up(*, cases: int = 1000, seed: int = 0) -> list[CaseRecord]:
        store = Simulator(cases=cases, seed=seed).store
        return sorted(store.cases.values(), key=lambda case: case.created_at, reverse=True)

    return made_up


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator that the environment points to, as it would to the vendor."""
    with serving(Simulator(cases=300, seed=5)) as simulator:
        monkeypatch.setenv("PERSONA_API_KEY", simulator.api_key)
        monkeypatch.setenv("PERSONA_BASE_URL", simulator.base_url)
        yield simulator


@contextlib.contextmanager
def serving(simulator: Simulator) -> Generator[Simulator]:
    """Run a simulator in a thread, so that `main` can have an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(10)
        yield simulator
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _parts(master: int) -> Iterator[bytes]:
    while select.select([master], [], [], 60)[0]:
        try:
            part = os.read(master, 65536)
        except OSError:
            return
        if not part:
            return
        yield part

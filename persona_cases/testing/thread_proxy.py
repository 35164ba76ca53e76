"""Proxies for objects of another thread, in which all operations run one at a time."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeGuard, TypeVar

from persona_cases.errors import ClientStateError
from persona_cases.testing.deliveries.mishaps import Mishaps
from persona_cases.testing.deliveries.simulated_webhook import SimulatedWebhook
from persona_cases.testing.world.tag_names import Tags

__all__ = ["LoopThread", "ThreadProxy"]

T = TypeVar("T")

_PATIENCE: Final = 30.0
"""Seconds after which the other thread is assumed to wait for the caller."""

_CHANGING = (Mishaps, SimulatedWebhook, Tags)
"""Classes with state of their own, whose objects are also reached in their thread."""


class LoopThread:
    """A thread with an event loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="persona-simulator", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T]) -> T:
        """Run a function in the thread, and return its result.

        Raises:
            Exception: any error that the function raises.
            ClientStateError: if the thread is stopped, or waits for the caller.
        """
        if threading.current_thread() is self._thread:
            return work()
        done: Future[T] = Future()
        self._check().call_soon_threadsafe(_into, done, work)
        return self._result(done, _PATIENCE)

    def wait_for(self, start: Callable[[], Any], patience: float | None = _PATIENCE) -> Any:
        """Run a coroutine function in the thread, and return its result; see `run`."""
        if threading.current_thread() is self._thread:
            raise ClientStateError("the simulator's own thread cannot wait for itself: call it from the test")

        async def started() -> Any:
            return await start()

        return self._result(asyncio.run_coroutine_threadsafe(started(), self._check()), patience)

    def stop(self) -> None:
        """End the thread; harmless if it is stopped."""
        if self._loop.is_closed():
            return
        self.wait_for(self._loop.shutdown_default_executor, None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _check(self) -> asyncio.AbstractEventLoop:
        if self._loop.is_closed():
            raise ClientStateError("the simulator does not run: use `with SimulatorServer(...) as server`")
        return self._loop

    def _result(self, future: Future[T], patience: float | None) -> T:
        try:
            return future.result(patience)
        except TimeoutError:
            if future.done():
                raise
        future.cancel()
        raise ClientStateError(f"the simulator's thread gave no answer in {_PATIENCE:g} s: something in it waits")


def _into(done: Future[T], work: Callable[[], T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asked
        done.set_exception(error)


class ThreadProxy:
    """A proxy for an object of another thread.

    Attributes are read and methods are called in that thread. Mappings and sequences are returned as snapshots.

    Args:
        thread: the thread of the object.
        find: returns the object; called in that thread.
    """

    def __init__(self, thread: LoopThread, find: Callable[[], Any]) -> None:
        self._thread = thread
        self._find = find

    def __repr__(self) -> str:
        return str(self._thread.run(lambda: repr(self._find())))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._thread.run(lambda: self._shown(getattr(self._find(), name)))
        if inspect.iscoroutinefunction(value):
            return partial(self._wait, value)
        return partial(self._call, value) if inspect.isroutine(value) else value

    def __len__(self) -> int:
        return self._thread.run(lambda: len(self._find()))

    def __getitem__(self, index: Any) -> Any:
        return self._thread.run(lambda: self._shown(self._find()[index]))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._thread.run(lambda: tuple(self._find())))

    def __contains__(self, item: object) -> bool:
        return self._thread.run(lambda: item in self._find())

    def _wait(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return self._thread.wait_for(partial(method, *given, **named), None)

    def _call(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return self._thread.run(lambda: self._shown(method(*given, **named)))

    def _shown(self, value: Any) -> Any:
        if isinstance(value, _CHANGING):
            return ThreadProxy(self._thread, lambda: value)
        if _is_mapping(value):
            return MappingProxyType(dict(value))
        if _is_deque(value):
            return tuple(value)
        return self._within(value) if _is_context(value) else value

    @contextmanager
    def _within(self, manager: AbstractContextManager[Any]) -> Generator[Any]:
        entered = self._thread.run(manager.__enter__)
        try:
            yield entered
        except BaseException as error:
            if not self._thread.run(partial(manager.__exit__, type(error), error, error.__traceback__)):
                raise
        else:
            self._thread.run(partial(manager.__exit__, None, None, None))


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_deque(value: object) -> TypeGuard[deque[Any]]:
    return isinstance(value, deque)


def _is_context(value: object) -> TypeGuard[AbstractContextManager[Any]]:
    return isinstance(value, AbstractContextManager)

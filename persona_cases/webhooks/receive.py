"""`WebhookReceiver`: passes each event to its handlers once, and responds in time."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final, Self, TypeAlias, TypeVar, cast

import attrs

from persona_cases.errors import ClientStateError, DecodeError, InvalidArgumentError
from persona_cases.models.webhook_event import WebhookEvent
from persona_cases.protocol import checks
from persona_cases.protocol.signatures import SignatureError
from persona_cases.surface import publish
from persona_cases.webhooks.seen import MemorySeen, Seen
from persona_cases.webhooks.verify import WebhookVerifier

__all__ = ["Handler", "WebhookReceiver", "WebhookReply"]

Handler: TypeAlias = Callable[[WebhookEvent], Awaitable[object]]
H = TypeVar("H", bound="Handler")

DEFAULT_ANSWER_WITHIN: Final = 4.0
"""Seconds. The vendor waits five seconds."""

_OF_REFUSAL: Final = {"missing": 400, "malformed": 400, "mismatch": 401, "expired": 401, "too_large": 413}

_logger = logging.getLogger("persona_cases.webhooks")


@attrs.frozen
class WebhookReply:
    """The response to a delivery.

    Attributes:
        status: the HTTP status. The vendor repeats a delivery unless it is 2xx.
        reason: the reason in one word: `handled`, `ignored` (there is no handler for such events), `seen`, `working`
            (the handlers continue in the background), `running` (another process handles it), `failed`, `busy`,
            `undecodable`, or the reason of a `SignatureError`.
    """

    status: int
    reason: str


class WebhookReceiver:
    """Passes each event to its handlers once.

    `receive` checks the signature, and waits for the handlers slightly less than the vendor waits for the response. If
    a handler fails in that time, the response makes the vendor send the event again. If the handlers take longer, the
    event is accepted, and they continue in the background.

    Args:
        verifier: checks the signatures.
        seen: remembers which events were handled. Default: a `MemorySeen`. Several processes need a `RedisSeen`.
        answer_within: how long `receive` waits for the handlers: seconds or a timedelta.
        max_running: maximum number of events handled at the same time; the response to further ones makes the vendor
            send them again later.
        on_error: called with the event and the error if a handler fails. Default: logs the type of the error.

    Raises:
        InvalidArgumentError: if an argument is invalid.
    """

    def __init__(
        self,
        verifier: WebhookVerifier,
        *,
        seen: Seen | None = None,
        answer_within: float | timedelta = DEFAULT_ANSWER_WITHIN,
        max_running: int = 100,
        on_error: Callable[[WebhookEvent, Exception], object] | None = None,
    ) -> None:
        if not isinstance(cast("object", verifier), WebhookVerifier):
            raise InvalidArgumentError("verifier must be a WebhookVerifier: the receiver never handles unsigned events")
        self.verifier: WebhookVerifier = verifier
        """Checks the signatures."""
        self._seen: Seen = MemorySeen() if seen is None else seen
        self._answer_within = checks.seconds(answer_within, "answer_within", least=0)
        self._max_running = checks.whole_number(max_running, "max_running")
        self._on_error = on_error
        self._handlers: list[tuple[tuple[str, ...], Handler]] = []
        self._running: set[asyncio.Task[bool]] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<WebhookReceiver, {len(self._handlers)} handlers, {len(self._running)} events running>"

    def on(self, *names: str) -> Callable[[H], H]:
        """Register the decorated coroutine function as a handler of events.

        Args:
            names: names of events, such as `case.redacted`, or patterns, such as `case.*`.

        Returns:
            The decorator, which returns the function unchanged.

        Raises:
            InvalidArgumentError: if there is no name, or the function is not a coroutine function.
        """
        if not names or not all(isinstance(cast("object", name), str) and name for name in names):
            raise InvalidArgumentError("names: give names of events, such as 'case.redacted' or 'case.*'")

        def register(handler: H) -> H:
            if not inspect.iscoroutinefunction(cast("object", handler)):
                raise InvalidArgumentError("a handler of webhooks must be an async function")
            self._handlers.append((names, handler))
            return handler

        return register

    async def receive(self, body: bytes, signature: str | None) -> WebhookReply:
        """Handle a delivery.

        Args:
            body: the body, byte for byte as received.
            signature: the header `Persona-Signature`; None if there is none.

        Returns:
            The response. No delivery, whatever it contains, raises an error.

        Raises:
            ClientStateError: if the receiver is closed.
        """
        if self._closed:
            raise ClientStateError("the webhook receiver is closed: make a new one")
        try:
            event = self.verifier.verify(body, signature)
        except SignatureError as error:
            return WebhookReply(_OF_REFUSAL[error.reason], error.reason)
        except DecodeError:
            return WebhookReply(422, "undecodable")
        handlers = self._handlers_of(event.name)
        if not handlers:
            return WebhookReply(204, "ignored")
        if len(self._running) >= self._max_running:
            return WebhookReply(503, "busy")
        claim = await self._seen.claim(event.id)
        if claim == "new":
            return await self._answer(event, handlers)
        return WebhookReply(204, "seen") if claim == "done" else WebhookReply(503, "running")

    async def drain(self, timeout: float | timedelta | None = None) -> bool:  # noqa: ASYNC109 - as in PersonaClient
        """Wait until no event is being handled.

        Args:
            timeout: maximum time to wait: seconds or a timedelta; None for no limit.

        Returns:
            True if no event is being handled.
        """
        patience = None if timeout is None else checks.seconds(timeout, "timeout", least=0)
        if self._running:
            await asyncio.wait(self._running, timeout=patience)
        return not self._running

    async def close(self, timeout: float | timedelta | None = None) -> None:  # noqa: ASYNC109
        """Accept no more deliveries, wait for the handlers, and cancel those that take longer than `timeout`.

        The events of cancelled handlers are released, so that a repeated delivery is handled.

        Args:
            timeout: maximum time to wait: seconds or a timedelta.
        """
        self._closed = True
        if not await self.drain(timeout):
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _handlers_of(self, event: str) -> list[Handler]:
        return [handler for names, handler in self._handlers if any(fnmatchcase(event, name) for name in names)]

    async def _answer(self, event: WebhookEvent, handlers: list[Handler]) -> WebhookReply:
        task = asyncio.ensure_future(self._handle(event, handlers))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task}, timeout=self._answer_within)
        if not task.done():
            return WebhookReply(202, "working")
        handled = not task.cancelled() and task.result()
        return WebhookReply(204, "handled") if handled else WebhookReply(500, "failed")

    async def _handle(self, event: WebhookEvent, handlers: list[Handler]) -> bool:
        try:
            for handler in handlers:
                await handler(event)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the event may come again
            await self._seen.release(event.id)
            self._tell(event, error)
            return False
        except asyncio.CancelledError:
            await self._seen.release(event.id)
            raise
        await self._seen.finish(event.id)
        return True

    def _tell(self, event: WebhookEvent, error: Exception) -> None:
        if self._on_error is not None:
            self._on_error(event, error)
        else:
            # The error's message may hold data of the event.
            _logger.error("webhook.failed event=%s error=%s", event.name, type(error).__name__)


publish("persona_cases.webhooks", WebhookReceiver, WebhookReply)

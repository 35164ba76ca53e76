"""Tracebacks with their locals, as error trackers keep them: no API key, whatever was raised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType

import pytest
from faults.leaks import until
from faults.points import POINTS, path_of

from persona_cases import InvalidArgumentError, PersonaClient

KEY = "persona_sandbox_a_very_secret_key"


def frames_of(error: BaseException) -> Iterator[FrameType]:
    """Give the frames of an error and of all that lies behind it, without those of the tests."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        traceback = one.__traceback__
        while traceback is not None:
            if "/tests/" not in traceback.tb_frame.f_code.co_filename:
                yield traceback.tb_frame
            traceback = traceback.tb_next
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
async def test_a_call_ended_where_it_waits_leaves_no_frames_of_aiohttp(point):
    async with point() as stuck:
        if stuck.meanwhile is not None:
            await stuck.meanwhile()
        task = asyncio.create_task(stuck.call())
        await until(lambda: task.done() or stuck.there(path_of(task)))
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        key = stuck.client._api.transport.session._key.reveal()
        for frame in frames_of(caught.value):
            assert not frame.f_globals["__name__"].startswith("aiohttp")
            for name, value in frame.f_locals.items():
                assert key not in repr(value), name
                assert "access_token=" not in repr(value), name
        del caught, frame
        stuck.release()


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "nonsense"},
        {"timeout": -1},
        {"limiter": 5},
        {"middleware": 7},
        {"headers": {"a b": "c"}},
        {"proxy": "x"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_client_that_cannot_be_made_does_not_show_its_key(settings):
    with pytest.raises(InvalidArgumentError) as caught:
        PersonaClient(KEY, **settings)
    assert all(KEY not in repr(value) for frame in frames_of(caught.value) for value in frame.f_locals.values())


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY} é", [KEY]], ids=["newline", "accent", "list"])
def test_a_key_that_cannot_be_sent_is_not_shown(key):
    with pytest.raises(ValueError, match="API key") as caught:
        PersonaClient(key)
    assert all(KEY not in repr(value) for frame in frames_of(caught.value) for value in frame.f_locals.values())

"""Tracebacks with their locals, as error trackers keep them: no API key, whatever was raised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType

import attrs
import pytest
from faults.leaks import until
from faults.points import POINTS, path_of
from faults.scenes import API_KEY, simulated
from faults.table import ROWS

from persona_cases import InvalidArgumentError, PersonaClient, PersonaError, Q, RetryPolicy
from persona_cases.testing import Fault

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
        for frame in frames_of(caught.value):
            assert not frame.f_globals["__name__"].startswith("aiohttp")
            for name, value in frame.f_locals.items():
                assert API_KEY not in repr(value), name
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


SEED = "a-very-personal-note"


async def _read(scene):
    await scene.client.cases.search(Q.fields.note.eq(SEED)).collect()


async def _write(scene):
    await scene.client.cases.create(scene.template_id, fields={"note": SEED})


def assert_nothing_encoded(error: BaseException, key: str) -> None:
    """The caller's own arguments may be seen, but not what was made of them to be sent."""
    for frame in frames_of(error):
        assert not frame.f_globals["__name__"].startswith("aiohttp")
        for name, value in frame.f_locals.items():
            assert API_KEY not in repr(value), name
            assert not (isinstance(value, (bytes, bytearray)) and SEED.encode() in value), name


@pytest.mark.parametrize("call", [_read, _write], ids=["read", "write"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
async def test_a_fault_leaves_no_frames_with_what_was_sent(row, call):
    async with row.setting() as scene:
        client = scene.client.with_options(retry=RetryPolicy(attempts=1))
        with pytest.raises(PersonaError) as caught:
            await call(attrs.evolve(scene, client=client))
        assert_nothing_encoded(caught.value, scene.simulator.api_key)
        del caught
        await scene.heal()


@pytest.mark.parametrize("call", [_read, _write], ids=["read", "write"])
@pytest.mark.parametrize("kind", [MemoryError, SystemError, ZeroDivisionError])
async def test_what_breaks_inside_leaves_no_frames_with_what_was_sent(monkeypatch, kind, call):
    async def break_down(*_: object, **__: object) -> None:
        raise kind

    monkeypatch.setattr("aiohttp.ClientResponse.start", break_down)
    async with simulated(Fault.delay(0))() as scene:
        with pytest.raises(kind) as caught:
            await call(scene)
        assert_nothing_encoded(caught.value, scene.simulator.api_key)
        del caught

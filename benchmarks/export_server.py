"""The server that exporters are measured against: `python export_server.py SCENE` prints its port, and answers.

It does nothing but answer, and makes the pages of any number of cases out of a few prepared ones, so that it is not
what is measured. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

import attrs
import orjson
from aiohttp import web
from decode import make_page

from persona_cases.testing.gates.rate_window import FixedWindow, RateLimit
from persona_cases.testing.world.simulated_clock import SystemClock

LIST, SEARCH = "/api/v1/cases", "/api/v1/cases/search"
# The newest case is from now, as where an environment is in use.
OLDEST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=730)
SPAN_MS = 730 * 86_400_000


@attrs.frozen
class Scene:
    """What a server is set up with."""

    cases: int
    latency: float = 0.0
    rate_limit: str | None = None
    clustered: bool = False


SCENES = {
    "page": Scene(100),
    "tables": Scene(50_000),
    "small": Scene(20_000),
    "cpu": Scene(200_000),
    "latency": Scene(20_000, latency=0.1),
    "clustered": Scene(20_000, latency=0.1, clustered=True),
    "window": Scene(30_000, latency=0.05, rate_limit="60/6"),
    "window-room": Scene(29_000, latency=0.05, rate_limit="60/6"),
    "memory": Scene(1_000_000),
    "memory-small": Scene(50_000),
}


class Vendor:
    """Answers searches by creation time, and counts."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._moments = _clustered(scene.cases) if scene.clustered else _growing(scene.cases)
        self._forms = [_cut_open(case) for case in orjson.loads(make_page())["data"]]
        self._begin()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/stats":
            counts = self.requests, self.refused
            self._begin()
            return web.json_response(counts)
        body = orjson.loads(await request.read() or b"{}")
        self.requests += 1
        window = self._window.spend()
        if self._scene.latency:
            await asyncio.sleep(self._scene.latency)
        if not window.allowed:
            self.refused += 1
            return web.json_response({"errors": [{"title": "Too many requests"}]}, status=429, headers=window.headers())
        page = self._listed(request.query) if request.path == LIST else self._page(body, request.query)
        return web.Response(body=page, content_type="application/json", headers=window.headers())

    def _begin(self) -> None:
        # Each exporter has a window of its own, or it would see the requests of the one before as another program's.
        self._window = FixedWindow(RateLimit.parse(self._scene.rate_limit), SystemClock())
        self.requests = self.refused = 0

    def _page(self, body: dict[str, Any], query: Any) -> bytes:
        size, after = int(query["page[size]"]), query.get("page[after]")
        found = self._found(body.get("query"))
        if body["sort"]["direction"] == "desc":
            parts = [part[::-1] for part in reversed(found)]
        elif after is not None:
            place = int(after[5:]) + 1
            parts = [range(max(part.start, place), part.stop) for part in found if place < part.stop]
        else:
            parts = found
        return self._written([*islice(chain.from_iterable(parts), size + 1)], SEARCH, size)

    def _listed(self, query: Any) -> bytes:
        """The list: newest first, from the case behind which it is asked for."""
        size, after = int(query["page[size]"]), query.get("page[after]")
        newest = (self._scene.cases if after is None else int(after[5:])) - 1
        return self._written([*range(newest, max(-1, newest - size - 1), -1)], LIST, size)

    def _written(self, numbers: list[int], path: str, size: int) -> bytes:
        more, numbers = len(numbers) > size, numbers[:size]
        link = f'"{path}?page%5Bafter%5D=case_{numbers[-1]:024}&page%5Bsize%5D={size}"' if more else "null"
        return b'{"data":[%b],"links":{"prev":null,"next":%b}}' % (b",".join(map(self._case, numbers)), link.encode())

    def _found(self, query: dict[str, Any] | None) -> list[range]:
        """Numbers of cases, of ranges of time that do not overlap."""
        if query is not None and "or" in query:
            return sorted((part for each in query["or"] for part in self._found(each)), key=lambda part: part.start)
        low, high = 0, len(self._moments)
        leaves: list[dict[str, Any]] = [] if query is None else query.get("and", [query])
        for leaf in leaves:
            moment = int((datetime.fromisoformat(leaf["value"]) - OLDEST) / timedelta(milliseconds=1))
            place = bisect_left(self._moments, moment)
            low, high = (max(low, place), high) if leaf["operator"] == "gte" else (low, min(high, place))
        return [range(low, high)]

    def _case(self, number: int) -> bytes:
        head, middle, tail = self._forms[number % len(self._forms)]
        created = OLDEST + timedelta(milliseconds=self._moments[number])
        text = created.isoformat(timespec="milliseconds")[:23]
        return b"%bcase_%024d%b%b%b" % (head, number, middle, text.encode(), tail)


def _cut_open(case: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    case["id"] = "ID"
    case["attributes"]["created_at"] = "TIMEZ"
    text: bytes = orjson.dumps(case)
    head, rest = text.split(b"ID", 1)
    middle, tail = rest.split(b"TIME", 1)
    return head, middle, tail


def _growing(count: int) -> list[int]:
    """Cases that come three times as often in the end, two in a hundred at the same time as another."""
    places = [(number - (number % 50 == 1)) / count for number in range(count)]
    return [SPAN_MS - int(SPAN_MS * (1 - x) * (2 + x) / 2) for x in places]


def _clustered(count: int) -> list[int]:
    few = count // 10
    outside = [SPAN_MS * number // few for number in range(few)]
    start, span = SPAN_MS * 37 // 100, SPAN_MS // 100
    return sorted([*outside, *(start + span * number // (count - few) for number in range(count - few))])


async def serve(scene: Scene) -> None:
    """Answer until standard input ends."""
    runner = web.ServerRunner(web.Server(Vendor(scene).answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(SCENES[sys.argv[1]]))

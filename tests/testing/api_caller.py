"""A bare HTTP caller: these tests see what any client would see on the wire."""

import contextlib
from typing import Any

import aiohttp
import attrs

from persona_cases.testing import Simulator


@attrs.frozen
class Answered:
    status: int
    headers: Any
    document: Any

    @property
    def ids(self) -> list[str]:
        return [case["id"] for case in self.document["data"]]

    @property
    def case(self) -> dict[str, Any]:
        assert self.status in {200, 201}, self.document
        return self.document["data"]

    @property
    def attributes(self) -> dict[str, Any]:
        return self.case["attributes"]

    def linked(self, relationship: str) -> list[str]:
        return [link["id"] for link in self.case["relationships"][relationship]["data"]]

    @property
    def error(self) -> dict[str, Any]:
        (item,) = self.document["errors"]
        return item


@attrs.frozen
class Caller:
    """Calls one simulator with its key."""

    sim: Simulator
    session: aiohttp.ClientSession

    async def get(self, path: str, params: Any = None, headers: Any = None) -> Answered:
        return await self.send("GET", path, params=params, headers=headers)

    async def search(self, body: Any = None, params: Any = None, headers: Any = None) -> Answered:
        return await self.send("POST", "/cases/search", json=body or {}, params=params, headers=headers)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answered:
        return await self.send("POST", path, json={} if body is None else body, **options)

    async def act(self, case_id: str, action: str, meta: Any, **options: Any) -> Answered:
        return await self.post(f"/cases/{case_id}/{action}", {"meta": meta}, **options)

    async def create(self, attributes: Any = None, meta: Any = None, **options: Any) -> Answered:
        given = {"case-template-id": self.sim.store.template("KYC").id, **(attributes or {})}
        body = {"data": {"attributes": given}, **({} if meta is None else {"meta": meta})}
        return await self.post("/cases", body, **options)

    async def patch(self, case_id: str, attributes: Any = None, meta: Any = None, **options: Any) -> Answered:
        body = {"data": {"attributes": attributes}} if attributes is not None else {}
        sent = {**body, **({} if meta is None else {"meta": meta})}
        return await self.send("PATCH", f"/cases/{case_id}", json=sent, **options)

    async def send(self, method: str, path: str, *, headers: Any = None, **options: Any) -> Answered:
        url = self.sim.origin + path if path.startswith("/api/") else self.sim.base_url + path
        given = {"Authorization": f"Bearer {self.sim.api_key}", **(headers or {})}
        async with self.session.request(method, url, headers=given, **options) as response:
            return Answered(response.status, response.headers, await response.json())

    async def walk(self, path: str, direction: str, body: Any = None, params: Any = None) -> list[list[str]]:
        """The ids of all pages from here on, following one kind of link."""
        pages: list[list[str]] = []
        link: str | None = path
        while link is not None:
            sent = {} if body is None else {"json": body}
            answered = await self.send("GET" if body is None else "POST", link, params=params, **sent)
            assert answered.status == 200, answered.document
            pages.append(answered.ids)
            link, params = answered.document["links"][direction], None
        return pages


class Callers:
    """Starts simulators, each with a caller of its own."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self._stack = stack

    async def __call__(self, **settings: Any) -> Caller:
        sim = await self._stack.enter_async_context(Simulator(**settings))
        return Caller(sim, await self._stack.enter_async_context(aiohttp.ClientSession()))

"""The review desk of `examples/review_desk/` over HTTP."""

from __future__ import annotations

import json

import aiohttp
import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
from served_apps import serving


async def told(stream, name):
    """The next change of that name in a stream of events."""
    async for line in stream.content:
        if line.startswith(b"data: "):
            change = json.loads(line.removeprefix(b"data: "))
            if change["what"] == name:
                return change["row"]
    raise AssertionError("the stream ended")


async def test_over_http(desk):
    async with serving(desk) as url, aiohttp.ClientSession(url) as web:
        sim = desk.state.simulator
        async with web.get("/") as page:
            assert "<h1>Review desk</h1>" in await page.text()
        async with web.get("/static/desk.js") as script:
            assert "javascript" in script.content_type
        async with web.get("/api/cases") as queue:
            rows = await queue.json()
        assert [row["sla"] for row in rows] == sorted(row["sla"] for row in rows)
        assert len(rows) == 12
        for filters, kept in (
            ({"status": "open"}, lambda row: row["status"] == "open"),
            ({"priority": "high"}, lambda row: row["priority"] == "high"),
            ({"assignee": "nobody"}, lambda row: row["assignee"] is None),
            ({"status": "open", "assignee": "maya.okafor@example.com"}, None),
        ):
            async with web.get("/api/cases", params=filters) as queue:
                found = await queue.json()
            assert found
            assert kept is None or found == [row for row in rows if kept(row)]
        case_id = next(row["id"] for row in rows if row["assignee"] is None)
        async with web.get("/api/live") as stream:
            assert stream.content_type == "text/event-stream"
            await changes_of_one_case(web, stream, case_id)
        sim.requests.assert_none_refused(allow=(404, 422))


async def changes_of_one_case(web, stream, case_id):
    async def post(action, body, **options):
        async with web.post(f"/api/cases/{case_id}/{action}", json=body, **options) as answer:
            return answer.status

    assert await post("assign", {"email": "maya.okafor@example.com"}) == 200
    assert (await told(stream, "case.assigned"))["assignee"] == "maya.okafor@example.com"
    assert await post("tag", {"name": "second-review"}) == 200
    assert "second-review" in (await told(stream, "case.updated-tags"))["tags"]
    assert await post("untag", {"name": "second-review"}) == 200
    assert await post("comment", {"message": "Looks good."}) == 200
    assert await post("decide", {"status": "approved"}) == 200
    assert (await told(stream, "case.resolved"))["resolved"] is True
    async with web.get(f"/api/cases/{case_id}") as answer:
        shown = await answer.json()
    assert shown["documents"][0]["name"].startswith("passport-")
    assert {"name": "Priority", "value": shown["priority"]} in shown["fields"]
    told_of = [moment["what"] for moment in shown["history"]]
    assert "status updated to approved" in told_of
    assert "assigned to maya.okafor@example.com" in told_of
    assert "Looks good." in [moment["text"] for moment in shown["history"]]
    assert await post("decide", {"status": "nonsense"}) == 422
    assert await post("comment", {"message": "  "}) == 422
    assert await post("comment", {"message": "x"}, headers={"Sec-Fetch-Site": "cross-site"}) == 403
    async with web.get("/api/cases/case_nope") as answer:
        assert answer.status == 404

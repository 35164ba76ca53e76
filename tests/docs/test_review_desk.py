"""The review desk of `examples/review_desk/`: over HTTP, and in a browser if there is one."""

from __future__ import annotations

import importlib
import json
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
from served_apps import serving

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "review-desk.png"
PATIENCE = 60_000
"""Milliseconds that a browser may take for anything."""
MAKES_PICTURE = "PERSONA_CASES_SCREENSHOTS"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
async def app(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("review_desk.app").make_app()


async def told(stream, name):
    """The next change of that name in a stream of events."""
    async for line in stream.content:
        if line.startswith(b"data: "):
            change = json.loads(line.removeprefix(b"data: "))
            if change["what"] == name:
                return change["row"]
    raise AssertionError("the stream ended")


async def test_over_http(app):
    async with serving(app) as url, aiohttp.ClientSession(url) as web:
        sim = app.state.simulator
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


@asynccontextmanager
async def browsing(url):
    playwright = pytest.importorskip("playwright.async_api", reason="is not installed: pip install playwright")
    if BROWSER is None:
        pytest.skip("chromium is not installed")
    async with playwright.async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        # A busy machine is no failure.
        page.set_default_timeout(PATIENCE)
        playwright.expect.set_options(timeout=PATIENCE)
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        await page.goto(url)
        yield page, playwright.expect
        assert wrong == []
        await browser.close()


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
async def test_in_a_browser(app, tmp_path):
    async with serving(app) as url, browsing(url) as (page, expect):
        sim, rows = app.state.simulator, page.locator("#rows tr")
        await expect(page.get_by_role("status").first).to_have_text("live")
        await expect(rows).to_have_count(12)
        # Filter.
        await page.get_by_label("Assigned to").select_option("nobody")
        await expect(rows).to_have_count(3)
        await page.get_by_label("Status").select_option("open")
        await expect(rows).to_have_count(2)
        # Open a case, take it, and see the webhook change the page: it leaves the filtered queue.
        name = await rows.first.get_by_role("button").inner_text()
        await rows.first.get_by_role("button").click()
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
        await page.get_by_label("You are").select_option("ines.moreau@example.com")
        await page.get_by_role("button", name="Assign to me").click()
        await expect(rows).to_have_count(1)
        await expect(page.locator("#case-line")).to_contain_text("ines.moreau@example.com has it")
        await page.get_by_label("Comment").fill("Passport and selfie match.")
        await page.get_by_role("button", name="Add comment").click()
        await expect(page.locator("#history")).to_contain_text("Passport and selfie match.")
        await page.get_by_label("Assigned to").select_option("")
        await page.get_by_label("Status").select_option("")
        await expect(rows).to_have_count(12)
        target = PICTURE if os.environ.get(MAKES_PICTURE) else tmp_path / PICTURE.name
        await page.evaluate("scrollTo(0, 0)")
        await page.screenshot(path=target)
        await page.get_by_role("button", name="approved").click()
        await expect(page.locator("#case-line")).to_contain_text("approved")
        # Somebody else changes another case: the page shows it without a reload.
        other = next(case for case in sim.store.cases.values() if case.status == "open" and case.name != name)
        sim.store.update_case(other.id, tags=("<b>false-positive</b>",))
        await expect(page.locator(f'[data-case="{other.id}"]')).to_contain_text("<b>false-positive</b>")
        await expect(page.locator("#news")).to_contain_text(f"{other.name}: updated tags")
        # By keyboard alone.
        await page.get_by_role("button", name="Close").press("Enter")
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
        assert await unnamed_controls(page) == []
    assert target.stat().st_size > 10_000


async def unnamed_controls(page):
    """Buttons and fields that a screen reader could not name."""
    return await page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, a')]
            .filter((each) => !(each.textContent.trim() || each.labels?.length || each.getAttribute('aria-label')))
            .map((each) => each.outerHTML)"""
    )


def test_the_picture_is_there():
    assert PICTURE.stat().st_size < 400_000, f"make it with {MAKES_PICTURE}=1"

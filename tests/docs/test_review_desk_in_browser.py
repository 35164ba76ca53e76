"""The review desk of `examples/review_desk/` in headless Chromium: `nox -s browser`."""

from __future__ import annotations

import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `fastapi`")
from served_apps import serving

PICTURE = Path(__file__).parents[2] / "docs" / "review-desk.png"
MAKES_PICTURE = "PERSONA_CASES_SCREENSHOTS"
PATIENCE = 60_000
"""Milliseconds that a browser may take for anything."""
REQUIRED = "PERSONA_CASES_REQUIRE_BROWSER"
MISSING = "Chromium (Debian: apt-get install chromium) or the package playwright is not installed: no browser is tested"


def browser() -> tuple[ModuleType, str]:
    """Playwright and Chromium; without them the test is skipped, or fails if REQUIRED is set."""
    program = shutil.which("chromium")
    try:
        from playwright import async_api
    except ImportError:
        program = None
    if program is None:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{MISSING}, although {REQUIRED}=1")
        pytest.skip(MISSING)
    return async_api, program


@asynccontextmanager
async def browsing(url):
    playwright, program = browser()
    async with playwright.async_playwright() as engine:
        opened = await engine.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await opened.new_page(viewport={"width": 1280, "height": 860})
        # A busy machine is no failure.
        page.set_default_timeout(PATIENCE)
        playwright.expect.set_options(timeout=PATIENCE)
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        await page.goto(url)
        yield page, playwright.expect
        assert wrong == []
        await opened.close()


async def test_in_a_browser(desk, tmp_path):
    async with serving(desk) as url, browsing(url) as (page, expect):
        sim, rows = desk.state.simulator, page.locator("#rows tr")
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

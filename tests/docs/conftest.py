"""What several tests of documentation use."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
async def desk(monkeypatch):
    """The application of the review desk."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("review_desk.app").make_app()

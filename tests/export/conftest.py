"""Where exports of these tests go."""

from __future__ import annotations

import pytest


@pytest.fixture
def output(tmp_path):
    return tmp_path / "cases.jsonl"


@pytest.fixture
def work(tmp_path):
    return tmp_path / ".cases.jsonl.export"

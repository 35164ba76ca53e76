"""The page for whoever takes over speaks of files that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"


def test_every_path_on_the_page_is_there():
    paths = re.findall(r"`([\w/]+(?:\.py|/))`", PAGE.read_text(encoding="utf-8"))
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / "persona_cases" / path).exists() and path != "persona_cases/"] == []


def test_every_room_is_in_the_picture():
    picture = re.search(r"```mermaid\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert picture is not None
    rooms = {path.name for path in (ROOT / "persona_cases").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert [room for room in sorted(rooms) if room not in picture[1]] == []

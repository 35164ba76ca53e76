"""Showing how far an export has come: on a terminal, and in a log."""

from __future__ import annotations

import io
import re

import attrs
import pytest
from rich.console import Console

from persona_cases.cli.screen.export_progress import LiveLine, PlainLines, budget, time_left
from persona_cases.export import ExportProgress
from persona_cases.limits import LimiterState, LocalLimiter

KNOWN = LimiterState(
    limit=300, remaining=43, in_flight=0, waiting=0, reserve=0, resets_in=8.2, cooling_for=0.0, shared=False
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "43/300 left, 8 s"),
        ({"remaining": 0}, "rate limit: wait 8 s"),
        ({"cooling_for": 5.0}, "rate limit: wait 5 s"),
        ({"resets_in": None}, "300 left"),
    ],
)
def test_the_budget_is_what_the_limiter_knows(change, words):
    assert budget(attrs.evolve(KNOWN, **change)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "time left unknown"),
        (0.0, "0 s to go"),
        (59.4, "59 s to go"),
        (59.6, "0:01:00 to go"),
        (3725.0, "1:02:05 to go"),
    ],
)
def test_the_time_left_is_short(seconds, words):
    assert time_left(seconds) == words


def test_plain_lines_come_now_and_then(capsys):
    now = 100.0
    say = PlainLines(LocalLimiter(), None, lambda: now)
    for second in range(12):
        now = 100.0 + second
        say(ExportProgress(cases=second * 100, pages=second, size=1, pages_left=100 - second))
    assert capsys.readouterr().err.splitlines() == [
        "exported 500 cases in 5 pages; 100 cases/s; 300 left; 0:01:35 to go",
        "exported 1,000 cases in 10 pages; 100 cases/s; 300 left; 0:01:30 to go",
    ]


def test_plain_lines_say_what_they_do_not_know(capsys):
    now = 0.0
    say = PlainLines(LocalLimiter(), None, lambda: now)
    now = 6.0
    say(ExportProgress(cases=100, pages=1, size=1))
    assert capsys.readouterr().err == "exported 100 cases in 1 page; 300 left; time left unknown\n"


@pytest.mark.parametrize(("files", "words"), [(0, ""), (1, ", 1 attachment"), (1234, ", 1,234 attachments")])
def test_plain_lines_tell_of_attachments_if_there_are_any(capsys, files, words):
    now = 0.0
    say = PlainLines(LocalLimiter(), None, lambda: now)
    now = 6.0
    say(ExportProgress(cases=100, pages=1, size=1, files=files))
    assert capsys.readouterr().err == f"exported 100 cases in 1 page{words}; 300 left; time left unknown\n"


def drawn(limit, *told, width=80):
    """What the live line shows at the end of a second a page."""
    now, screen = 0.0, io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width)
    with LiveLine(console, LocalLimiter(), limit, lambda: now) as show:
        for done in told:
            now += 1.0
            show(done)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()).rpartition("\r")[0]


def test_the_live_line_shows_cases_rate_budget_and_time_left():
    told = [ExportProgress(cases=100 * page, pages=page, size=1, pages_left=20 - page) for page in range(1, 9)]
    shown = drawn(None, *told)
    for words in ("800 cases", "100 cases/s", "300 left", "12 s to go"):
        assert words in shown


def test_the_live_line_fits_a_terminal_of_80_columns():
    told = [ExportProgress(cases=1_234_567 + page, pages=page, size=1, pages_left=99_999) for page in range(1, 9)]
    assert "…" not in drawn(None, *told)


def test_the_live_line_shows_that_the_time_is_unknown():
    shown = drawn(500, ExportProgress(cases=400, pages=4, size=1))
    assert "400 cases" in shown
    assert "time left unknown" in shown


def test_the_live_line_tells_of_attachments_too():
    done = ExportProgress(cases=400, pages=4, size=1, pages_left=0)
    shown = drawn(None, done, attrs.evolve(done, files=7))
    assert "400 cases, 7 attachments" in shown
    assert "attachment" not in drawn(None, done)

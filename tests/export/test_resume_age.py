"""How old an unfinished export may be, whichever way the clock was set meanwhile."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from persona_cases import InvalidArgumentError
from persona_cases.export.spool.checkpoint import Description

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ASKED = Description({}, "1.0", BEGAN)


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_a_clock_that_was_set_back_a_little_is_no_reason_to_refuse(hours):
    ASKED.check_age(BEGAN + timedelta(hours=hours), 6 * 3600, "x.jsonl")


@pytest.mark.parametrize("hours", [-7, 7])
def test_what_lies_further_away_is_too_old_on_either_side(hours):
    with pytest.raises(InvalidArgumentError, match=r"x\.jsonl: the unfinished export is too old"):
        ASKED.check_age(BEGAN + timedelta(hours=hours), 6 * 3600, "x.jsonl")
    ASKED.check_age(BEGAN + timedelta(hours=hours), math.inf, "x.jsonl")


def test_without_a_time_an_export_is_too_old():
    with pytest.raises(InvalidArgumentError):
        Description({}, "1.0").check_age(BEGAN, 6 * 3600, "x.jsonl")

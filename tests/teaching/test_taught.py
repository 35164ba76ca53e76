"""Lessons add words to errors of calls, and leave all others alone."""

from __future__ import annotations

import traceback

import pytest

from persona_cases.teaching import Lessons, taught


def test_a_type_error_of_a_method_is_no_matter_of_its_signature():
    wrong = TypeError("of its own")

    class Thing:
        def work(self, number: int) -> None:
            raise wrong

    Thing.work.__module__ = "persona_cases"
    taught(Lessons(calls={"work": "takes one number"}))(Thing)
    with pytest.raises(TypeError) as caught:
        Thing().work(5)
    assert caught.value is wrong
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(wrong.__traceback__)]
    assert not any("args" in each for each in frames)
    with pytest.raises(TypeError, match="Thing.work takes one number"):
        Thing().work()


def test_an_attribute_error_of_a_property_is_not_taken_for_its_absence():
    class Thing:
        @property
        def size(self) -> int:
            raise AttributeError("of the property")

    taught(Lessons())(Thing)
    with pytest.raises(AttributeError, match="of the property"):
        Thing().size  # noqa: B018

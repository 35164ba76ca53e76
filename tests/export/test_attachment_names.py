"""Names of downloaded files can do no harm, and stay what they are."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.export.attachments.file_names import safe_names

SAMPLES = ["a.pdf", "A.pdf", "a (2).pdf", "..", "con", "é.pdf", "e\u0301.pdf", "ß", "ss", "x" * 300 + ".pdf", "😀" * 80]
NAMES = st.lists(st.text() | st.sampled_from(SAMPLES) | st.none(), max_size=8)


@pytest.mark.parametrize(
    ("names", "safe"),
    [
        (["a.pdf", "a.pdf", "A.PDF", "a (2).pdf"], ["a.pdf", "a (2).pdf", "A (3).PDF", "a (2) (2).pdf"]),
        (["a", "a", "a"], ["a", "a (2)", "a (3)"]),
        (["é.pdf", "e\u0301.pdf"], ["é.pdf", "e\u0301 (2).pdf"]),
        (["../../etc/passwd", "..\\x", "/", ""], ["_.._etc_passwd", "_x", "_", "attachment"]),
        ([None, "..", " . "], ["attachment", "attachment (2)", "attachment (3)"]),
        ([".bashrc", "~/.ssh"], ["bashrc", "~_.ssh"]),
        (["a\x1b[2J.pdf", "gnp.\u202efdp.exe", "a\x00b"], ["a_[2J.pdf", "gnp._fdp.exe", "a_b"]),
        (["CON", "lpt1.txt", "com².a.b", "nul .txt"], ["_CON", "_lpt1.txt", "_com².a.b", "_nul .txt"]),
        (["a. ", "x:y", "console.pdf"], ["a", "x_y", "console.pdf"]),
        (["x" * 300 + ".pdf"] * 2, ["x" * 196 + ".pdf", "x" * 192 + " (2).pdf"]),
        (["ü" * 150 + ".pdf", "x." + "y" * 300], ["ü" * 98 + ".pdf", "x." + "y" * 198]),
        (["x" * 199 + "." + "y" * 30], ["x" * 199]),
    ],
)
def test_names_are_made_safe(names, safe):
    assert safe_names(names) == safe


@given(NAMES)
def test_no_name_leads_elsewhere_or_hides_or_comes_twice(names):
    chosen = safe_names(names)
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in chosen}) == len(names)
    for name in chosen:
        assert name == Path(name).name
        assert name[0] not in ". "
        assert name[-1] not in ". "
        assert not any(ord(character) < 32 or character in "/\\:\x7f\u202e" for character in name)
        assert len(name.encode()) <= 200


@given(NAMES, NAMES)
def test_more_files_change_no_name(names, more):
    assert safe_names([*names, *more])[: len(names)] == safe_names(names)


@given(NAMES)
def test_a_safe_name_is_left_alone(names):
    chosen = safe_names(names)
    assert safe_names(chosen) == chosen


@given(st.from_regex(r"[a-z]{1,300}\.[a-z]{1,5}", fullmatch=True), st.integers(1, 30))
def test_the_ending_is_kept(name, times):
    assert {Path(each).suffix for each in safe_names([name] * times)} == {Path(name).suffix}

"""Which files a case lists."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import DecodeError
from persona_cases.export.attachments.file_listing import files_of, readdressed
from persona_cases.models import Attachment


def line(attributes, id="case_1"):
    return json.dumps({"type": "case", "id": id, "attributes": attributes}).encode()


@pytest.mark.parametrize("key", ["byte_size", "byte-size", "byteSize"])
def test_files_are_found_in_any_spelling(key):
    files = files_of(line({"attachments": [{"filename": "a/b.pdf", "url": "https://x/", key: 7}, {}]}))
    assert files is not None
    assert files.case_id == "case_1"
    assert files.attachments == (Attachment("a/b.pdf", "https://x/", 7), Attachment())
    assert files.names == ("a_b.pdf", "attachment")
    assert [each.case_id for each in files.attachments] == ["case_1", "case_1"]
    assert "b.pdf" not in repr(files)
    assert "https" not in repr(files)


@pytest.mark.parametrize(
    "text",
    [
        line({}),
        line({"attachments": None}),
        line({"attachments": []}),
        b'{"id": "case_1"}',
        b'{"id":"c","attributes":null}',
    ],
)
def test_a_case_without_files_lists_none(text):
    assert files_of(text) is None


def test_what_is_of_no_interest_is_not_read():
    text = b'{"id": "case_1", "attributes": {"status": 5, "x": 1e999, "attachments": [{"filename": "a"}]}}'
    files = files_of(text)
    assert files is not None
    assert files.names == ("a",)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"id": 5}', b'{"id": "case_1", "attributes": []}', b'{"id": "c'])
def test_what_is_no_case_is_refused(text):
    with pytest.raises(DecodeError, match="is not a case"):
        files_of(text)


@pytest.mark.parametrize("id", ["", "..", "a/b", "a\\b", ".hidden", "con", "a\x00", "x" * 201, "a:b"])
def test_an_id_that_could_do_harm_is_refused(id):
    with pytest.raises(DecodeError, match="name of a directory") as caught:
        files_of(line({"attachments": [{"filename": "a"}]}, id))
    assert caught.value.pointer == "/id"


@pytest.mark.parametrize(
    ("attachments", "pointer"),
    [("Jane", "/attributes/attachments"), ([{"byte-size": "Jane"}], "/attributes/attachments/0/byte-size")],
)
def test_attachments_that_are_none_are_refused_with_the_place_and_without_the_value(attachments, pointer):
    with pytest.raises(DecodeError) as caught:
        files_of(line({"attachments": attachments}, "case_77"))
    assert caught.value.pointer == pointer
    assert "Jane" not in str(caught.value)
    assert caught.value.case_id == "case_77"


FILES = st.lists(
    st.builds(Attachment, st.sampled_from(["a", "b", None]), st.just("old"), st.sampled_from([1, 2, None])), max_size=6
)


@given(FILES, FILES)
def test_files_are_found_again_though_others_were_added(files, added):
    fresh = [attrs.evolve(each, url=f"new{number}") for number, each in enumerate([*files, *added])]
    assert readdressed(files, fresh) == fresh[: len(files)]


@given(FILES, FILES)
def test_what_is_found_again_is_the_same_file_and_nothing_is_found_twice(files, fresh):
    fresh = [attrs.evolve(each, url=f"new{number}") for number, each in enumerate(fresh)]
    found = readdressed(files, fresh)
    assert len(found) == len(files)
    for old, new in zip(files, found, strict=True):
        assert new is None or (new.filename, new.byte_size) == (old.filename, old.byte_size)
    urls = [each.url for each in found if each]
    assert len(urls) == len(set(urls))


def test_a_redacted_case_has_none_of_them():
    assert readdressed([Attachment("a", "old", 1)], []) == [None]

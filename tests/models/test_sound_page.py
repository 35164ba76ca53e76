"""What is read of a case that cannot be decoded."""

from __future__ import annotations

import attrs

from persona_cases.models.decoding.sound_page import Signs, signs_of


def test_signs_are_read_in_any_spelling():
    line = (
        b'{"id":"case_1","attributes":{"%s":"2026-01-01T00:00:00.000Z","%s":"2026-01-02T00:00:00Z","%s":%s,"x":1e400}}'
    )
    for names in ((b"created_at", b"updated_at", b"redacted_at"), (b"createdAt", b"updated-at", b"redacted-at")):
        told = Signs(created_at=1_767_225_600_000, updated_at=1_767_312_000_000, redacted=False)
        assert signs_of(line % (*names, b"null")) == told
        assert signs_of(line % (*names, b'"2026-01-03T00:00:00Z"')) == attrs.evolve(told, redacted=True)
    assert signs_of(b'{"attributes":{"created_at":7}}') == Signs(redacted=False)
    assert signs_of(b'{"attributes":') == signs_of(b"nope") == Signs()

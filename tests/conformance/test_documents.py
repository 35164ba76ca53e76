"""Reading documents, and what is added to those of the vendor."""

from __future__ import annotations

import copy
import json

import pytest

from conformance.amendments import amended
from conformance.document import Documents
from conformance.library import library


def test_one_file_stands_for_all_versions(tmp_path):
    path = tmp_path / "library.json"
    path.write_text(json.dumps(library()))
    documents = Documents.read(path)
    assert documents.newest is documents.oldest
    assert {documents.for_version(version) for version in (None, "2001-01-01", "2099-01-01")} == {documents.newest}
    assert documents.operation_names() == {"GET /books", "POST /books", "DELETE /books/{book-id}", "GET /books/lost"}


def test_of_several_files_the_version_decides(tmp_path):
    for version in ("2023-01-05", "2025-12-08"):
        (tmp_path / f"library-{version}.json").write_text(json.dumps(library()))
    documents = Documents.read(tmp_path)
    for version in ("2020-05-18", "2023-01-05"):
        assert documents.for_version(version) is documents.oldest
    for version in ("2023-01-06", "2025-10-27", "2025-12-08", "2026-09-29", None, "latest"):
        assert documents.for_version(version) is documents.newest
    assert documents.newest is not documents.oldest


@pytest.mark.parametrize("name", ["", "nothing.json"])
def test_no_document_is_an_error(tmp_path, name):
    with pytest.raises(ValueError, match="no OpenAPI document"):
        Documents.read(tmp_path / name)


def test_a_document_without_the_places_to_amend_stays_as_it_is():
    assert amended(library()) == library()


def test_the_vendors_documents_are_amended():
    response = {"content": {"application/json": {"schema": {"properties": {"errors": {"items": {"properties": {}}}}}}}}
    vendor = {
        "paths": {
            "/cases": {"post": {"responses": {"400": {"$ref": "#/components/responses/bad-request"}, "401": {}}}},
            "/cases/{case-id}/add-tag": {"post": {"operationId": "add-tag", "responses": {"200": {}}}},
        },
        "components": {
            "responses": {"bad-request": response},
            "schemas": {
                "api-version": {"enum": ["2025-12-08"]},
                "words": {"type": "array", "items": {"type": "string", "default": []}},
                "word": {"type": "string", "default": "a"},
            },
        },
    }
    given = copy.deepcopy(vendor)
    document = amended(given)
    assert given == vendor
    schemas = document["components"]["schemas"]
    assert schemas["api-version"]["enum"] == ["2025-12-08", "2026-09-29", "2021-05-14"]
    assert schemas["words"]["items"] == {"type": "string"}
    assert schemas["word"]["default"] == "a"
    comment = document["paths"]["/cases/{case-id}/add-comment"]["post"]
    assert comment["responses"] == {"200": {}}
    assert comment["requestBody"]["content"]["application/json"]["schema"]["required"] == ["meta"]
    created = document["paths"]["/cases"]["post"]["responses"]
    assert created["401"] == {}
    assert created["400"]["headers"]["Quota-Limit"]["required"] is False
    errors = document["components"]["responses"]["bad-request"]["content"]["application/json"]["schema"]
    assert "pointer" in errors["properties"]["errors"]["items"]["properties"]["source"]["properties"]

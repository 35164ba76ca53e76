"""Decoding of response bodies into models.

What makes models, and what reads undecodable cases, is imported on first use, because most pages of raw cases need
neither.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.models.decoding.decode import decode_case, decode_page
    from persona_cases.models.decoding.undecodable import UndecodableCase, creation_of, id_of, separated

__all__ = ["UndecodableCase", "creation_of", "decode_case", "decode_page", "id_of", "separated"]

_HOMES = {
    "persona_cases.models.decoding.decode": ("decode_case", "decode_page"),
    "persona_cases.models.decoding.undecodable": ("UndecodableCase", "creation_of", "id_of", "separated"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

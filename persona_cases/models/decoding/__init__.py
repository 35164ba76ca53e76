"""Decoding of response bodies into models.

What makes models is imported on first use, because pages of raw cases need none.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.models.decoding.decode import decode_case, decode_page

__all__ = ["decode_case", "decode_page"]

_HOMES = {"persona_cases.models.decoding.decode": tuple(__all__)}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

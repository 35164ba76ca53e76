"""The methods of `Predicate` that live in other files of this room, each imported on first use."""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.query.entry import check
    from persona_cases.query.matching import matches
    from persona_cases.query.predicate_json import from_dict, to_dict
    from persona_cases.query.rewrite import simplify, to_nnf
    from persona_cases.query.text.render import to_python, to_text

__all__ = ["check", "from_dict", "matches", "simplify", "to_dict", "to_nnf", "to_python", "to_text"]

_HOMES = {
    "persona_cases.query.entry": ("check",),
    "persona_cases.query.matching": ("matches",),
    "persona_cases.query.predicate_json": ("from_dict", "to_dict"),
    "persona_cases.query.rewrite": ("simplify", "to_nnf"),
    "persona_cases.query.text.render": ("to_python", "to_text"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

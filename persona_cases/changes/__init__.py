"""Changes of a case as values: each has the name and arguments of a method of `persona.cases`.

`persona.cases.apply` makes one change; `change_many` and `change_each` make many. A change checks its arguments when
you create it, and holds them as they will be sent. Its `repr` shows no values. Each name is imported on first use.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.changes.change_values import (
        AddComment,
        AddObjects,
        AddTag,
        Assign,
        Change,
        RemoveObjects,
        RemoveTag,
        SetStatus,
        SetTags,
        Update,
    )
    from persona_cases.changes.change_values import (
        Attachable as Attachable,
    )
    from persona_cases.changes.change_values import (
        as_change as as_change,
    )

__all__ = [
    "AddComment",
    "AddObjects",
    "AddTag",
    "Assign",
    "Change",
    "RemoveObjects",
    "RemoveTag",
    "SetStatus",
    "SetTags",
    "Update",
]

_HOMES = {"persona_cases.changes.change_values": (*__all__, "Attachable", "as_change")}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

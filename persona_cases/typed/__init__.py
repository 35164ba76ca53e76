"""The building blocks of generated modules: `persona-cases codegen` turns case templates into typed classes.

Import the classes from your generated module. The names here are for that module, and for code that works with any
generated class.
"""

from persona_cases.surface import publish
from persona_cases.typed.declaring import archived, deactivated, optional, required
from persona_cases.typed.typed_case import TypedCase, changes, fields_of, template_id
from persona_cases.typed.typed_fields import (
    ArrayField,
    BooleanField,
    ChoiceField,
    DateField,
    DateTimeField,
    FileField,
    HashField,
    IntegerField,
    JsonField,
    MultiChoiceField,
    NumberField,
    RelationField,
    TextField,
)
from persona_cases.typed.typed_hash import TypedHash

__all__ = [
    "ArrayField",
    "BooleanField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "FileField",
    "HashField",
    "IntegerField",
    "JsonField",
    "MultiChoiceField",
    "NumberField",
    "RelationField",
    "TextField",
    "TypedCase",
    "TypedHash",
    "archived",
    "changes",
    "deactivated",
    "fields_of",
    "optional",
    "required",
    "template_id",
]

publish(__name__, ArrayField, BooleanField, ChoiceField, DateField, DateTimeField, FileField, HashField, IntegerField)
publish(__name__, JsonField, MultiChoiceField, NumberField, RelationField, TextField, TypedCase, TypedHash)
publish(__name__, archived, changes, deactivated, fields_of, optional, required, template_id)


def __dir__() -> list[str]:
    return __all__

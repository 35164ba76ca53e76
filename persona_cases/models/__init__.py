"""The models: `Case` and its related objects, and the one converter between them and JSON.

Pure: nothing here does I/O or reads a clock. `Case.from_dict` reads plain JSON. Each name is imported on first use, so
creating a client does not load them.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.models.case import Case
    from persona_cases.models.decoding.converter import converter, structure
    from persona_cases.models.decoding.key_inflection import Inflection
    from persona_cases.models.fields import CaseFields, FieldValue
    from persona_cases.models.fieldset import Fieldset
    from persona_cases.models.objects import Attachment, FieldSchema, Resource, ResourceIdentifier
    from persona_cases.models.rate_limits import RateLimitStatus
    from persona_cases.models.related_objects import (
        Account,
        CaseComment,
        CaseQueue,
        CaseTemplate,
        Inquiry,
        Report,
        Transaction,
        Verification,
    )
    from persona_cases.models.relationships import CaseRelationships
    from persona_cases.models.unset import UNSET, Unset, UnsetType

__all__ = [
    "UNSET",
    "Account",
    "Attachment",
    "Case",
    "CaseComment",
    "CaseFields",
    "CaseQueue",
    "CaseRelationships",
    "CaseTemplate",
    "FieldSchema",
    "FieldValue",
    "Fieldset",
    "Inflection",
    "Inquiry",
    "RateLimitStatus",
    "Report",
    "Resource",
    "ResourceIdentifier",
    "Transaction",
    "Unset",
    "UnsetType",
    "Verification",
    "converter",
    "structure",
]

_HOMES = {
    "persona_cases.models.case": ("Case",),
    "persona_cases.models.decoding.converter": ("converter", "structure"),
    "persona_cases.models.decoding.key_inflection": ("Inflection",),
    "persona_cases.models.fields": ("CaseFields", "FieldValue"),
    "persona_cases.models.fieldset": ("Fieldset",),
    "persona_cases.models.objects": ("Attachment", "FieldSchema", "Resource", "ResourceIdentifier"),
    "persona_cases.models.rate_limits": ("RateLimitStatus",),
    "persona_cases.models.related_objects": (
        "Account",
        "CaseComment",
        "CaseQueue",
        "CaseTemplate",
        "Inquiry",
        "Report",
        "Transaction",
        "Verification",
    ),
    "persona_cases.models.relationships": ("CaseRelationships",),
    "persona_cases.models.unset": ("UNSET", "Unset", "UnsetType"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

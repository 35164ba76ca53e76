"""The models: `Case` and its neighbours, and the one converter between them and JSON.

Pure: nothing here does I/O or knows the time. `Case.from_dict` reads plain JSON.
"""

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
from persona_cases.surface import publish

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

publish("persona_cases", Attachment, Case, CaseTemplate)
publish(__name__, Account, CaseComment, CaseFields, CaseQueue, CaseRelationships, FieldSchema, FieldValue, Fieldset)
publish(__name__, Inquiry, RateLimitStatus, Report, Resource, ResourceIdentifier, Transaction, UnsetType, Verification)
publish(__name__, structure)


def __dir__() -> list[str]:
    return __all__

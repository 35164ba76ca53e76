"""The models: `Case` and its neighbours, and the one converter between them and JSON.

Pure: nothing here does I/O or knows the time. `decode_page`, `decode_case` and `decode_resource` read the bodies of
answers, `Case.from_dict` reads plain JSON.
"""

from persona_cases.models.case import Case
from persona_cases.models.converter import converter, structure
from persona_cases.models.decode import CasePage, Links, decode_case, decode_page, decode_resource
from persona_cases.models.fields import CaseFields, FieldValue
from persona_cases.models.fieldset import Fieldset
from persona_cases.models.neighbours import (
    Account,
    CaseComment,
    CaseQueue,
    CaseTemplate,
    Inquiry,
    Report,
    Transaction,
    Verification,
)
from persona_cases.models.rate_limits import RateLimitStatus, decode_rate_limits
from persona_cases.models.raw_page import RawPage, decode_raw_page, moment_of, time_of
from persona_cases.models.relationships import CaseRelationships
from persona_cases.models.resources import Attachment, FieldSchema, Resource, ResourceIdentifier
from persona_cases.models.spelling import Inflection
from persona_cases.models.unset import UNSET, Unset, UnsetType

__all__ = [
    "UNSET",
    "Account",
    "Attachment",
    "Case",
    "CaseComment",
    "CaseFields",
    "CasePage",
    "CaseQueue",
    "CaseRelationships",
    "CaseTemplate",
    "FieldSchema",
    "FieldValue",
    "Fieldset",
    "Inflection",
    "Inquiry",
    "Links",
    "RateLimitStatus",
    "RawPage",
    "Report",
    "Resource",
    "ResourceIdentifier",
    "Transaction",
    "Unset",
    "UnsetType",
    "Verification",
    "converter",
    "decode_case",
    "decode_page",
    "decode_rate_limits",
    "decode_raw_page",
    "decode_resource",
    "moment_of",
    "structure",
    "time_of",
]

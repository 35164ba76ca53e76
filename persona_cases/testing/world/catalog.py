"""The invented organisation that simulated cases belong to: templates, queues, people, words.

Nobody here exists; all email addresses are under example.com.
"""

from __future__ import annotations

from persona_cases.testing.world.identifiers import named_id
from persona_cases.testing.world.stored_cases import Actor, FieldSpec, Queue, Template, User

__all__ = [
    "API_KEY",
    "CITIES",
    "COMMENTS",
    "ENVIRONMENT_ID",
    "FIRST_NAMES",
    "LAST_NAMES",
    "ORGANIZATION_ID",
    "REPORT_TYPES",
    "TAGS",
    "TEMPLATES",
    "USERS",
    "VERIFICATION_TYPES",
]

ENVIRONMENT_ID = named_id("env", "simulator")
ORGANIZATION_ID = named_id("org", "simulator")
API_KEY = Actor(named_id("api_key", "simulator"), "api-key")
"""The actor in the history of a case for changes made through the API."""

_PRIORITY = FieldSpec("priority", "choices", "Priority", ("low", "medium", "high"))
_NOTES = FieldSpec("notes", "string", "Reviewer notes")


def _queues(*names: str) -> tuple[Queue, ...]:
    return tuple(Queue(named_id("cqueue", name), name) for name in names)


def _template(
    prefix: str,
    name: str,
    *fields: FieldSpec,
    intermediate: tuple[str, ...],
    end: tuple[str, ...],
    queues: tuple[str, ...],
) -> Template:
    return Template(
        id=named_id("ctmpl", prefix),
        prefix=prefix,
        name=name,
        initial="open",
        intermediate=intermediate,
        end=end,
        fields=fields,
        queues=_queues(*queues),
    )


TEMPLATES: tuple[Template, ...] = (
    _template(
        "KYC",
        "KYC review",
        _PRIORITY,
        FieldSpec("risk_score", "integer", "Risk score"),
        FieldSpec("politically_exposed", "boolean", "Politically exposed"),
        FieldSpec("document_expiry", "date", "Document expiry"),
        FieldSpec("risk_tags", "multi-choices", "Risk tags", ("address", "age", "device", "velocity")),
        FieldSpec("address", "hash", "Address", searchable=False),
        _NOTES,
        intermediate=("pending", "escalated"),
        end=("approved", "declined"),
        queues=("KYC first line", "KYC second line"),
    ),
    _template(
        "AML",
        "AML alert",
        _PRIORITY,
        FieldSpec("amount", "number", "Amount"),
        FieldSpec("currency", "choices", "Currency", ("CHF", "EUR", "GBP", "USD")),
        FieldSpec("alert_score", "integer", "Alert score"),
        FieldSpec("report_filed", "boolean", "Report filed"),
        FieldSpec("detected_on", "date", "Detected on"),
        FieldSpec("rules", "multi-choices", "Rules", ("layering", "round-sums", "smurfing", "velocity")),
        FieldSpec("counterparty", "hash", "Counterparty", searchable=False),
        _NOTES,
        intermediate=("pending", "investigating"),
        end=("cleared", "reported"),
        queues=("AML monitoring",),
    ),
    _template(
        "DOC",
        "Document fraud",
        _PRIORITY,
        FieldSpec("fraud_score", "number", "Fraud score"),
        FieldSpec("signals", "multi-choices", "Signals", ("edited", "font", "metadata", "reused")),
        FieldSpec("document_type", "choices", "Document", ("bank-statement", "id-card", "passport")),
        FieldSpec("tampered", "boolean", "Tampered"),
        FieldSpec("issued_on", "date", "Issued on"),
        _NOTES,
        intermediate=("pending",),
        end=("approved", "declined"),
        queues=("Document experts",),
    ),
    _template(
        "KYB",
        "Business onboarding",
        _PRIORITY,
        FieldSpec("employees", "integer", "Employees"),
        FieldSpec("annual_revenue", "number", "Annual revenue"),
        FieldSpec("industry", "choices", "Industry", ("finance", "gaming", "health", "retail", "travel")),
        FieldSpec("incorporated_on", "date", "Incorporated on"),
        FieldSpec("website", "string", "Website"),
        FieldSpec("registered_address", "hash", "Registered address", searchable=False),
        _NOTES,
        intermediate=("pending", "waiting for documents"),
        end=("approved", "declined"),
        queues=("Business onboarding", "Business escalations"),
    ),
    _template(
        "CHB",
        "Chargeback",
        FieldSpec("amount", "number", "Amount"),
        FieldSpec("reason_code", "string", "Reason code"),
        FieldSpec("disputed_on", "date", "Disputed on"),
        FieldSpec("merchant_category", "integer", "Merchant category"),
        FieldSpec("customer_contacted", "boolean", "Customer contacted"),
        intermediate=("pending",),
        end=("accepted", "contested"),
        queues=("Payments",),
    ),
)

FIRST_NAMES = ("Amara", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ilse", "Jonas")
LAST_NAMES = ("Abara", "Bianchi", "Costa", "Demir", "Eriksen", "Fontaine", "Grube", "Haddad", "Ito", "Jansen")
CITIES = ("Aarhus", "Bergamo", "Coimbra", "Dresden", "Espoo", "Fribourg")
TAGS = ("urgent", "vip", "repeat-applicant", "needs-documents", "second-review", "false-positive")
COMMENTS = (
    "Asked the customer for a clearer copy.",
    "Looks consistent with the account's history.",
    "Name differs from the document by one letter.",
    "Passed on to the second line.",
    "No match on the watchlist after a closer look.",
)

USERS: tuple[User, ...] = tuple(
    User(named_id("user", name), f"{name}@example.com")
    for name in ("maya.okafor", "tomas.lindqvist", "ines.moreau", "kenji.watts", "sofia.brandt", "omar.reyes")
)

REPORT_TYPES: dict[str, tuple[str, ...]] = {
    "KYC": ("report/watchlist", "report/adverse-media", "report/politically-exposed-person"),
    "AML": ("report/watchlist", "report/adverse-media"),
    "DOC": (),
    "KYB": ("report/business-watchlist", "report/business-adverse-media"),
    "CHB": (),
}
VERIFICATION_TYPES: dict[str, tuple[str, ...]] = {
    "KYC": ("verification/government-id", "verification/selfie"),
    "AML": ("verification/government-id",),
    "DOC": ("verification/document", "verification/government-id"),
    "KYB": ("verification/document",),
    "CHB": (),
}

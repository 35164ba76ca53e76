"""The data of a simulator: cases and their related objects, with one store per simulator.

Every change goes through a method of the store and records a `Change`, which the search index follows.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish
from persona_cases.testing.endpoints.attached_objects import AttachedObjects, id_prefix
from persona_cases.testing.world import catalog
from persona_cases.testing.world.attached_files import AttachedFiles
from persona_cases.testing.world.field_values import typed_value
from persona_cases.testing.world.identifiers import Draw
from persona_cases.testing.world.simulated_clock import Clock
from persona_cases.testing.world.stored_cases import (
    Account,
    Actor,
    CaseRecord,
    Queue,
    Ref,
    Resource,
    StoredFile,
    Template,
    User,
    timestamp,
)
from persona_cases.testing.world.surroundings import comment, describe
from persona_cases.testing.world.tag_names import DEFAULT_TAG_CAP, Tags

__all__ = ["CaseStore", "Change"]


class Change(NamedTuple):
    """A change of a case: `case` is the case afterwards, None if it was removed."""

    when: float
    case_id: str
    case: CaseRecord | None


class CaseStore:
    """Holds and changes the cases of a `Simulator`; available to tests as `sim.store`.

    Read cases through `cases`. All times are aware datetimes or strings of the API.
    """

    def __init__(self, clock: Clock, *, seed: int = 0, tag_cap: int = DEFAULT_TAG_CAP) -> None:
        self._clock = clock
        self._draw = Draw(f"store:{seed}")
        self._cases: dict[str, CaseRecord] = {}
        self._resources: dict[Ref, Resource] = {}
        self._files = AttachedFiles()
        self._objects = AttachedObjects()
        self._numbers: Counter[str] = Counter()
        self.tags: Tags = Tags(catalog.TAGS, tag_cap)
        """The tags of the organisation."""
        self._reference_ids: dict[str, str] = {}
        self._templates = {each.id: each for each in catalog.TEMPLATES}
        self.changes: deque[Change] = deque()
        """The changes that the search index has not processed yet."""
        self.version: int = 0
        """A number that grows with every change."""
        self._told: list[Callable[[CaseRecord | None, CaseRecord], object]] = []
        self._before: dict[str, CaseRecord | None] | None = None

    def __repr__(self) -> str:
        return f"<CaseStore: {len(self._cases)} cases>"

    @property
    def cases(self) -> Mapping[str, CaseRecord]:
        """All cases by id; a live, read-only view."""
        return MappingProxyType(self._cases)

    @property
    def templates(self) -> Mapping[str, Template]:
        """All case templates by id; a live, read-only view."""
        return MappingProxyType(self._templates)

    @property
    def queues(self) -> Mapping[str, Queue]:
        """The queues of all templates by id."""
        return {queue.id: queue for template in self._templates.values() for queue in template.queues}

    @property
    def users(self) -> Mapping[str, User]:
        """The people to whom cases can be assigned, by email address."""
        return {user.email: user for user in catalog.USERS}

    def load(self, cases: Iterable[CaseRecord], accounts: Iterable[Account] = ()) -> None:
        """Add existing cases as if they had always been there, so that searches show them immediately.

        Args:
            cases: the cases.
            accounts: the accounts that they belong to.
        """
        for account in accounts:
            self._reference_ids[account.id] = account.reference_id
            self._objects.add((Ref("account", account.id),))
        for case in cases:
            self._numbers[self._templates[case.template_id].prefix] += 1
            self._put(case, when=float("-inf"))

    def tells(self, told: Callable[[CaseRecord | None, CaseRecord], object]) -> None:
        """Call a function with a case before and after every future change; before a creation, it is None.

        Args:
            told: the function; it takes the case before and the case after a change.
        """
        self._told.append(told)

    @contextmanager
    def one_change(self) -> Generator[None]:
        """Combine the changes inside the block into one, from the state before to the state after all of them."""
        before: dict[str, CaseRecord | None] = {}
        self._before = before
        try:
            yield
        finally:
            self._before = None
            for case_id, case in before.items():
                self._tell(case, self._cases[case_id])

    def template(self, name: str) -> Template:
        """Return the template with this id, prefix (`KYC`) or name (`KYC review`).

        Args:
            name: the id, the prefix or the name.

        Returns:
            The template.

        Raises:
            InvalidArgumentError: if there is none.
        """
        for template in self._templates.values():
            if name in {template.id, template.prefix, template.name}:
                return template
        known = ", ".join(each.prefix for each in self._templates.values())
        raise InvalidArgumentError(f"template: there is no {name!r}; the simulator has {known}")

    def add_template(self, template: Template) -> None:
        """Add a template of your own, with its statuses and fields, for use in `create_case`.

        Args:
            template: the template.
        """
        self._templates[template.id] = template

    def create_case(
        self,
        template: str = "KYC",
        *,
        fields: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
        account_id: str | None = None,
        reference_id: str | None = None,
        **changes: Any,
    ) -> CaseRecord:
        """Add a case.

        Args:
            template: id, prefix or name of its template.
            fields: plain values by key, as in a request; types come from the template.
            created_at: the creation time, an aware datetime. Default: now.
            account_id: the account of the case; a new one is created if only `reference_id` is given.
            reference_id: the reference id of that account.
            changes: any other attribute of `CaseRecord`, such as `status="pending"`.

        Returns:
            The case as stored.

        Raises:
            InvalidArgumentError: if the template or an attribute is unknown, or a time is naive.
        """
        chosen = self.template(template)
        self._numbers[chosen.prefix] += 1
        born = timestamp(created_at or self._clock.now())
        case = CaseRecord(
            id=self._draw.id("case"),
            template_id=chosen.id,
            status=chosen.initial,
            name=f"{chosen.prefix}-{self._numbers[chosen.prefix]}",
            created_at=born,
            updated_at=born,
            creator_id=self._draw.id("api_key"),
            creator_type="api-key",
            accounts=self._account(account_id, reference_id),
            fields=self._typed(chosen, fields or {}),
        )
        return self._put(_evolve(case, changes))

    def update_case(self, case_id: str, *, fields: Mapping[str, Any] | None = None, **changes: Any) -> CaseRecord:
        """Change a case; `updated_at` becomes now unless it is among the changes.

        Args:
            case_id: the id of the case.
            fields: plain values of the custom fields to set; others do not change.
            changes: new values for attributes of `CaseRecord`, such as `status="approved"`.

        Returns:
            The case as stored.

        Raises:
            KeyError: if there is no such case.
            InvalidArgumentError: if there is no such attribute.
        """
        case = self._cases[case_id]
        if fields is not None:
            typed = self._typed(self._templates[case.template_id], fields)
            changes["fields"] = {**case.fields, **typed}
        return self._put(_evolve(case, {"updated_at": timestamp(self._clock.now()), **changes}))

    def remove_case(self, case_id: str) -> None:
        """Remove a case as if it had never existed; the API itself can only redact.

        Args:
            case_id: the id of the case.

        Raises:
            KeyError: if there is no such case.
        """
        del self._cases[case_id]
        self._record(Change(self._clock.monotonic(), case_id, None))

    def redact_case(self, case_id: str, **changes: Any) -> CaseRecord:
        """Redact a case: erase its fields and attached files permanently.

        Args:
            case_id: the id of the case.
            changes: other changes of the case.

        Returns:
            The case as stored.

        Raises:
            KeyError: if there is no such case.
        """
        case = self._cases[case_id]
        self._files.remove(case.attachments)
        now = timestamp(self._clock.now())
        emptied = attrs.evolve(case, fields={}, attachments=(), redacted_at=now, updated_at=now)
        return self._put(_evolve(emptied, changes))

    def add_comment(self, case_id: str, message: str, author: Actor | None = None, **changes: Any) -> CaseRecord:
        """Append a comment to a case.

        Args:
            case_id: the id of the case.
            message: the text.
            author: the author. Default: one of the invented people.
            changes: other changes of the case.

        Raises:
            KeyError: if there is no such case.
        """
        case = self._cases[case_id]
        ref = Ref("case-comment", self._draw.id("cscm"))
        writer = author or catalog.USERS[0].actor
        self._resources[ref] = comment(ref, message, timestamp(self._clock.now()), writer)
        return self.update_case(case_id, comments=(*case.comments, ref), **changes)

    def upload(self, filename: str, content: bytes) -> StoredFile:
        """Store a file, to add to the `attachments` of a case.

        Args:
            filename: the name of the file.
            content: its bytes.

        Returns:
            The file.
        """
        return self._files.upload(filename, content, self._draw.token())

    def add_object(self, type_: str) -> Ref:
        """Add an object that can be attached to cases.

        Args:
            type_: its type, such as `inquiry`, `report/watchlist` or `document`.
        """
        ref = Ref(type_, self._draw.id(id_prefix(type_)))
        self._objects.add((ref,))
        return ref

    def object(self, object_id: str) -> Ref | None:
        """Return the object with this id: one that was added, or one that any case or account ever referred to.

        Args:
            object_id: the id of the object.
        """
        return self._objects.find(object_id)

    def objects(self, case_id: str) -> tuple[Ref, ...]:
        """Return all objects attached to a case, including those that no relationship shows.

        Args:
            case_id: the id of the case.
        """
        return self._objects.of(self._cases[case_id])

    def attach(self, case_id: str, objects: Iterable[Ref], **changes: Any) -> CaseRecord:
        """Attach objects to a case.

        Args:
            case_id: the id of the case.
            objects: the objects.
            changes: other changes of the case.

        Raises:
            KeyError: if there is no such case.
        """
        return self.update_case(case_id, **self._objects.attach(self._cases[case_id], objects), **changes)

    def detach(self, case_id: str, object_ids: Collection[str], **changes: Any) -> CaseRecord:
        """Detach objects from a case, ignoring objects that are not attached.

        Args:
            case_id: the id of the case.
            object_ids: the ids of the objects.
            changes: other changes of the case.

        Raises:
            KeyError: if there is no such case.
        """
        return self.update_case(case_id, **self._objects.detach(self._cases[case_id], object_ids), **changes)

    def resource(self, ref: Ref, case: CaseRecord) -> Resource | None:
        """Return the object that `ref` points to from `case`; None if the simulator has no such object.

        Args:
            ref: the type and id of the object.
            case: the case.
        """
        written = self._resources.get(ref)
        return written or describe(ref, case, self._templates, self._reference_ids)

    def reference_id(self, account_id: str) -> str | None:
        """Return the reference id of an account.

        Args:
            account_id: the id of the account.
        """
        return self._reference_ids.get(account_id)

    def tag_id(self, name: str) -> str:
        """Return the id of a tag; a new name becomes a new tag.

        Args:
            name: the name of the tag.
        """
        return self.tags.id(name)

    def file(self, token: str) -> StoredFile | None:
        """Return the attached file with this token.

        Args:
            token: the token of the file.
        """
        return self._files.find(token)

    def file_content(self, file: StoredFile) -> bytes:
        """Return the bytes of an attached file.

        Args:
            file: the file.
        """
        return self._files.content(file)

    def searchable_fields(self) -> frozenset[str]:
        """Return the keys of the custom fields that some template marks as searchable."""
        return frozenset(
            spec.key for template in self._templates.values() for spec in template.fields if spec.searchable
        )

    def _account(self, account_id: str | None, reference_id: str | None) -> tuple[Ref, ...]:
        if account_id is None and reference_id is None:
            return ()
        owner = account_id or self._draw.id("act")
        if reference_id is not None:
            self._reference_ids[owner] = reference_id
        return (Ref("account", owner),)

    def _typed(self, template: Template, fields: Mapping[str, Any]) -> dict[str, Any]:
        types = {spec.key: spec.type for spec in template.fields}
        unknown = fields.keys() - types.keys()
        if unknown:
            raise InvalidArgumentError(
                f"fields: {template.name} has no {', '.join(sorted(unknown))}; it has {', '.join(types)}"
            )
        return {key: typed_value(types[key], value) for key, value in fields.items()}

    def _put(self, case: CaseRecord, *, when: float | None = None) -> CaseRecord:
        before = self._cases.get(case.id)
        self._cases[case.id] = case
        self._files.add(case.attachments)
        self._objects.see(case)
        for tag in case.tags:
            self.tags.id(tag)
        self._record(Change(self._clock.monotonic() if when is None else when, case.id, case))
        if when is None:
            self._tell(before, case)
        return case

    def _tell(self, before: CaseRecord | None, after: CaseRecord) -> None:
        if self._before is not None:
            self._before.setdefault(after.id, before)
            return
        for told in self._told:
            told(before, after)

    def _record(self, change: Change) -> None:
        self.changes.append(change)
        self.version += 1


def _evolve(case: CaseRecord, changes: Mapping[str, Any]) -> CaseRecord:
    known = {field.name for field in attrs.fields(CaseRecord)} - {"id"}
    unknown = changes.keys() - known
    if unknown:
        # The message of any other function for an unknown keyword.
        raise TypeError(f"unexpected keyword argument: cases have no {', '.join(sorted(unknown))}")
    texts: dict[str, Any] = {
        name: timestamp(value) if isinstance(value, datetime) else value for name, value in changes.items()
    }
    return attrs.evolve(case, **texts)


publish("persona_cases.testing", CaseStore)

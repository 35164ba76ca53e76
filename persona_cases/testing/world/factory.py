"""The factory of realistic cases from a seed: the same seed gives the same cases, byte for byte, everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from persona_cases.errors import InvalidArgumentError
from persona_cases.surface import publish
from persona_cases.testing.world import catalog
from persona_cases.testing.world.field_values import draw_fields
from persona_cases.testing.world.identifiers import Draw
from persona_cases.testing.world.stored_cases import Account, CaseRecord, Ref, StoredFile, Template, timestamp

__all__ = ["DEFAULT_EPOCH", "CaseFactory", "make_world"]

DEFAULT_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The time at which the history of the generated cases ends."""

_SPAN = timedelta(days=730)
_MILLISECOND = timedelta(milliseconds=1)
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_SHARE_OF_EQUAL_TIMES = 0.02
_CASES_PER_ACCOUNT = 1.5
_MOST_REMEMBERED = 3_000


class CaseFactory:
    """Generates the cases of an organisation that was busiest at the end.

    Cases are generated oldest first, spread over the two years before `epoch` and denser toward the end. A few share
    their creation time with the previous one, as happens with imports.

    Args:
        cases: number of cases, at least 0.
        seed: determines everything about them.
        epoch: the time at which their history ends, an aware datetime.

    Raises:
        InvalidArgumentError: if `cases` is negative, or `epoch` is naive.
    """

    def __init__(self, cases: int, seed: int = 0, *, epoch: datetime = DEFAULT_EPOCH) -> None:
        if cases < 0:
            raise InvalidArgumentError("cases must be at least 0")
        if epoch.tzinfo is None:
            raise InvalidArgumentError("epoch must have a time zone, such as tzinfo=datetime.UTC")
        self._count = cases
        self._epoch = epoch
        self._draw = Draw(seed)
        self.accounts: tuple[Account, ...] = tuple(map(self._account, range(int(cases / _CASES_PER_ACCOUNT) + 1)))
        """The accounts that the cases belong to."""
        self._numbers: Counter[str] = Counter()

    def __iter__(self) -> Iterator[CaseRecord]:
        """Yield the cases, oldest first; a factory can be used only once."""
        age = -1
        for index in range(self._count):
            if index == 0 or not self._draw.chance(_SHARE_OF_EQUAL_TIMES):
                age = self._age(index)
            yield self._case(age)

    def _account(self, number: int) -> Account:
        return Account(self._draw.id("act"), f"customer-{number + 1}")

    def _age(self, index: int) -> int:
        # x(3 - x)/2 runs from 0 to 1, three times steeper at its start: the first cases lie furthest apart. Products of
        # floats round the same way on every machine, but powers need not.
        x = (index + self._draw.fraction()) / self._count
        return int((_SPAN // _MILLISECOND) * (1 - x * (3 - x) / 2))

    def _at(self, age: int) -> str:
        """Return the time `age` milliseconds before the epoch, which is the latest time."""
        return timestamp(self._epoch - max(age, 0) * _MILLISECOND)

    def _case(self, age: int) -> CaseRecord:
        draw = self._draw
        template = draw.pick(catalog.TEMPLATES)
        self._numbers[template.prefix] += 1
        status = self._status(template)
        updated = age - draw.between(_HOUR_MS, 10 * _DAY_MS) if status != template.initial else age
        return CaseRecord(
            id=draw.id("case"),
            template_id=template.id,
            status=status,
            name=f"{template.prefix}-{self._numbers[template.prefix]}",
            created_at=self._at(age),
            updated_at=self._at(updated),
            sla_expires_at=self._deadline(age) if draw.chance(0.3) else None,
            tags=draw.some(catalog.TAGS, 3),
            fields=draw_fields(template.fields, draw),
            attachments=self._attachments(),
            queue_id=draw.pick(template.queues).id if draw.chance(0.8) else None,
            **self._creator(),
            **self._people(template, status, age, updated),
            **self._neighbours(template),
        )

    def _deadline(self, age: int) -> str:
        return timestamp(self._epoch + timedelta(days=3) - age * _MILLISECOND)

    def _status(self, template: Template) -> str:
        share = self._draw.fraction()
        if share < 0.4:
            return template.initial
        return self._draw.pick(template.intermediate if share < 0.6 else template.end)

    def _creator(self) -> dict[str, Any]:
        draw = self._draw
        kind = draw.pick(("workflow-run", "workflow-run", "user", "api-key"))
        if kind == "user":
            return {"creator_id": draw.pick(catalog.USERS).email, "creator_type": kind}
        return {"creator_id": draw.id("wfr" if kind == "workflow-run" else "api_key"), "creator_type": kind}

    def _people(self, template: Template, status: str, age: int, updated: int) -> dict[str, Any]:
        """Return who was assigned the case, who last changed it and who closed it."""
        draw = self._draw
        people: dict[str, Any] = {}
        if draw.chance(0.6):
            people |= {
                "assigned_at": self._at(min(age, max(updated, age - _HOUR_MS))),
                "assignee_id": draw.pick(catalog.USERS).email,
                "assigner_id": draw.pick(catalog.USERS).email,
                "assigner_type": "user",
            }
        if status != template.initial:
            people |= {"updater_id": draw.pick(catalog.USERS).email, "updater_type": "user"}
        if status in template.end:
            people |= {
                "resolution": status.capitalize(),
                "resolved_at": self._at(updated),
                "resolver_id": people["updater_id"],
                "resolver_type": "user",
            }
        return people

    def _neighbours(self, template: Template) -> dict[str, Any]:
        draw = self._draw
        with_inquiry = template.prefix != "CHB"
        return {
            "accounts": (Ref("account", draw.pick(self.accounts).id),) if draw.chance(0.95) else (),
            "inquiries": (Ref("inquiry", draw.id("inq")),) if with_inquiry else (),
            "reports": tuple(Ref(kind, draw.id("rep")) for kind in draw.some(catalog.REPORT_TYPES[template.prefix], 2)),
            "verifications": tuple(Ref(kind, draw.id("ver")) for kind in catalog.VERIFICATION_TYPES[template.prefix]),
            "txns": tuple(Ref("transaction", draw.id("txn")) for _ in range(draw.between(1, 3)))
            if template.prefix in {"AML", "CHB"}
            else (),
            "comments": tuple(Ref("case-comment", draw.id("cscm")) for _ in range(draw.below(3))),
        }

    def _attachments(self) -> tuple[StoredFile, ...]:
        draw = self._draw
        if not draw.chance(0.25):
            return ()
        return tuple(
            StoredFile(f"{name}-{draw.below(1000)}.{name[-3:]}", draw.between(200, 20_000), draw.token())
            for name in draw.some(("statement.pdf", "passport.jpg"), 2)
        )


class World(NamedTuple):
    """The initial data of a simulator."""

    cases: tuple[CaseRecord, ...]
    accounts: tuple[Account, ...]


def make_world(cases: int, seed: int, epoch: datetime) -> World:
    """Generate the cases of a factory, or reuse those of an earlier simulator in this process.

    The tests of an application start many simulators, mostly with the same cases.
    """
    return (_remembered if cases <= _MOST_REMEMBERED else _made)(cases, seed, epoch)


def _made(cases: int, seed: int, epoch: datetime) -> World:
    factory = CaseFactory(cases, seed, epoch=epoch)
    return World(tuple(factory), factory.accounts)


_remembered = lru_cache(maxsize=32)(_made)

publish("persona_cases.testing", CaseFactory)

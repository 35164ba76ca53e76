"""Comparing a mirror with the API it mirrors, and scripts of what happens to both."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs

from persona_cases import PersonaClient, Predicate, Q
from persona_cases.mirror.case_version import digest_of
from persona_cases.testing import Fault, ManualClock, Simulator

OVERLAP = 600
LAGS = (0, 30, 60, 900)


class JumpyClock(ManualClock):
    """A server's clock that somebody sets now and then."""

    offset = timedelta()

    def now(self):
        return super().now() + self.offset

    def jump(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


class Poison:
    """Middleware that puts what cannot be decoded into answers.

    Attributes:
        value: what it puts there, instead of texts that begin with the marker.
        case: a case that has it whatever its texts are.
        nameless: a case whose id cannot be read.
    """

    marker = "poisoned"

    def __init__(self) -> None:
        self.value = b"1e400"
        self.case: str | None = None
        self.nameless: str | None = None
        self._active = True

    async def __call__(self, request, call_next):
        response = await call_next(request)
        return attrs.evolve(response, body=self._poisoned(response.body)) if self._active else response

    @contextlib.contextmanager
    def paused(self):
        """Let everything be decoded."""
        self._active = False
        yield
        self._active = True

    def _poisoned(self, body: bytes) -> bytes:
        body = re.sub(b'"%b([^"]*)"' % self.marker.encode(), self._instead, body)
        if self.nameless is not None:
            body = body.replace(b'"id":"%b"' % self.nameless.encode(), b'"id":7')
        start = -1 if self.case is None else body.find(b'"id":"%b"' % self.case.encode())
        place = body.find(b'"attributes":{', start)
        if start < 0 or place < 0:
            return body
        after = place + len(b'"attributes":{')
        return body[:after] + b'"name":%b,' % self.value + body[after:]

    def _instead(self, found: re.Match[bytes]) -> bytes:
        # What stands behind the marker stays.
        return b'[%b,"%b"]' % (self.value, found.group(1))


async def truth(client: PersonaClient, where: Predicate | None) -> dict[str, str]:
    """What the API has: digests by id. Only after the lag do searches know which cases match."""
    found = {case.id async for case in client.cases.search(where, only=["created_at"])}
    return {case.id: digest_of(case.raw_line) async for case in client.cases.list() if case.id in found}


def mirrored(path: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return {id: digest_of(raw.encode()) for id, raw in database.execute("SELECT id, raw FROM cases")}


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(statement).fetchall()


def on_disk(path: Path) -> bytes:
    """Everything that lies at the path or beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"*{path.name}*")) if each.is_file())


def queries(sim: Simulator) -> list[Predicate | None]:
    """Queries of each kind: all cases, what cases show, and what only searches know."""
    return [
        None,
        Q.status.in_(["Open", "open", "pending", "approved"]),
        Q.fields.notes.gte("m") | Q.resolution.eq("none"),
        Q.state.eq("initial"),
        ~Q.tag_id.eq(sim.store.tag_id("urgent")) & Q.fields.priority.eq("high"),
        Q.fields.risk_tags.eq("age") | Q.fields.amount.gt(100),
    ]


class World:
    """Changes cases at random; `secrets` has the values that belonged to cases before they were redacted."""

    def __init__(self, sim: Simulator, clock: JumpyClock, random: Random) -> None:
        self.sim, self.clock, self.random = sim, clock, random
        self.secrets: dict[str, list[str]] = {}
        self.erased: list[str] = []
        self.jumped = False

    def step(self) -> None:
        acts = [
            self.create,
            self.update,
            self.update,
            self.update,
            self.redact,
            self.poison,
            self.wait,
            self.wait,
            self.jump,
            self.trouble,
        ]
        self.random.choice(acts)()

    def secret(self) -> str:
        return f"{self.random.choice('az')}-secret-{self.random.getrandbits(60):x}"

    def create(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            note = self.secret()
            case = self.sim.store.create_case("KYC", fields={"notes": note, "priority": "high"})
            self.secrets[case.id] = [note]

    def update(self) -> None:
        ids = list(self.sim.store.cases)
        for id in self.random.sample(ids, min(len(ids), self.random.randint(1, 6))):
            case = self.sim.store.cases[id]
            if case.redacted_at is not None:
                continue
            changes: dict[str, Any] = self.random.choice(
                [
                    {"status": "approved"},
                    {"status": "Open"},
                    {"status": self.sim.store.templates[case.template_id].initial},
                    {"tags": ("urgent",)},
                    {"tags": ()},
                ]
            )
            fields: Mapping[str, Any] | None = None
            if case.template_id == self.sim.store.template("KYC").id:
                note = self.secret()
                fields = {"notes": note}
                self.secrets.setdefault(id, []).append(note)
            self.sim.store.update_case(id, fields=fields, **changes)

    def redact(self) -> None:
        id = self.random.choice(list(self.sim.store.cases))
        self.sim.store.redact_case(id)
        self.erased += self.secrets.pop(id, [])

    def poison(self) -> None:
        noted = [id for id, case in self.sim.store.cases.items() if case.redacted_at is None and "notes" in case.fields]
        for id in self.random.sample(noted, self.random.randint(1, 3)):
            note = self.secret()
            self.sim.store.update_case(id, fields={"notes": Poison.marker + note})
            self.secrets.setdefault(id, []).append(note)

    def poisoned(self) -> set[str]:
        """The cases that cannot be decoded."""
        texts = {id: str(case.fields.get("notes", {}).get("value")) for id, case in self.sim.store.cases.items()}
        return {id for id, text in texts.items() if text.startswith(Poison.marker)}

    def wait(self) -> None:
        self.clock.advance(self.random.choice([0.001, 1, 20, 90, 700]))

    def jump(self) -> None:
        far = self.random.random() < 0.1
        self.jumped = self.jumped or far
        self.clock.jump(-4000 if far else self.random.choice([-100, -20, 5, 40]))

    def trouble(self) -> None:
        fault = self.random.choice([Fault.status(503), Fault.torn(), Fault.drop()])
        self.sim.faults.next(*[fault] * self.random.choice([1, 1, 6]))

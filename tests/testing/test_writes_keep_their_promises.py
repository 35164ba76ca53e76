"""Random sequences of writes, against a model of what they should come to."""

import asyncio
import base64
import contextlib
from typing import Any

import attrs
from api_caller import Callers
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from persona_cases.testing import ManualClock
from persona_cases.testing.world.catalog import TAGS, USERS

LAG = 60
CAP = len(TAGS) + 3
STATUSES = {"open": False, "pending": False, "escalated": False, "approved": True, "declined": True}
KINDS = {"inquiry": "inquiries", "report/watchlist": "reports", "transaction": "txns", "document": None}
PDF = {"filename": "letter.pdf", "data": base64.b64encode(b"%PDF").decode()}

tag_names = st.sampled_from([*TAGS[:3], "one", "two", "three", "four", "five"])


@attrs.define
class Expected:
    """What a case should look like."""

    status: str = "open"
    fields: dict[str, Any] = attrs.field(factory=dict)
    tags: list[str] = attrs.field(factory=list)
    objects: list[str] = attrs.field(factory=list)
    comments: int = 0
    files: int = 0
    assignee: str | None = None
    updated_at: str = ""
    redacted: bool = False


class Writes(RuleBasedStateMachine):
    cases = Bundle("cases")
    objects = Bundle("objects")

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.clock = ManualClock()
        settings_ = {"cases": 0, "clock": self.clock, "index_lag": LAG, "tag_cap": CAP}
        self.api = self.run(Callers(self.stack)(**settings_))
        self.expected: dict[str, Expected] = {}
        self.tags = set(TAGS)
        self.kinds: dict[str, str | None] = {}
        self.seen_by_searches = [(0.0, {})]
        self.replies: dict[str, Any] = {}

    def teardown(self):
        self.run(self.stack.aclose())
        self.runner.close()

    def run(self, awaitable):
        return self.runner.run(awaitable)

    def change(self, case_id, answered, wanted=200):
        """Whether a write was carried out, which it should be unless the case is redacted or it asks too much."""
        expected = self.expected[case_id]
        wanted = 409 if expected.redacted else wanted
        assert answered.status == wanted, answered.document
        if wanted != 200:
            return False
        assert answered.attributes["updated-at"] >= expected.updated_at
        expected.updated_at = answered.attributes["updated-at"]
        return True

    # ---- rules

    @rule(target=cases, priority=st.sampled_from([None, "low", "high"]), key=st.sampled_from(["", "one", "two"]))
    def create(self, priority, key):
        fields = {} if priority is None else {"priority": priority}
        answered = self.run(self.api.create({"fields": fields}, headers={"Idempotency-Key": key}))
        stored = self.replies.get(key)
        if stored is not None:
            same = stored[0] == priority
            assert answered.status == (201 if same else 400)
            assert not same or answered.document == stored[1]
            return multiple()
        case_id = answered.case["id"]
        assert case_id not in self.expected
        if key:
            self.replies[key] = (priority, answered.document)
        self.expected[case_id] = Expected(fields=fields, updated_at=answered.attributes["updated-at"])
        return case_id

    @rule(target=objects, kind=st.sampled_from(sorted(KINDS)))
    def make_object(self, kind):
        object_id = self.api.sim.store.add_object(kind).id
        self.kinds[object_id] = KINDS[kind]
        return object_id

    @rule(case_id=cases, values=st.dictionaries(st.sampled_from(["priority", "notes"]), st.sampled_from(["low", None])))
    def update(self, case_id, values):
        if self.change(case_id, self.run(self.api.patch(case_id, {"fields": values}))):
            self.expected[case_id].fields.update(values)

    @rule(case_id=cases)
    def update_wrongly(self, case_id):
        answered = self.run(self.api.patch(case_id, {"fields": {"notes": "x", "risk_score": "high"}}))
        assert not self.change(case_id, answered, 422)

    @rule(case_id=cases, count=st.integers(1, 2))
    def upload(self, case_id, count):
        if self.change(case_id, self.run(self.api.patch(case_id, {"attachments": [PDF] * count}))):
            self.expected[case_id].files += count

    @rule(case_id=cases, status=st.sampled_from([*STATUSES, "cleared"]))
    def set_status(self, case_id, status):
        answered = self.run(self.api.act(case_id, "set-status", {"status": status}))
        if self.change(case_id, answered, 200 if status in STATUSES else 422):
            self.expected[case_id].status = status

    @rule(case_id=cases, user=st.sampled_from(USERS))
    def assign(self, case_id, user):
        if self.change(case_id, self.run(self.api.act(case_id, "assign", {"user-email-address": user.email}))):
            self.expected[case_id].assignee = user.email

    @rule(case_id=cases, name=tag_names)
    def add_tag(self, case_id, name):
        fits = name in self.tags or len(self.tags) < CAP
        if self.change(case_id, self.run(self.api.act(case_id, "add-tag", {"tag-name": name})), 200 if fits else 422):
            self.tags.add(name)
            tags = self.expected[case_id].tags
            tags.extend([] if name in tags else [name])

    @rule(case_id=cases, name=tag_names)
    def remove_tag(self, case_id, name):
        answered = self.run(self.api.act(case_id, "remove-tag", {"tag-name": name}))
        if self.change(case_id, answered, 200 if name in self.tags else 404):
            tags = self.expected[case_id].tags
            tags[:] = [tag for tag in tags if tag != name]

    @rule(case_id=cases, names=st.lists(tag_names, max_size=5))
    def set_tags(self, case_id, names):
        fits = {*names} <= self.tags or len({*names} | self.tags) <= CAP
        answered = self.run(self.api.act(case_id, "set-tags", {"tag-name": names}))
        if self.change(case_id, answered, 200 if fits else 422):
            self.tags |= {*names}
            self.expected[case_id].tags = list(dict.fromkeys(names))

    @rule(case_id=cases, ids=st.lists(objects, min_size=1, max_size=3))
    def add_objects(self, case_id, ids):
        attached = self.expected[case_id].objects
        new = len({*ids}) == len(ids) and not {*ids} & {*attached}
        answered = self.run(self.api.act(case_id, "add-objects", {"object-ids": ids}))
        if self.change(case_id, answered, 200 if new else 409):
            attached.extend(ids)

    @rule(case_id=cases, ids=st.lists(objects, min_size=1, max_size=3))
    def remove_objects(self, case_id, ids):
        if self.change(case_id, self.run(self.api.act(case_id, "remove-objects", {"object-ids": ids}))):
            attached = self.expected[case_id].objects
            attached[:] = [object_id for object_id in attached if object_id not in ids]

    @rule(case_id=cases)
    def add_comment(self, case_id):
        if self.change(case_id, self.run(self.api.act(case_id, "add-comment", {"message": "Called."}))):
            self.expected[case_id].comments += 1

    @rule(case_id=cases)
    def redact(self, case_id):
        if self.change(case_id, self.run(self.api.send("DELETE", f"/cases/{case_id}"))):
            expected = self.expected[case_id]
            expected.redacted, expected.fields, expected.files = True, {}, 0

    @rule(seconds=st.sampled_from([0.5, 20, LAG, 100_000]))
    def wait(self, seconds):
        self.clock.advance(seconds)
        if seconds > 24 * 60 * 60:
            self.replies.clear()

    # ---- what always holds

    @invariant()
    def a_list_shows_every_case_as_it_is(self):
        answered = self.run(self.api.get("/cases", {"page[size]": "100"}))
        assert set(answered.ids) == self.expected.keys()
        for case in answered.document["data"]:
            self.check(case, self.expected[case["id"]])

    def check(self, case, expected):
        attributes = case["attributes"]
        assert attributes["status"] == expected.status
        resolved = STATUSES[expected.status]
        for name in ("resolved-at", "resolver-id", "resolution"):
            assert (attributes[name] is not None) == resolved
        assert {key: field["value"] for key, field in attributes["fields"].items()} == expected.fields
        assert attributes["tags"] == expected.tags
        assert attributes["assignee-id"] == expected.assignee
        assert attributes["updated-at"] == expected.updated_at
        assert (attributes["redacted-at"] is not None) == expected.redacted
        assert len(attributes["attachments"]) == expected.files
        for relationship in ("inquiries", "reports", "txns"):
            linked = [link["id"] for link in case["relationships"][relationship]["data"]]
            assert linked == [id_ for id_ in expected.objects if self.kinds[id_] == relationship]
        assert len(case["relationships"]["case-comments"]["data"]) == expected.comments
        assert {ref.id for ref in self.api.sim.store.objects(case["id"])} == {*expected.objects}

    @invariant()
    def a_search_shows_the_cases_as_they_were(self):
        now = {case_id: (expected.status, expected.redacted) for case_id, expected in self.expected.items()}
        self.seen_by_searches.append((self.clock.monotonic(), now))
        visible = [shown for when, shown in self.seen_by_searches if when <= self.clock.monotonic() - LAG]
        answered = self.run(self.api.search({"page": {"size": 100}}))
        found = {
            case["id"]: (case["attributes"]["status"], case["attributes"]["redacted-at"] is not None)
            for case in answered.document["data"]
        }
        assert found == (visible[-1] if visible else {})

    @invariant()
    def there_are_no_more_tags_than_may_be(self):
        assert set(TAGS) <= self.tags
        assert len(self.api.sim.store.tags) == len(self.tags) <= CAP


def test_random_writes_come_to_what_they_should():
    run_state_machine_as_test(Writes, settings=settings(max_examples=12, stateful_step_count=40, deadline=None))

"""Nothing passes unverified, and nothing but our errors is raised."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import pickle
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from deliveries import CASE, delivery
from hypothesis import given
from hypothesis import strategies as st

from persona_cases import Case, DecodeError, InvalidArgumentError, PersonaError
from persona_cases.models import Resource
from persona_cases.webhooks import SignatureError, WebhookVerifier, sign

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEW, OLD = "wbhsec_new", "wbhsec_old"
BODY = delivery()


def refused(verifier, body, signature, now=NOW):
    with pytest.raises(SignatureError) as raised:
        verifier.verify(body, signature, now=now)
    return raised.value.reason


def test_the_signature_is_the_documented_one():
    digest = hmac.new(NEW.encode(), b"1767268800." + BODY, hashlib.sha256).hexdigest()
    assert sign(BODY, NEW, NOW) == f"t=1767268800,v1={digest}"
    assert WebhookVerifier(NEW).verify(BODY, f"t=1767268800,v1={digest}", now=NOW).id == "evt_1"


def test_during_a_rotation_either_secret_and_either_set_will_do():
    both = f"{sign(BODY, NEW, NOW)} {sign(BODY, OLD, NOW)}"
    for secrets in ((NEW,), (OLD,), (NEW, OLD), ("wbhsec_other", OLD)):
        assert WebhookVerifier(*secrets).verify(BODY, both, now=NOW).name == "case.created"
    assert WebhookVerifier(NEW, OLD).verify(BODY, sign(BODY, OLD, NOW), now=NOW)
    assert refused(WebhookVerifier("wbhsec_other"), BODY, both) == "mismatch"


@pytest.mark.parametrize("signature", [None, "", "  "])
def test_a_missing_signature(signature):
    assert refused(WebhookVerifier(NEW), BODY, signature) == "missing"


@pytest.mark.parametrize(
    "signature", ["v1=ab", "t=1,v1=xyz", "t=1", "t=,v1=", "t=-1,v1=" + "a" * 64, "t=1;v1=" + "a" * 64]
)
def test_a_malformed_signature(signature):
    assert refused(WebhookVerifier(NEW), BODY, signature) == "malformed"


@pytest.mark.parametrize("changed", [BODY + b" ", BODY[:-1], BODY.replace(b"open", b"shut"), b""])
def test_a_changed_body(changed):
    assert refused(WebhookVerifier(NEW), changed, sign(BODY, NEW, NOW)) == "mismatch"


@pytest.mark.parametrize(("age", "tolerance"), [(301, 300), (-301, 300), (11, timedelta(seconds=10))])
def test_a_signature_too_far_from_now(age, tolerance):
    signature = sign(BODY, NEW, NOW - timedelta(seconds=age))
    assert refused(WebhookVerifier(NEW, tolerance=tolerance), BODY, signature) == "expired"
    assert WebhookVerifier(NEW, tolerance=None).verify(BODY, signature, now=NOW)
    assert WebhookVerifier(NEW, tolerance=abs(age)).verify(BODY, signature, now=NOW)


def test_a_body_that_is_too_large_is_not_even_hashed():
    verifier = WebhookVerifier(NEW, max_body=len(BODY) - 1)
    assert refused(verifier, BODY, sign(BODY, NEW, NOW)) == "too_large"


def test_nothing_is_parsed_before_the_signature_is_checked():
    nonsense = b"{" * 100
    assert refused(WebhookVerifier(NEW), nonsense, sign(BODY, NEW, NOW)) == "mismatch"
    with pytest.raises(DecodeError):
        WebhookVerifier(NEW).verify(nonsense, sign(nonsense, NEW, NOW), now=NOW)


@given(st.binary(max_size=200), st.none() | st.text(max_size=200))
def test_no_input_passes_or_raises_anything_but_our_errors(body, signature):
    with pytest.raises(SignatureError):
        WebhookVerifier(NEW).verify(body, signature)


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text()
json_values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_cases = st.builds(CASE.__or__, st.dictionaries(st.sampled_from(["type", "id", "attributes"]), json_values))
near_attributes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("case.created") | json_values,
        "created-at": st.just("2026-01-01T09:00:00Z") | json_values,
        "payload": st.fixed_dictionaries({"data": st.just(CASE) | near_cases}) | json_values,
        "context": json_values,
    },
)
near_events = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {
                "type": st.just("event") | json_values,
                "id": st.just("evt_1") | json_values,
                "attributes": near_attributes | json_values,
            }
        )
    }
)


@given(near_events)
def test_what_is_signed_is_an_event_or_a_decode_error(document):
    body = msgspec.json.encode(document)
    with contextlib.suppress(DecodeError):
        assert WebhookVerifier(NEW).verify(body, sign(body, NEW, NOW), now=NOW).raw == body


@pytest.mark.parametrize("inflect", [str, lambda name: name.replace("-", "_"), lambda name: name.replace("-a", "A")])
def test_events_in_any_inflection(inflect):
    case = {**CASE, "attributes": {inflect(name): value for name, value in CASE["attributes"].items()}}
    told = {"name": "case.updated-tags", inflect("created-at"): "2026-01-01T09:00:00.000Z", "payload": {"data": case}}
    more = {"context": {"added-tags": ["vip"]}, inflect("newer-attribute"): {"x": 1}}
    body = msgspec.json.encode({"data": {"type": "event", "id": "evt_1", "attributes": {**told, **more}}})
    event = WebhookVerifier(NEW).verify(body, sign(body, NEW, NOW), now=NOW)
    assert isinstance(event.case, Case)
    assert event.case.updated_at == datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert event.context == {"added-tags": ["vip"]}
    assert event.extras in ({"newer_attribute": {"x": 1}}, {"newer-attribute": {"x": 1}})
    assert pickle.loads(pickle.dumps(event)) == event


def test_other_objects_and_payloads_of_ones_own():
    inquiry = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"reference-id": "x"}}}
    for payload, expected in ((inquiry, Resource), ({"any": [1]}, dict), (None, type(None))):
        body = delivery("custom.event", payload=payload)
        event = WebhookVerifier(NEW).verify(body, sign(body, NEW, NOW), now=NOW)
        assert isinstance(event.payload, expected)
        assert event.case is None
        assert event.included == ()


def test_what_was_included_comes_along():
    queue = {"type": "case-queue", "id": "cqueue_1", "attributes": {"name": "First line"}}
    body = delivery(payload={"data": CASE, "included": [queue]})
    event = WebhookVerifier(NEW).verify(body, sign(body, NEW, NOW), now=NOW)
    assert [each.id for each in event.included] == ["cqueue_1"]


@pytest.mark.parametrize(("updated", "older"), [("2026-01-01T10:00:00Z", True), ("2026-01-01T09:00:00Z", False)])
def test_an_event_knows_whether_a_case_is_newer(updated, older):
    event = WebhookVerifier(NEW).verify(BODY, sign(BODY, NEW, NOW), now=NOW)
    assert event.is_older_than(Case.from_dict({**CASE, "attributes": {"updated-at": updated}})) is older


@pytest.mark.parametrize(
    "call",
    [
        WebhookVerifier,
        lambda: WebhookVerifier(""),
        lambda: WebhookVerifier(None),
        lambda: WebhookVerifier("geheim\N{BULLET}"),
        lambda: WebhookVerifier(NEW, tolerance=-1),
        lambda: WebhookVerifier(NEW, tolerance="long"),
        lambda: WebhookVerifier(NEW, max_body=0),
        lambda: WebhookVerifier(NEW).verify("text", "t=1"),
        lambda: WebhookVerifier(NEW).verify(BODY, b"t=1"),
        lambda: WebhookVerifier(NEW).verify(BODY, "t=1", now=datetime(2026, 1, 1)),
        lambda: sign("text", NEW),
        lambda: sign(BODY, NEW, datetime(2026, 1, 1)),
    ],
)
def test_arguments_that_cannot_work_are_refused(call):
    with pytest.raises(InvalidArgumentError):
        call()


def test_errors_and_reprs_tell_nothing():
    verifier = WebhookVerifier(NEW)
    event = verifier.verify(BODY, sign(BODY, NEW, NOW), now=NOW)
    with pytest.raises(PersonaError) as raised:
        verifier.verify(BODY, sign(BODY, OLD, NOW), now=NOW)
    for text in (repr(verifier), repr(event), str(raised.value)):
        assert NEW not in text
        assert "open" not in text
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (copied.reason, str(copied)) == ("mismatch", str(raised.value))

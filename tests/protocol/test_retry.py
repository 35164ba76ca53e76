"""Whether a request is sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientStateError,
    ConflictError,
    ConnectionFailedError,
    ErrorItem,
    IndeterminateError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from persona_cases.protocol.call_options import Options, Timeout
from persona_cases.protocol.message import Request, Safety
from persona_cases.protocol.repeats import RULES, AttemptFailure
from persona_cases.protocol.retry import Attempts, RetryPolicy

LOST = ConnectionFailedError("lost")
UNSENT = ConnectionFailedError("refused", sent=False)
DOWN = ServerError(status=503, request_id="req_down")
LIMITED = RateLimitError(retry_after=30)
MISSING = NotFoundError(status=404)


def attempts(safety: Safety = Safety.READ, **policy: float) -> Attempts:
    key = "key-1" if safety is Safety.KEYED else None
    return Attempts(Request("POST", "/x", safety=safety, idempotency_key=key), RetryPolicy(**policy))


def delay_after(error, tried: Attempts, *, elapsed: float = 0.0, draw: float = 0.5) -> float | None:
    tried.sent += 1
    tried.record(error)
    return tried.delay(error, elapsed=elapsed, draw=draw)


def down(retry_after: float) -> ServerError:
    return ServerError(status=503, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "read", "keyed", "repeatable", "once"),
    [
        (LOST, True, True, True, False),
        (RequestTimeoutError("late"), True, True, True, False),
        (UNSENT, True, True, True, True),
        (DOWN, True, True, True, False),
        (ServerError(status=408), True, True, True, False),
        (LIMITED, True, True, True, True),
        (QuotaExceededError(retry_after=3), True, True, True, True),
        (BadRequestError(status=400), False, False, False, False),
        (AuthenticationError(status=401), False, False, False, False),
        (MISSING, False, False, False, False),
        (ConflictError(status=409), False, False, False, False),
    ],
)
def test_what_is_sent_again(error, read, keyed, repeatable, once):
    expected = {
        Safety.READ: read,
        Safety.KEYED: keyed,
        Safety.REPEATABLE: repeatable,
        Safety.ONCE: once,
    }
    assert {s: delay_after(error, attempts(s)) is not None for s in Safety} == expected


def test_waits_double_up_to_the_cap_and_are_drawn_from_the_whole_range():
    tried = attempts(attempts=9, base=1.0, cap=10.0)
    assert [delay_after(LOST, tried, draw=1.0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert RetryPolicy(base=1.0).wait(3, 0.0) == 0


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_longer_than_the_cap(failures, draw):
    assert 0 <= RetryPolicy(cap=20).wait(failures, draw) <= 20


FATES = st.lists(
    st.tuples(
        st.sampled_from(
            [LOST, UNSENT, DOWN, LIMITED, MISSING, QuotaExceededError(retry_after=3), ServerError(status=408)]
        )
        | st.floats(0, 3600).map(down),
        st.floats(0, 60),
        st.floats(0, 1, exclude_max=True),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def policies(draw) -> RetryPolicy:
    return RetryPolicy(
        attempts=draw(st.integers(1, 6)),
        base=draw(st.floats(0, 5)),
        cap=draw(st.floats(0, 30)),
        deadline=draw(st.floats(0.1, 400)),
    )


@given(FATES, policies(), st.sampled_from(Safety), st.sampled_from(["/x", "/cases"]), st.none() | st.floats(0, 60))
def test_whatever_happens_the_policy_is_kept(fates, policy, safety, path, max_wait):
    tried, elapsed = Attempts(Request("POST", path, safety=safety), policy), 0.0
    for error, took, draw in fates:
        before = tried.failures
        tried.sent += 1
        tried.record(error)
        refused = isinstance(error, RateLimitError)
        assert tried.failures == before + (not refused)
        elapsed += took
        delay = tried.delay(error, elapsed=elapsed, draw=draw, max_wait=max_wait)
        if delay is None:
            break
        assert policy.attempts > 1
        assert safety is not Safety.ONCE or error in (UNSENT, LIMITED) or refused
        assert elapsed + delay < policy.deadline
        if refused:
            assert max_wait is None or delay <= max_wait
        else:
            assert tried.failures < policy.attempts
            least = getattr(error, "retry_after", None) or 0.0
            assert least <= delay <= least + min(policy.cap, policy.base * 2 ** (tried.failures - 1))
        elapsed += delay
        patience = tried.patience(elapsed=elapsed, max_wait=max_wait)
        assert patience is not None
        assert 0 <= patience <= policy.deadline - elapsed
        assert max_wait is None or patience <= max_wait


@given(st.floats(0, 1000), st.floats(0.1, 1000))
def test_the_deadline_is_over_when_no_sending_may_wait(elapsed, deadline):
    tried = Attempts(Request("GET", "/x"), RetryPolicy(deadline=deadline), sent=1)
    assert tried.is_over(elapsed) == (tried.patience(elapsed=elapsed, max_wait=None) == 0)


def test_attempts_bound_failures():
    tried = attempts(attempts=3)
    assert [delay_after(LOST, tried) is not None for _ in range(3)] == [True, True, False]


def test_refusals_by_the_rate_limit_do_not_use_up_attempts():
    tried = attempts(attempts=2)
    assert [delay_after(LIMITED, tried) for _ in range(9)] == [0.0] * 9
    assert delay_after(LOST, tried) is not None


def test_one_attempt_means_one():
    assert delay_after(LIMITED, attempts(attempts=1)) is None
    assert delay_after(LOST, attempts(attempts=1)) is None


def test_nothing_is_sent_after_the_deadline():
    assert delay_after(LOST, attempts(deadline=10, base=2), elapsed=9.5, draw=0.9) is None
    assert delay_after(LIMITED, attempts(deadline=10), elapsed=10) is None


def test_another_products_quota_is_waited_out_by_the_request_itself():
    assert delay_after(QuotaExceededError(retry_after=7), attempts(), draw=0.5) == 7.5
    assert delay_after(QuotaExceededError(), attempts(), draw=0.0) == 5


def test_the_quota_of_case_creation_is_waited_out_at_its_limiter():
    creation = Request("POST", "/cases", safety=Safety.KEYED, idempotency_key="key-1")
    assert delay_after(QuotaExceededError(retry_after=7), Attempts(creation, RetryPolicy())) == 0


@pytest.mark.parametrize(
    ("method", "path", "creates"),
    [("POST", "/cases", True), ("GET", "/cases", False), ("POST", "/cases/search", False), ("POST", "/case", False)],
)
def test_what_creates_a_case(method, path, creates):
    assert Request(method, path).creates_case is creates


def test_a_retry_after_comes_on_top_of_the_jitter():
    assert delay_after(down(7), attempts(base=2), draw=0.5) == 8
    assert delay_after(down(7), attempts(base=0), draw=0.5) == 7
    assert delay_after(down(7), attempts(deadline=7), draw=0.5) is None
    assert delay_after(NotFoundError(status=404, retry_after=7), attempts()) is None


def test_the_first_sending_waits_as_long_as_the_caller_lets_it():
    tried = attempts(deadline=10)
    assert tried.patience(elapsed=99, max_wait=None) is None
    assert tried.patience(elapsed=99, max_wait=30) == 30


def test_later_sendings_wait_within_the_deadline():
    tried = attempts(deadline=10)
    tried.sent = 1
    assert tried.patience(elapsed=4, max_wait=None) == 6
    assert tried.patience(elapsed=4, max_wait=1) == 1
    assert tried.patience(elapsed=40, max_wait=1) == 0


def test_another_quota_is_not_waited_for_longer_than_allowed():
    tried, error = attempts(), QuotaExceededError(retry_after=7)
    tried.record(error)
    assert tried.delay(error, elapsed=0, draw=0.5, max_wait=7.0) is None
    assert tried.delay(error, elapsed=0, draw=0.5, max_wait=8.0) == 7.5


def test_a_read_ends_in_its_last_error():
    tried = attempts()
    delay_after(DOWN, tried)
    delay_after(LOST, tried)
    error = tried.final_error(LOST)
    assert error is LOST


@pytest.mark.parametrize("last", [LOST, DOWN, LIMITED, AuthenticationError(status=401), UNSENT])
def test_a_write_in_doubt_ends_in_an_indeterminate_error(last):
    tried = attempts(Safety.KEYED)
    delay_after(DOWN, tried)
    delay_after(last, tried)
    error = tried.final_error(last)
    assert isinstance(error, IndeterminateError)
    assert not isinstance(error, APIError | ServerError)
    assert error.__cause__ is (last if last in (LOST, DOWN) else DOWN)


def test_a_lost_write_names_no_status_and_one_that_failed_names_it():
    lost, failed = attempts(Safety.ONCE), attempts(Safety.REPEATABLE)
    delay_after(LOST, lost)
    delay_after(DOWN, failed)
    assert lost.final_error(LOST).status is None
    assert str(lost.final_error(LOST)).startswith("it is unknown whether POST /x was carried out")
    assert (failed.final_error(DOWN).status, failed.final_error(DOWN).request_id) == (503, "req_down")


def test_a_definite_answer_ends_the_doubt():
    tried = attempts(Safety.KEYED)
    delay_after(LOST, tried)
    delay_after(MISSING, tried)
    assert tried.final_error(MISSING) is MISSING


@pytest.mark.parametrize("error", [UNSENT, LIMITED])
def test_a_write_that_never_happened_is_not_in_doubt(error):
    tried = attempts(Safety.KEYED)
    delay_after(error, tried)
    assert tried.final_error(error) is error


@pytest.mark.parametrize("policy", [{"attempts": 0}, {"base": -1}, {"cap": -1}, {"deadline": 0}])
def test_an_impossible_policy_is_refused(policy):
    with pytest.raises(ValueError, match=next(iter(policy))):
        RetryPolicy(**policy)


CONFLICT = ConflictError(status=409)


@pytest.mark.parametrize(
    ("safety", "last", "doubted"),
    [
        (Safety.READ, MISSING, False),
        (Safety.KEYED, MISSING, False),
        (Safety.KEYED, BadRequestError(status=400), False),
        (Safety.KEYED, CONFLICT, True),
        (Safety.REPEATABLE, CONFLICT, True),
        (Safety.REPEATABLE, MISSING, True),
    ],
)
def test_what_an_answer_says_about_an_earlier_attempt(safety, last, doubted):
    tried = attempts(safety)
    delay_after(LOST, tried)
    delay_after(last, tried)
    assert isinstance(tried.final_error(last), IndeterminateError) is doubted


@pytest.mark.parametrize("safety", Safety)
@pytest.mark.parametrize("under_way", [False, True])
@pytest.mark.parametrize("earlier", [None, LOST, LIMITED])
def test_what_a_closed_client_leaves_open(safety, under_way, earlier):
    tried = attempts(safety)
    if earlier is not None:
        delay_after(earlier, tried)
    in_doubt = safety is not Safety.READ and (under_way or earlier is LOST)
    expected = IndeterminateError if in_doubt else ClientStateError
    assert type(tried.closed_error(under_way=under_way)) is expected


def test_every_end_of_an_attempt_has_a_rule_for_every_kind_of_request():
    assert {safety: set(rules) for safety, rules in RULES.items()} == {each: set(AttemptFailure) for each in Safety}


@given(st.sampled_from(Safety), st.sampled_from(AttemptFailure))
def test_what_may_have_happened_is_repeated_only_where_that_does_no_harm(safety, failure):
    rule = RULES[safety][failure]
    assert not (rule.in_doubt and rule.again and safety is Safety.ONCE)
    assert not (rule.in_doubt and safety is Safety.READ)
    assert rule.in_doubt == (
        safety is not Safety.READ and failure in {AttemptFailure.LOST, AttemptFailure.FAILED, AttemptFailure.UNREADABLE}
    )


def test_an_error_is_told_its_call_once():
    tried = attempts(Safety.KEYED)
    delay_after(MISSING, tried)
    error = NotFoundError(status=404)
    tried.describe(error, elapsed=1.25)
    assert (error.method, error.path_template, error.attempts, error.elapsed) == ("POST", "/x", 1, 1.25)
    assert error.idempotency_key == "key-1"
    Attempts(Request("GET", "/y"), RetryPolicy()).describe(error, elapsed=9)
    assert (error.method, error.elapsed) == ("POST", 1.25)


@pytest.mark.parametrize(
    ("errors", "missing"), [((), None), ((ErrorItem("Record not found"),), "the case or the user")]
)
def test_only_a_404_of_the_api_itself_is_about_an_object(errors, missing):
    error = NotFoundError(status=404, errors=errors)
    Attempts(Request("POST", "/cases/case_1/assign"), RetryPolicy()).describe(error, elapsed=1)
    assert error.missing == missing


def test_durations_may_be_timedeltas():
    minute = timedelta(minutes=1)
    assert RetryPolicy(base=minute, cap=minute, deadline=minute) == RetryPolicy(base=60, cap=60, deadline=60)
    assert Timeout(total=minute, connect=minute, read=minute) == Timeout(total=60, connect=60, read=60)
    assert Options(max_wait=minute).max_wait == 60

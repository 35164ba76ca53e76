"""What holds for every error of the tree."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from persona_cases import errors

ARGUMENTS = {
    errors.APIError: {"status": 400, "errors": (errors.ErrorItem("Bad Request", "details", {"a": 1}, "/data"),)},
    errors.RateLimitError: {"retry_after": 3.5, "request_id": "req_1"},
    errors.DecodeError: {"pointer": "/data/0/id", "request_id": "req_1"},
    errors.QueryError: {"pointer": "/and/1"},
    errors.IndeterminateError: {"status": 503, "attempts": 2, "idempotency_key": "key-1"},
    errors.TransportError: {"sent": False, "attempts": 3, "idempotency_key": "key-1"},
    errors.PersonaError: {},
}
CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, errors.PersonaError)
]


def example(cls: type[errors.PersonaError]) -> errors.PersonaError:
    arguments = next(ARGUMENTS[base] for base in cls.__mro__ if base in ARGUMENTS)
    error = cls("what happened", **arguments)
    error.cursor = "case_57"
    error.add_note("a note")
    return error


@pytest.mark.parametrize("cls", CLASSES)
def test_errors_pickle_and_copy(cls):
    error = example(cls)
    for twin in (*(pickle.loads(pickle.dumps(error, p)) for p in range(2, 6)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert vars(twin) == vars(error)
        assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)
        assert twin.__notes__ == ["a note"]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_exported_and_documented(cls):
    assert cls.__name__ in errors.__all__
    assert inspect.getdoc(cls)


def test_errors_survive_groups_and_raise_from():
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("many", [example(cls) for cls in CLASSES])
    assert len(pickle.loads(pickle.dumps(caught.value)).exceptions) == len(CLASSES)


def test_a_title_can_not_flood_or_break_a_message():
    error = errors.APIError(status=500, errors=(errors.ErrorItem("line\nbreak " * 100),))
    assert "\n" not in str(error)
    assert len(str(error)) < 150


def test_builtin_parents_let_general_handlers_work():
    assert issubclass(errors.RequestTimeoutError, TimeoutError)
    assert issubclass(errors.ConnectionFailedError, ConnectionError)
    assert issubclass(errors.InvalidArgumentError, ValueError)
    assert issubclass(errors.QueryTypeError, TypeError)
    assert issubclass(errors.UnknownAttributeError, AttributeError)


def test_what_a_stranger_sends_is_printable_short_and_little():
    nasty = "\x1b[31mred\x00\u202e" + "x" * 1_000
    items = tuple(errors.ErrorItem(nasty, pointer=nasty) for _ in range(50))
    text = str(errors.APIError(status=500, errors=items, request_id=nasty))
    assert text.isprintable()
    assert len(text) < 1000
    assert "and 47 more" in text


def test_an_error_says_which_call_it_ended():
    error = errors.NotFoundError(status=404, errors=(errors.ErrorItem("Record not found"),), request_id="req_1")
    assert str(error) == "404 Record not found (request req_1)"
    error.method, error.path_template, error.attempts, error.elapsed = "POST", "/cases/{id}/assign", 2, 1.26
    error.missing = "the case or the user"
    assert str(error) == (
        "404 Record not found: the case or the user (POST /cases/{id}/assign, 2 attempts in 1.3 s, request req_1)"
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_without_a_call_names_none(cls):
    error = cls("what happened", **next(ARGUMENTS[base] for base in cls.__mro__ if base in ARGUMENTS))
    assert (error.method, error.path_template, error.elapsed) == (None, None, None)
    assert str(error).count("what happened") == 1


def test_an_unknown_outcome_is_no_failure_of_the_server():
    error = errors.IndeterminateError("unknown")
    assert not isinstance(error, errors.APIError)
    assert (error.status, error.errors) == (None, ())

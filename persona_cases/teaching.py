"""Hints for near misses: names, arguments and uses of a class that other libraries have and ours does not.

A class declares its hints in tables, and `taught` appends them to the errors that Python raises anyway. Type checkers
see the class as it is written, and a call that fits its signature costs nothing extra.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import lru_cache, update_wrapper
from typing import Any, Final, NoReturn, TypeVar, cast

from persona_cases.errors import PersonaError

__all__ = ["LONGEST_NAME", "Lessons", "nearest", "shortened", "suggestion", "taught"]

LONGEST_NAME: Final = 40
"""Maximum length of a mistaken name in a message and in a comparison, whose cost is the product of the lengths."""

_TAUGHT: Final = "_taught"
_NONE: Final[Mapping[str, str]] = {}

C = TypeVar("C", bound=type)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a mistaken one, if any is similar."""
    import difflib  # noqa: PLC0415 - a program without mistakes does without it

    names = sorted(set(known))
    # People write `sla` and `assignee` for `sla_expires_at` and `assignee_id`.
    begun = (each for each in names if each.startswith(f"{name}_"))
    alike = iter(difflib.get_close_matches(name[:LONGEST_NAME], names, n=1))
    return next(begun, None) or next(alike, None)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about a mistaken name: the most similar known name, if any."""
    guess = nearest(name, known)
    return f"; did you mean {guess}?" if guess else ""


def shortened(name: str) -> str:
    """Shorten a mistaken name for a message."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _by_name(table: Mapping[str, str]) -> dict[str, str]:
    return {name: lesson for names, lesson in table.items() for name in names.split()}


def _no_lesson(_instance: Any, _name: str) -> str | None:
    return None


class Lessons:
    """The near misses of a class, and what to write instead. A key may hold several names, separated by spaces.

    Attributes:
        title: what messages call the class, if not its name.
        names: attributes that it lacks.
        arguments: keywords that its methods lack, as `method.keyword`, or as `keyword` for all of them.
        calls: methods called with the wrong positional arguments. These lessons begin with a verb.
        uses: special methods that it lacks, such as `__getitem__`, which a `for` loop calls if there is no `__iter__`.
            These lessons begin with a verb too. Never list `__iter__`, `__await__` or `__call__`: frameworks check
            whether objects have them, and act on it.
        constructor: whether to cover the constructor too.
        instances: returns the attributes that only one instance has.
        unknown: the error to raise for an unknown attribute.
        wrong: the error to raise for a wrong call.
    """

    def __init__(
        self,
        *,
        title: str = "",
        names: Mapping[str, str] = _NONE,
        arguments: Mapping[str, str] = _NONE,
        calls: Mapping[str, str] = _NONE,
        uses: Mapping[str, str] = _NONE,
        constructor: bool = False,
        instances: tuple[str, ...] = (),
        unknown: type[AttributeError] = AttributeError,
        wrong: type[TypeError] = TypeError,
    ) -> None:
        self.title = title
        self.names: Mapping[str, str] = _by_name(names)
        self.arguments: Mapping[str, str] = _by_name(arguments)
        self.calls: Mapping[str, str] = _by_name(calls)
        self.uses: Mapping[str, str] = _by_name(uses)
        self.constructor = constructor
        self.instances = instances
        self.unknown = unknown
        self.wrong = wrong


def taught(lessons: Lessons, about: Callable[[Any, str], str | None] = _no_lesson) -> Callable[[C], C]:
    """Return a decorator that makes a class explain near misses; apply it last, on top of all others.

    Args:
        lessons: the near misses of the class.
        about: finds a lesson about an attribute that one instance lacks.
    """

    def teach(cls: C) -> C:
        if "__getattr__" not in vars(cls):
            setattr(cls, "__getattr__", _finder(lessons, about))  # noqa: B010 - type checkers are not to see it
        for use, sentence in lessons.uses.items():
            setattr(cls, use, _refusal(sentence, lessons.wrong))
        members = {name: member for base in reversed(cls.__mro__) for name, member in vars(base).items()}
        for name, method in members.items():
            if name.startswith("_") and not (name == "__init__" and lessons.constructor):
                continue
            if inspect.isfunction(method) and _is_untaught(method):
                setattr(cls, name, _taught_call(method, lessons.title or cls.__name__, lessons))
        return cls

    return teach


def _is_untaught(method: Callable[..., Any]) -> bool:
    return method.__module__.startswith("persona_cases") and not hasattr(method, _TAUGHT)


def _finder(lessons: Lessons, about: Callable[[Any, str], str | None]) -> Callable[[Any, str], Any]:
    def find(self: object, name: str) -> Any:
        cls = type(self)
        if hasattr(cls, name):
            # A property of that name raised an AttributeError of its own: raise that one.
            return object.__getattribute__(self, name)
        lesson = (
            ""
            if name.startswith("_") and name not in lessons.instances
            else about(self, name) or _about_name(lessons, name, cast("Hashable", cls))
        )
        error = lessons.unknown(f"{cls.__name__} has no attribute {shortened(name)!r}{lesson}")
        # Otherwise Python would add its own guess to the printed error, and keep the object alive.
        error.name, error.obj = name, None
        raise error

    return find


# Tools look up the same few names again and again.
@lru_cache(maxsize=512)
def _about_name(lessons: Lessons, name: str, cls: Hashable) -> str:
    if name in lessons.names:
        return f": {lessons.names[name]}"
    if name in lessons.instances:
        return ": its constructor did not finish"
    public = [each for each in (*dir(cls), *lessons.instances) if not each.startswith("_")]
    guess = nearest(name, public)
    return f"; did you mean {guess!r}?" if guess else ""


def _refusal(sentence: str, error: type[TypeError]) -> Callable[..., NoReturn]:
    def refuse(self: object, /, *_: object) -> NoReturn:
        raise error(f"{type(self).__name__} {sentence}")

    return refuse


def _taught_call(method: Callable[..., Any], owner: str, lessons: Lessons) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            problem = None
            if isinstance(error, TypeError) and not isinstance(error, PersonaError):
                problem = _about_call(method, owner, lessons, args, kwargs)
            # A traceback may be shown with the locals of its frames.
            del args, kwargs
            if problem is None:
                raise
        raise lessons.wrong(problem)

    update_wrapper(call, method)
    setattr(call, _TAUGHT, True)
    return _mark_async(call) if inspect.iscoroutinefunction(method) else call


def _about_call(
    method: Callable[..., Any], owner: str, lessons: Lessons, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> str | None:
    """Say what is wrong with a call; None if its signature allows it, or if Python's own error says enough."""
    signature = inspect.signature(method)
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        pass
    else:
        return None
    name = method.__name__
    spoken = owner if name == "__init__" else f"{owner}.{name}"
    keywords = [each for each in list(signature.parameters)[1:] if each.isidentifier()]
    for keyword in kwargs:
        if keyword in keywords:
            continue
        lesson = lessons.arguments.get(f"{name}.{keyword}") or lessons.arguments.get(keyword)
        guess = nearest(keyword, keywords)
        hint = f": {lesson}" if lesson else f"; did you mean {guess}=?" if guess else ""
        return f"{spoken} takes no argument {shortened(keyword)!r}{hint}"
    lesson = lessons.calls.get(name)
    return f"{spoken} {lesson}" if lesson else None


def _mark_async(call: Callable[..., Any]) -> Callable[..., Any]:
    """Mark `call`, which returns the coroutine of the function that it wraps, as an async function."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(call)
    import asyncio  # noqa: PLC0415 - queries and models do without it

    vars(call)["_is_coroutine"] = getattr(asyncio.coroutines, "_is_coroutine")  # noqa: B009 - private, gone in 3.14
    return call

"""Whatever a public call is given, it takes the keywords it names and raises errors of ours."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter, signature
from typing import Any

import pytest
from strange_values import strange_values

from persona_cases import InvalidArgumentError, Pager, PersonaClient, PersonaError, Q, RetryPolicy, Timeout, Upload
from persona_cases.changes import SetStatus, SetTags, Update
from persona_cases.export import columns_from
from persona_cases.models import Attachment, Case, Fieldset
from persona_cases.query import Predicate, parse, plan
from persona_cases.testing import Simulator, SimulatorServer, make_case

MODULES = (
    "persona_cases",
    *(f"persona_cases.{name}" for name in ("errors", "export", "limits", "models", "query", "testing")),
)
_UNKNOWN = "no_such_keyword"


def public_callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Give every function, constructor and method of the public modules, under its name."""
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            each = getattr(module, name)
            owner = each if inspect.isclass(each) else type(each)
            if inspect.isfunction(each):
                yield f"{module.__name__}.{name}", each
            elif owner.__module__.startswith("persona_cases"):
                yield from _callables_of(f"{module.__name__}.{name}", owner)


def _callables_of(name: str, cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    if not getattr(cls, "_is_protocol", False):
        yield name, cls
    for attribute in dir(cls):
        method = inspect.getattr_static(cls, attribute)
        inner = method.__func__ if isinstance(method, classmethod | staticmethod) else method
        if not attribute.startswith("_") and inspect.isfunction(inner) and inner.__module__.startswith("persona_cases"):
            yield f"{name}.{attribute}", inner


CALLABLES = dict(public_callables())
for _part in ("cases", "case_templates", "events"):
    CALLABLES |= dict(_callables_of(f"persona_cases.PersonaClient.{_part}", type(getattr(PersonaClient("key"), _part))))


def test_the_surface_is_found():
    assert len(CALLABLES) > 150
    for name in ("PersonaClient", "PersonaClient.request", "PersonaClient.cases.redact", "Pager.limit", "Case.to_dict"):
        assert f"persona_cases.{name}" in CALLABLES


def _passes_keywords_on(call: Callable[..., Any]) -> bool:
    return _takes_any_keyword(call) and not _is_error(call)


def _takes_any_keyword(call: Callable[..., Any]) -> bool:
    return any(each.kind is Parameter.VAR_KEYWORD for each in signature(call).parameters.values())


def _is_error(call: object) -> bool:
    return inspect.isclass(call) and issubclass(call, BaseException)


PASSING_ON = {name.rpartition("persona_cases.")[2] for name, call in CALLABLES.items() if _passes_keywords_on(call)}


# Not a test per name: those would be hundreds, and to find a test takes longer than to run one of these.
def test_an_unknown_keyword_is_refused():
    accepting = [name for name, call in CALLABLES.items() if not _passes_keywords_on(call) and not _refuses(call)]
    assert accepting == []


def _refuses(call: Callable[..., Any]) -> bool:
    needed = [
        each
        for each in signature(call).parameters.values()
        if each.default is Parameter.empty and each.kind not in {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    ]
    positional = [None for each in needed if each.kind is not Parameter.KEYWORD_ONLY]
    named = {each.name: None for each in needed if each.kind is Parameter.KEYWORD_ONLY}
    if _is_error(call) and not _takes_any_keyword(call):
        # Half of an error is nothing that a test may leave behind.
        call = signature(call).bind
    try:
        _outcome(call(*positional, **named, **{_UNKNOWN: 1}))
    except TypeError as error:
        return re.search(f"{_UNKNOWN}|takes no (keyword )?arguments", str(error)) is not None
    return False


async def test_what_passes_keywords_on_refuses_them_too():
    assert PASSING_ON == {
        "testing.make_case",
        *(f"testing.{name}" for name in ("Simulator.client", "Simulator.reset", "ServerWebhooks.deliver_to")),
        *(f"testing.{name}" for name in ("SimulatorServer", "SimulatorServer.client", "SimulatorServer.reset")),
        *(
            f"testing.CaseStore.{name}"
            for name in ("create_case", "update_case", "redact_case", "add_comment", "attach", "detach")
        ),
    }
    async with Simulator(cases=1) as sim:
        case = next(iter(sim.store.cases))
        server = SimulatorServer(cases=0)
        server.start()
        for call in (
            partial(sim.client),
            partial(SimulatorServer),
            partial(server.client),
            partial(server.reset),
            partial(server.webhooks.deliver_to, "http://127.0.0.1:9/", secret="wbhsec_test"),
            partial(sim.store.create_case),
            partial(sim.store.update_case, case),
            partial(sim.store.redact_case, case),
            partial(sim.store.add_comment, case, "hello"),
            partial(sim.store.attach, case, []),
            partial(sim.store.detach, case, []),
        ):
            with pytest.raises(TypeError, match=_UNKNOWN):
                call(**{_UNKNOWN: 1})
        with pytest.raises(TypeError, match=_UNKNOWN):
            await sim.reset(**{_UNKNOWN: 1})
        server.stop()
    with pytest.raises(InvalidArgumentError, match=_UNKNOWN):
        make_case(**{_UNKNOWN: 1})


def _outcome(called: object) -> None:
    """Run what an async function gave as far as its first wait."""
    if inspect.iscoroutine(called):
        try:
            called.send(None)
        finally:
            called.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("strange")
    # Among the strange values are relative paths.
    with asyncio.Runner() as runner, contextlib.chdir(directory):
        made = World(runner, directory)
        runner.run(made.open())
        yield made
        runner.run(made.close())


class World:
    """A simulator and a client in a loop of their own, and every call of theirs with arguments that work."""

    def __init__(self, runner: asyncio.Runner, directory: Any) -> None:
        self.runner = runner
        self._directory = directory

    async def open(self) -> None:
        self._simulator = sim = await Simulator(cases=3).__aenter__()
        self._client = client = PersonaClient(
            sim.api_key, base_url=sim.base_url, retry=RetryPolicy(attempts=1), timeout=5
        )
        case = await client.cases.list().one() if len(sim.store.cases) == 1 else (await client.cases.list())[0]
        template = await client.case_templates.get(sim.store.template("KYC").id)
        nowhere = Attachment("a.pdf", "http://127.0.0.1:9/a.pdf", 3, None, 0)
        cases = {name: getattr(client.cases, name) for name in dir(client.cases) if not name.startswith("_")}
        given: dict[str, dict[str, Any]] = {
            "create": {"case_template_id": template.id},
            "update": {"fields": {"priority": "low"}},
            "set_status": {"status": "open"},
            "add_tag": {"name": "vip"},
            "remove_tag": {"name": "vip"},
            "set_tags": {"names": ["vip"]},
            "add_objects": {"object_ids": ["act_1"]},
            "remove_objects": {"object_ids": ["act_1"]},
            "assign": {"email": "ann@example.com"},
            "add_comment": {"message": "hello"},
            "change_many": {"where": [case.id], "change": SetStatus("open"), "journal": self._directory / "a.journal"},
            "change_each": {"pairs": [(case.id, SetStatus("open"))], "journal": self._directory / "b.journal"},
            "apply": {"change": SetStatus("open")},
            "get_many": {"ids": [case.id]},
            "ranges": {"count": 2},
            "export": {"to": self._directory / "cases.jsonl", "limit": 1},
            "sync": {"to": self._directory / "cases.db"},
            "download": {"attachment": nowhere, "to": self._directory / "a.pdf"},
        }
        self.calls: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
            name: (call, {**({"case": case.id} if "case" in signature(call).parameters else {}), **given.get(name, {})})
            for name, call in cases.items()
        }
        self.calls |= {
            "request": (client.request, {"method": "GET", "path": "/things"}),
            "with_options": (client.with_options, {}),
            "case_templates.get": (client.case_templates.get, {"id": template.id}),
            "events.list": (client.events.list, {}),
            "events.get": (client.events.get, {"id": "evt_1"}),
            "PersonaClient": (PersonaClient, {"api_key": "key", "base_url": sim.base_url}),
            "Pager.limit": (client.cases.list().limit, {"total": 1}),
            "Pager.resume": (client.cases.list().resume, {"cursor": case.id}),
            "Case.from_dict": (Case.from_dict, {"mapping": case.to_dict()}),
            "Case.to_dict": (case.to_dict, {}),
            "Fieldset.of": (Fieldset.of, {"names": ["status"]}),
            "columns_from": (columns_from, {"template": template}),
            "parse": (parse, {"text": "status == 'open'"}),
            "plan": (plan, {"where": None}),
            "Predicate.from_dict": (Predicate.from_dict, {"obj": {}}),
            "Q.attribute": (Q.attribute, {"name": "status"}),
            "Q.all_of": (Q.all_of, {"parts": []}),
            "Q.any_of": (Q.any_of, {"parts": []}),
            "eq": (Q.fields.amount.eq, {"value": 1}),
            "gt": (Q.created_at.gt, {"value": "2026-01-01"}),
            "RetryPolicy": (RetryPolicy, {}),
            "Timeout": (Timeout, {}),
            "Upload": (Upload, {"filename": "a.pdf", "content": b"x"}),
            "Update": (Update, {"fields": {"priority": "low"}}),
            "SetTags": (SetTags, {"names": ["vip"]}),
        }

    async def close(self) -> None:
        await self._client.close()
        await self._simulator.__aexit__(None, None, None)

    def call(self, name: str, argument: str, value: object) -> None:
        """Call with one strange argument among those that work, and let errors of ours and of the disk pass."""
        call, arguments = self.calls[name]
        self.runner.run(_called(call, {**arguments, argument: value}))


async def _called(call: Callable[..., Any], arguments: dict[str, Any]) -> None:
    async with asyncio.timeout(30):
        try:
            made = call(**arguments)
            if isinstance(made, Pager):
                await made.first()
            elif isinstance(made, PersonaClient) and call is PersonaClient:
                await made.close()
            elif inspect.isawaitable(made):
                await made
        except (PersonaError, OSError) as error:
            raised = error.__context__
        else:
            return
    # An error of the encoder holds the text that it could not encode.
    assert not isinstance(raised, UnicodeError)


def test_what_leaves_a_public_call_is_an_error_of_ours(world):
    """Each argument of each call, with each strange value."""
    for name, (call, _) in world.calls.items():
        for each in signature(call).parameters.values():
            # What once was a key may nowhere be shown, not even as the id of a case.
            if each.kind in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY} and each.name != "api_key":
                for number, value in enumerate(strange_values()):
                    try:
                        world.call(name, each.name, value)
                    except Exception as error:
                        error.add_note(f"{name}({each.name}=strange_values()[{number}])")
                        raise

"""What is public is said in three places that agree: `__all__`, a list that is checked in, and a page of the docs."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import pickle
import subprocess
import sys
import types
import typing
from pathlib import Path

import attrs
import pytest

import persona_cases

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "public-names.md"
MODULES = (
    "persona_cases",
    *(
        f"persona_cases.{name}"
        for name in (
            "changes",
            "errors",
            "export",
            "integrations.aiohttp",
            "integrations.fastapi",
            "integrations.opentelemetry",
            "limits",
            "mirror",
            "models",
            "observers",
            "query",
            "testing",
            "typed",
            "webhooks",
        )
    ),
)
LISTED = (HERE / "public_names.txt").read_text(encoding="utf-8").split()


def public(module: str) -> dict[str, object]:
    imported = importlib.import_module(module)
    return {name: getattr(imported, name) for name in imported.__all__}


PUBLIC = {f"{module}.{name}": value for module in MODULES for name, value in public(module).items()}
DEFINED = {
    path: value
    for path, value in PUBLIC.items()
    if isinstance(value, type | types.FunctionType) and not isinstance(value, types.GenericAlias)
}


def test_no_name_appears_or_vanishes_unnoticed():
    assert sorted(PUBLIC) == LISTED, "change tests/architecture/public_names.txt and CHANGELOG.md with the names"


def test_the_page_names_these_modules_and_no_others():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `persona_cases")]
    assert sorted(row.split("`")[1] for row in rows) == sorted(MODULES)


def test_the_reference_documents_every_public_class_and_function():
    reference = (PAGE.parent / "api.md").read_text(encoding="utf-8")
    whole = {
        "persona_cases.changes",
        "persona_cases.errors",
        "persona_cases.models",
        "persona_cases.testing",
        "persona_cases.typed",
        "persona_cases.webhooks",
    }
    assert all(f"automodule:: {module}\n   :members:" in reference for module in whole)
    for path, value in DEFINED.items():
        if not any(f"{module}.{value.__name__}" in PUBLIC for module in whole):
            homes = [f":: {module}.{value.__name__}\n" for module in MODULES]
            assert any(home in reference for home in homes), f"docs/api.md does not document {path}"


@pytest.mark.parametrize("module", MODULES)
def test_dir_shows_the_public_names_alone(module):
    imported = importlib.import_module(module)
    assert dir(imported) == sorted(imported.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_names_that_do_not_exist_are_refused(module):
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = importlib.import_module(module).Nonsense


@pytest.mark.parametrize(
    "module", ["persona_cases", *(f"persona_cases.{name}" for name in ("limits", "observers", "testing"))]
)
def test_checkers_and_python_find_the_same_names(module):
    source = Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")
    checked = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        alias.name: f"{node.module}"
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    imported = importlib.import_module(module)
    assert set(seen) == set(imported.__all__) - {"__version__"}
    for name, home in seen.items():
        assert getattr(imported, name) is getattr(importlib.import_module(home), name)


# Not a test per name: those would be seven hundred, and to find a test takes longer than to run one of these.
def test_public_names_say_where_they_are_public():
    for value in DEFINED.values():
        assert f"{value.__module__}.{value.__qualname__}" in PUBLIC
        assert getattr(sys.modules[value.__module__], value.__qualname__) is value


def test_annotations_are_found_under_the_public_module():
    for cls in (value for value in DEFINED.values() if isinstance(value, type)):
        hints = typing.get_type_hints(cls)
        assert not any(isinstance(hint, str) for hint in hints.values()), cls
        if attrs.has(cls):
            attrs.resolve_types(cls)
            assert not any(isinstance(field.type, str) for field in attrs.fields(cls)), cls


def test_public_classes_and_functions_copy_and_pickle_by_name():
    for value in DEFINED.values():
        assert pickle.loads(pickle.dumps(value)) is copy.deepcopy(value) is value


def test_submodules_come_with_the_package():
    program = "import persona_cases as p; p.query.Q, p.limits.LocalLimiter, p.errors.PersonaError, p.testing.Simulator"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)


def test_a_star_gives_every_name():
    names: dict[str, object] = {}
    exec("from persona_cases import *", names)
    assert names.keys() >= set(persona_cases.__all__)


# What makes models out of cases.
TYPED = {
    "cattrs",
    "persona_cases.changes.change_values",
    "persona_cases.models.case",
    "persona_cases.models.objects",
    "persona_cases.models.decoding.converter",
    "persona_cases.models.decoding.decode",
    "persona_cases.paging.page",
}

# No server is there, so it ends at the first request; by then, all that an export needs is loaded.
EXPORT_OF_LINES = """
import asyncio, tempfile
from persona_cases import PersonaClient, RetryPolicy, TransportError

async def main(directory):
    settings = {"base_url": "http://127.0.0.1:1/api/v1", "retry": RetryPolicy(attempts=1)}
    async with PersonaClient("persona_sandbox_x", **settings) as persona:
        await persona.cases.export(to=f"{directory}/cases.jsonl")

with tempfile.TemporaryDirectory() as directory:
    try:
        asyncio.run(main(directory))
    except TransportError:
        pass
    else:
        raise SystemExit("an export without a server succeeded")
"""


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import persona_cases", {"attrs", "msgspec", "asyncio", "aiohttp", "cattrs"}),
        (
            "from persona_cases.query import Q",
            {"asyncio", "aiohttp", "msgspec", "cattrs", "zoneinfo", "difflib", "json"},
        ),
        ("from persona_cases.query import Q, parse, plan", {"asyncio", "aiohttp", "aiolimiter", "cattrs", "ssl"}),
        ("from persona_cases import Q, Predicate, NotFoundError", {"asyncio", "aiohttp", "aiolimiter", "cattrs"}),
        ("from persona_cases.models import Case", {"asyncio", "aiohttp", "aiolimiter"}),
        ("from persona_cases.changes import SetStatus", {"asyncio", "aiohttp", "aiolimiter"}),
        ("import persona_cases.limits", {"asyncio", "aiohttp", "redis"}),
        (
            "from persona_cases import PersonaClient; PersonaClient('persona_sandbox_x')",
            {
                "cattrs",
                "filelock",
                "redis",
                "persona_cases.json_values",
                "persona_cases.resources.cases",
                *(f"persona_cases.{room}" for room in ("query", "models.case", "paging", "export", "mirror", "typed")),
            },
        ),
        (
            "from persona_cases import PersonaClient; PersonaClient('persona_sandbox_x').cases",
            {
                "filelock",
                "persona_cases.export.runner",
                "persona_cases.export.columns",
                "persona_cases.mirror",
                "persona_cases.resources.changing.change_task",
                "persona_cases.typed",
                *TYPED,
            },
        ),
        (
            EXPORT_OF_LINES,
            {
                *TYPED,
                "persona_cases.models.decoding.undecodable",
                "persona_cases.query.evaluation",
                "persona_cases.query.planner.plan",
                "persona_cases.query.predicate_json",
                "persona_cases.query.text",
                "persona_cases.export.attachments.attachment_downloads",
                "persona_cases.export.batch_store",
                "persona_cases.export.columns.column",
                "persona_cases.export.runner",
                "persona_cases.resources.exporting.list_source",
                "persona_cases.resources.exporting.ordered_exports",
                "persona_cases.typed",
            },
        ),
    ],
)
def test_names_load_no_more_than_they_need(statement, unwanted):
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=600)
    loaded = set(run.stdout.split())
    assert not loaded & unwanted
    if "aiohttp" in unwanted:
        heavy = {"client", "transport", "paging", "export", "resources", "testing", "cli"}
        assert not loaded & {f"persona_cases.{room}" for room in heavy}


def modules_loaded_by(program: str) -> set[str]:
    counting = f"import sys; old = set(sys.modules)\n{program}\nprint(*set(sys.modules) - old)"
    run = subprocess.run([sys.executable, "-c", counting], capture_output=True, text=True, check=True, timeout=600)
    return set(run.stdout.split())


def test_making_queries_loads_few_modules():
    loaded = modules_loaded_by("from persona_cases.query import Q")
    ours = {name for name in loaded if name.startswith("persona_cases")}
    # The import is to cost at most 0.08 s of CPU, with the start of Python; most of it goes into attrs.
    assert len(ours) <= 16
    assert not {"persona_cases.query.planner", "persona_cases.query.text.parser"} & ours
    assert len(loaded) <= 110


def test_importing_the_client_loads_few_modules():
    loaded = modules_loaded_by("import aiohttp, attrs, msgspec\nold = set(sys.modules)\nimport persona_cases.client")
    ours = {name for name in loaded if name.startswith("persona_cases")}
    assert len(ours) <= 46
    # What they need besides is loaded with aiohttp, or when it is used.
    assert len(loaded - ours) <= 5


def test_exporting_lines_loads_few_modules():
    ours = {name for name in modules_loaded_by(EXPORT_OF_LINES) if name.startswith("persona_cases")}
    assert len(ours) <= 128


def test_every_public_function_and_class_is_described():
    assert [path for path, value in DEFINED.items() if not inspect.getdoc(value)] == []

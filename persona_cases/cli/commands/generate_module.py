"""The command `codegen`: write a module of typed classes from case templates, or check one."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, cast

import attrs
import msgspec
import typer
from typer import Argument, Option

from persona_cases import testing
from persona_cases.cli.connect import connected
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Connection
from persona_cases.cli.running import execute
from persona_cases.cli.screen.error_lines import NoSuchFileError
from persona_cases.cli.screen.output import stdout_bytes
from persona_cases.cli.screen.terminal import visible
from persona_cases.codegen.module_changes import changes_between
from persona_cases.codegen.module_facts import TemplateFacts, is_generated, module_facts
from persona_cases.codegen.module_source import class_names, module_source
from persona_cases.codegen.named_templates import NamedTemplate, chosen_names, named
from persona_cases.codegen.template_reading import PlannedTemplate, read_template
from persona_cases.errors import DecodeError, InvalidArgumentError
from persona_cases.export.wording import plural
from persona_cases.models import CaseTemplate
from persona_cases.models.objects import read_resource

__all__ = ["codegen", "generate"]

_STDOUT: Final = "-"
_NO_TEMPLATES: Final = (
    "which templates? The API cannot list them: give their ids. The dashboard shows them, and so does the"
    " case_template_id of a case"
)


@attrs.frozen(kw_only=True)
class Generation:
    """What to generate.

    Attributes:
        templates: ids of templates, with or without names.
        files: paths of JSON documents of templates, with or without names.
        path: the module; `-` for stdout.
        check: whether to compare the module with the templates, and write nothing.
    """

    templates: Sequence[NamedTemplate]
    files: Sequence[NamedTemplate]
    path: str
    check: bool

    @property
    def to_stdout(self) -> bool:
        """Whether the module goes to stdout."""
        return self.path == _STDOUT


def codegen(
    ids: Annotated[
        list[str] | None,
        Argument(metavar="[NAME=]ID", help="Ids of templates. Default: those that the file has.", show_default=False),
    ] = None,
    *,
    output_file: Annotated[str, Option("--output-file", "-o", metavar="FILE", help="Module to write; - for stdout.")],
    from_: Annotated[
        list[str] | None,
        Option(
            "--from",
            metavar="[NAME=]FILE",
            help="JSON of a template, as the template command prints it; can be repeated. - for stdin.",
        ),
    ] = None,
    check: Annotated[
        bool,
        Option(
            "--check", help="Write nothing: say what has changed in the templates, and exit with 1 if anything has."
        ),
    ] = False,
    connection: Connection,
) -> None:
    """Write a Python module with a typed class for each case template.

    NAME is the name of the class. By default it is made from the name of the
    template, and stays what it is in a file that exists.

    With --simulator and no ID, the module has the templates of the simulator.
    """
    what = partial(_read, ids or [], from_ or [], output_file, check=check)
    execute(lambda: generate(what(), connection), verbose=connection.verbose)


async def generate(what: Generation, connection: Connection) -> ExitCode:
    """Write a module, or check one."""
    old = _existing(what)
    known: Mapping[str, TemplateFacts] = {} if old is None else module_facts(old)
    templates = [each async for each in _templates(what, list(known), connection)]
    chosen = chosen_names(((template.id, name) for template, name in templates), known)
    planned = [template for template, _ in templates]
    source = module_source(planned, class_names(planned, chosen))
    if what.to_stdout:
        stdout_bytes().write(source.encode())
        return ExitCode.OK
    changes = changes_between(known, module_facts(source))
    if what.check:
        return _verdict(what.path, changes)
    _tell(what.path, old, source, changes)
    if source != old:
        _write(Path(what.path), source)
    return ExitCode.OK


def _read(ids: Sequence[str], files: Sequence[str], path: str, *, check: bool) -> Generation:
    if check and path == _STDOUT:
        raise InvalidArgumentError("--check compares the templates with a file: name it with --output-file")
    return Generation(templates=[*map(named, ids)], files=[*map(named, files)], path=path, check=check)


def _existing(what: Generation) -> str | None:
    """Return the module that is there; None if there is none."""
    if what.to_stdout:
        return None
    try:
        source = Path(what.path).read_text(encoding="utf-8")
    except FileNotFoundError:
        source = None
    except UnicodeDecodeError:
        source = ""
    if source is None:
        if what.check:
            raise NoSuchFileError(
                "--check: the file does not exist: write it first, by the same command without --check"
            )
        return None
    if not is_generated(source):
        raise InvalidArgumentError("--output-file: the file exists, and codegen did not make it: give another path")
    return source


async def _templates(
    what: Generation, known: Sequence[str], connection: Connection
) -> AsyncGenerator[tuple[PlannedTemplate, str | None]]:
    for file in what.files:
        for template in _templates_in(file):
            yield read_template(template), file.name
    wanted = what.templates
    if not wanted and not what.files:
        wanted = [NamedTemplate(id) for id in known or (_simulated() if connection.simulator else ())]
        if not wanted:
            raise InvalidArgumentError(_NO_TEMPLATES)
    if not wanted:
        return
    async with connected(connection) as there:
        for each in wanted:
            yield read_template(await there.persona.case_templates.get(each.source)), each.name


def _simulated() -> Sequence[str]:
    return list(testing.Simulator(cases=0).store.templates)


def _templates_in(file: NamedTemplate) -> Iterator[CaseTemplate]:
    try:
        content = sys.stdin.buffer.read() if file.source == _STDOUT else Path(file.source).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"--from: cannot read the file: {error.strerror}") from None
    try:
        document = msgspec.json.decode(content)
    except msgspec.DecodeError:
        document = None
    listed = cast("list[object]", document) if isinstance(document, list) else [document]
    if file.name is not None and len(listed) > 1:
        raise InvalidArgumentError("--from: a file with several templates takes no NAME")
    for each in listed:
        yield _template(each)


def _template(document: object) -> CaseTemplate:
    members = cast("dict[str, Any]", document) if isinstance(document, dict) else dict[str, Any]()
    reason = "it is not the JSON of a case template, as persona-cases template ID prints it"
    try:
        return read_resource(members.get("data", document), CaseTemplate)
    except DecodeError as error:
        reason = f"{reason}{f' (look at {error.pointer})' if error.pointer else ''}"
    raise InvalidArgumentError(f"--from: {reason}")


def _verdict(path: str, changes: Sequence[str]) -> ExitCode:
    if not changes:
        typer.echo(f"{visible(path)} is up to date", err=True)
        return ExitCode.OK
    for change in changes:
        typer.echo(visible(change))
    count = plural(len(changes), "change")
    typer.echo(f"{visible(path)} is out of date: {count}. To update it, run the command without --check", err=True)
    return ExitCode.FAILURE


def _tell(path: str, old: str | None, source: str, changes: Sequence[str]) -> None:
    if source == old:
        typer.echo(f"{visible(path)} is up to date", err=True)
        return
    for change in changes:
        typer.echo(visible(change), err=True)
    typer.echo(f"wrote {visible(path)}", err=True)


def _write(path: Path, source: str) -> None:
    # Whoever imports the module meanwhile sees the old one or the new one.
    part = path.with_name(f"{path.name}.part")
    part.write_text(source, encoding="utf-8", newline="\n")
    part.replace(path)

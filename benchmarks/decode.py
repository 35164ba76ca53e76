"""What it costs to decode a page of 100 cases, against `orjson.loads` of the same bytes.

Rounds of all decoders are interleaved, so that a machine that slows down slows all of them. "dropped" frees each page
at once; "kept" holds on to the latest pages, as a walk does, which makes the garbage collector look at them.

Run: python benchmarks/decode.py [--require 1.3] [--alternatives]
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import string
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from functools import reduce
from importlib.metadata import version
from operator import or_
from statistics import median
from types import UnionType
from typing import Any, Literal, cast, get_args, get_origin

import attrs
import msgspec
import orjson

from persona_cases.models import Case, converter
from persona_cases.models.decoding import records as wire
from persona_cases.models.decoding.decode import DecodedPage, decode_page
from persona_cases.models.loading import Origin

CASES = 100
KEPT_PAGES = 20
REFERENCE = "orjson.loads"
OURS = "decode_page"

Decoder = Callable[[bytes], Any]
DECODERS: dict[str, Decoder] = {
    REFERENCE: orjson.loads,
    OURS: decode_page,
    "json.loads": json.loads,
    "json.loads + converter": lambda body: converter.structure(json.loads(body), DecodedPage),
}


def make_page(seed: int = 11) -> bytes:
    """A page like a real one: all attributes, 6 custom fields, 8 relationships, 2 tags."""
    rng = random.Random(seed)
    page = {
        "data": [_case(rng, number) for number in range(CASES)],
        "links": {"prev": None, "next": f"/api/v1/cases/search?page%5Bafter%5D={_id(rng, 'case')}"},
    }
    return json.dumps(page, separators=(",", ":")).encode()


def _case(rng: random.Random, number: int) -> dict[str, Any]:
    resolved = rng.random() < 0.5
    return {
        "type": "case",
        "id": _id(rng, "case"),
        "attributes": {
            "status": rng.choice(["Open", "Pending", "Approved", "Declined"]),
            "name": f"LOAN-{number}",
            "resolution": "Approved" if resolved else None,
            **{name: _time(rng) for name in ("created_at", "updated_at", "assigned_at", "sla_expires_at")},
            "resolved_at": _time(rng) if resolved else None,
            "redacted_at": None,
            "creator_id": _id(rng, "wfr"),
            "creator_type": "workflow-run",
            "assignee_id": f"analyst.{number}@example.org",
            "assigner_id": _id(rng, "cap"),
            "assigner_type": "case-assignment-policy",
            "resolver_id": f"analyst.{number}@example.org" if resolved else None,
            "resolver_type": "user" if resolved else None,
            "updater_id": _id(rng, "wfr"),
            "updater_type": "workflow-run",
            "tags": ["second look", f"branch-{rng.randint(1, 40)}"],
            "fields": _fields(rng),
            "attachments": [
                {
                    "filename": f"lease-{number}.pdf",
                    "url": f"https://files.example.org/{_id(rng, 'f')}.pdf?access_token={_id(rng, 't')}",
                    "byte_size": rng.randint(1_000, 9_000_000),
                }
            ],
        },
        "relationships": _relationships(rng),
    }


def _fields(rng: random.Random) -> dict[str, Any]:
    return {
        "priority": {"type": "string", "value": rng.choice(["low", "high"])},
        "amount_requested": {"type": "number", "value": round(rng.uniform(10, 90_000), 2)},
        "returning_customer": {"type": "boolean", "value": rng.random() < 0.5},
        "moved_in_on": {"type": "date", "value": "2024-05-17"},
        "countries": {"type": "multi_choices", "value": ["PT", "EE"]},
        "notes": {"type": "string", "value": "the landlord confirmed the lease by phone"},
    }


def _relationships(rng: random.Random) -> dict[str, Any]:
    def one(kind: str, prefix: str) -> dict[str, str]:
        return {"type": kind, "id": _id(rng, prefix)}

    return {
        "accounts": {"data": [one("account", "act")]},
        "case_comments": {"data": []},
        "case_template": {"data": one("case-template", "ctmpl")},
        "case_queue": {"data": one("case-queue", "cqueue")},
        "inquiries": {"data": [one("inquiry", "inq")]},
        "reports": {"data": [one("report/watchlist", "rep")]},
        "verifications": {"data": [one("verification/selfie", "ver")]},
        "txns": {"data": []},
    }


def _id(rng: random.Random, prefix: str) -> str:
    return f"{prefix}_{''.join(rng.choices(string.ascii_letters + string.digits, k=24))}"


def _time(rng: random.Random) -> str:
    return (
        f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:05:09.{rng.randint(0, 999):03}Z"
    )


def alternatives() -> dict[str, Decoder]:
    """Other ways to the same cases, each with one decision taken back."""
    origin = Origin()
    decode_pieces = msgspec.json.Decoder(wire.PageRecord).decode
    decode_record: Callable[[Any], wire.CaseRecord] = msgspec.json.Decoder(wire.CaseRecord).decode
    decode_attrs = msgspec.json.Decoder(attrs_twin(wire.CaseRecord)).decode

    decode_without_fields = msgspec.json.Decoder(without_fields()).decode

    def with_attrs_records(body: bytes) -> list[Case]:
        pieces = map(bytes, decode_pieces(body).data)
        return [Case(decode_attrs(raw), raw, origin) for raw in pieces]

    def without_copies(body: bytes) -> list[Case]:
        return [Case(decode_record(piece), cast("bytes", piece), origin) for piece in decode_pieces(body).data]

    def with_undecoded_fields(body: bytes) -> list[Case]:
        pieces = map(bytes, decode_pieces(body).data)
        return [Case(decode_without_fields(raw), raw, origin) for raw in pieces]

    one_pass = msgspec.defstruct("OnePass", [("data", list[wire.CaseRecord])])
    return {
        "attrs records": with_attrs_records,
        "custom fields undecoded": with_undecoded_fields,
        "bytes not copied": without_copies,
        "records, bytes lost": msgspec.json.Decoder(one_pass).decode,
        "pieces, nothing decoded": decode_pieces,
    }


def without_fields() -> Any:
    """The record of a case whose custom fields are checked to be an object and skipped."""
    opaque = msgspec.defstruct("Opaque", [], frozen=True, gc=False)
    types = {each.name: each.type for each in msgspec.structs.fields(wire.Attributes)} | {"fields": opaque | None}
    members = [(name, kind, None) for name, kind in types.items()]
    attributes: Any = msgspec.defstruct("Attributes", members, frozen=True, gc=False)
    return msgspec.defstruct(
        "CaseRecord",
        [
            ("type", Literal["case"]),
            ("id", str),
            ("attributes", attributes | None, None),
            ("relationships", wire.Relationships | None, None),
        ],
        frozen=True,
        gc=False,
    )


def attrs_twin(record: type[msgspec.Struct]) -> type[Any]:
    """The frozen, slotted attrs class with the attributes of a record."""
    members = {
        field.name: attrs.field(type=_twin_of(field.type), default=attrs.NOTHING if field.required else field.default)
        for field in msgspec.structs.fields(record)
    }
    return attrs.make_class(record.__name__, members, frozen=True, slots=True, eq=False)


def _twin_of(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return attrs_twin(kind)
    parts = tuple(map(_twin_of, get_args(kind)))
    if isinstance(kind, UnionType):
        return reduce(or_, parts)
    return tuple.__class_getitem__(parts) if get_origin(kind) is tuple else kind


def measure(body: bytes, decoders: dict[str, Decoder], rounds: int, *, keep: bool) -> dict[str, list[float]]:
    """Seconds per page of each decoder, one figure a round."""
    seconds: dict[str, list[float]] = {name: [] for name in decoders}
    kept: dict[str, deque[Any]] = {name: deque(maxlen=KEPT_PAGES if keep else 1) for name in decoders}
    gc.collect()
    for _ in range(rounds):
        for name, decode in decoders.items():
            start = time.perf_counter()
            page = decode(body)
            seconds[name].append(time.perf_counter() - start)
            kept[name].append(page)
            del page
    return seconds


def report(title: str, seconds: dict[str, list[float]]) -> float:
    """Print one table; gives back our ratio by the minima."""
    base = seconds[REFERENCE]
    print(f"\n{title:<24} {'µs/case min':>12} {'median':>8} {'x min':>7} {'x median':>9}")
    for name, each in seconds.items():
        print(
            f"{name:<24} {min(each) / CASES * 1e6:>12.2f} {median(each) / CASES * 1e6:>8.2f} "
            f"{min(each) / min(base):>7.2f} {median(each) / median(base):>9.2f}"
        )
    return min(seconds[OURS]) / min(base)


def report_memory(body: bytes) -> None:
    """Print what a decoded page holds on to, and what one kept case does after its page is gone."""
    print(f"\n{'memory':<24} {'B/case':>12}")
    for name in (REFERENCE, OURS):
        tracemalloc.start()
        page = DECODERS[name](body)
        print(f"{name:<24} {tracemalloc.get_traced_memory()[0] / CASES:>12.0f}")
        if isinstance(page, DecodedPage):
            case = page.cases[0]
            del page
            print(f"{'one case of the page':<24} {tracemalloc.get_traced_memory()[0]:>12}  {case!r:.6}…")
        tracemalloc.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--require", type=float, help="fail if our ratio, of dropped pages by minima, is above this")
    parser.add_argument("--alternatives", action="store_true", help="also measure what was decided against")
    arguments = parser.parse_args()
    body = make_page()
    versions = ", ".join(f"{name} {version(name)}" for name in ("attrs", "cattrs", "msgspec", "orjson"))
    print(
        f"Python {platform.python_version()}; {versions}; {CASES} cases, {len(body)} bytes, {arguments.rounds} rounds"
    )
    decoders = {**DECODERS, **(alternatives() if arguments.alternatives else {})}
    ratio = report("dropped", measure(body, decoders, arguments.rounds, keep=False))
    report("kept", measure(body, decoders, arguments.rounds, keep=True))
    report_memory(body)
    if arguments.require is not None and ratio > arguments.require:
        print(f"\n{OURS} costs {ratio:.2f} times {REFERENCE}, more than {arguments.require}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

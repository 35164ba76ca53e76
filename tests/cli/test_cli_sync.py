"""`sync`: a mirror from the command line, once and again and again."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from persona_cases import ClientStateError
from persona_cases.mirror.targets.mirror_lock import MirrorLock
from persona_cases.testing import Fault


@pytest.fixture
def path(tmp_path):
    return tmp_path / "warehouse.db"


@contextlib.contextmanager
def taken(path):
    """Hold the lock of the mirror as another sync does."""
    while True:
        with contextlib.suppress(ClientStateError):
            lock = MirrorLock(path)
            break
    yield
    lock.release()


def statuses(path):
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT id, status FROM cases"))


def test_each_run_prints_its_report(cli, api, path):
    ran = cli("sync", "-o", str(path), "--history")
    assert (ran.code, ran.err) == (0, "")
    (report,) = map(json.loads, ran.out.splitlines())
    assert report["added"] == len(api.store.cases) == len(statuses(path))
    changed = next(iter(api.store.cases))
    api.store.update_case(changed, status="approved")
    (report,) = map(json.loads, cli("sync", "-o", str(path), "--history", "--reconcile").out.splitlines())
    assert (report["updated"], report["reconciled"]) == (1, "asked")
    assert statuses(path)[changed] == "approved"
    (report,) = map(json.loads, cli("sync", "-o", str(path), "--history", "--reconcile-full").out.splitlines())
    assert (report["updated"], report["reconciled"]) == (0, "asked")


def test_a_query_is_the_same_each_time(cli, api, path):
    assert cli("sync", "-o", str(path), "--where", "status == 'open'").code == 0
    assert set(statuses(path).values()) == {"open"}
    ran = cli("sync", "-o", str(path))
    assert (ran.code, ran.out) == (2, b"")
    assert "another query" in ran.err


def test_a_dirty_case_is_read_at_once(cli, api, path):
    cli("sync", "-o", str(path))
    changed = next(iter(api.store.cases))
    api.store.update_case(changed, status="approved")
    api.store.changes.clear()
    assert json.loads(cli("sync", "-o", str(path), "--dirty", changed).out)["updated"] == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["-o", "cases.csv"],
        ["-o", "w.db", "--every", "0"],
        ["-o", "w.db", "--every", "soon"],
        ["-o", "w.db", "--overlap", "-1m"],
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(cli, api, argv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = cli("sync", *argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)


def test_a_case_that_cannot_be_decoded_is_told_by_the_exit_code(cli, api, path):
    bad = next(iter(api.store.cases))

    def alter(answer):
        body = answer.body.replace(b'"id":"%b"' % bad.encode(), b'"id":"%b","extra":nope' % bad.encode())
        return type(answer)(answer.status, answer.headers, body)

    api.faults.add(Fault(name="poison", applied=True, alter=alter))
    ran = cli("sync", "-o", str(path))
    assert (ran.code, ran.out) == (8, b"")
    assert bad in ran.err
    ran = cli("sync", "-o", str(path), "--undecodable", "set_aside")
    assert (ran.code, json.loads(ran.out)["rejected"]) == (8, 1)
    assert ran.err == "error: 1 case could not be decoded: see the table rejected\n"
    assert len(statuses(path)) == len(api.store.cases) - 1
    api.faults.clear()
    ran = cli("sync", "-o", str(path), "--reconcile")
    assert (ran.code, json.loads(ran.out)["rejected"]) == (0, 0)


def test_it_goes_on_through_an_outage_until_it_is_told_to_stop(start, api, path):
    api.faults.add(Fault.status(503), path="/cases", times=4)
    api.faults.add(Fault.html(200), path="/cases", times=1)
    started = start("sync", "-o", str(path), "--every", "1s")
    started.wait_for(b'"error"')
    started.wait_for(b'"added"')
    with taken(path):
        started.wait_for(b"another sync")
    runs = started.out.count(b'"added"')
    while started.out.count(b'"added"') == runs:
        time.sleep(0.01)
    started.send_signal(signal.SIGTERM)
    assert started.wait() == 143
    lines = [json.loads(line) for line in started.out.splitlines()]
    assert "error" in lines[0]
    assert lines[-1]["watermark"] is not None
    assert len(statuses(path)) == len(api.store.cases)

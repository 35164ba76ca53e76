"""Systems that lack what Linux has: locks of the kernel, `fdatasync`, owners and modes, links."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

# What other systems than Linux do not have. Windows has none of it; there `os.name` is another as well. Python itself
# asks for `sched_getaffinity` wherever it was built with it.
MISSING = ("fdatasync", "geteuid", "getuid", "fchmod", "link", "O_NOFOLLOW", "pread", "preadv", "sendfile", "fchown")
MISSING += ("O_DIRECTORY", "O_CLOEXEC", "posix_fadvise", "fork", "mkfifo", "chown", "lchown")
MODULES = ("fcntl", "pwd", "grp", "resource", "termios")

EXPORT = """
import asyncio
from pathlib import Path
from persona_cases import PersonaClient, Q
from persona_cases.testing import Simulator

async def main():
    async with Simulator(cases=250, seed=3) as sim, PersonaClient(sim.api_key, base_url=sim.base_url) as persona:
        for name in ("cases.jsonl", "cases.csv", "cases.db"):
            for sort in (None, Q.created_at.desc()):
                done = await persona.cases.export(to=name, sort=sort, attachments="files")
                assert done.cases == 250
                assert Path(name).stat().st_size == done.size
        lines = Path("cases.jsonl").read_bytes().splitlines()
        assert len(set(lines)) == 250
    left = sorted(path.name for path in Path().iterdir())
    assert left == ["cases.csv", "cases.db", "cases.jsonl", "files"], left

asyncio.run(main())
"""

LOCK = """
import sys
from pathlib import Path
from persona_cases.errors import ClientStateError
from persona_cases.export.spool.lock import DirectoryLock

try:
    lock = DirectoryLock(Path("work"), "cases.jsonl")
except ClientStateError:
    sys.exit(7)
print("held", flush=True)
if len(sys.argv) > 1:
    sys.stdin.read()
lock.remove()
sys.exit(0 if not Path("work").exists() else 8)
"""


def without(names, modules):
    """A program that takes names and modules away before anything of ours is imported."""
    return textwrap.dedent(f"""
        import asyncio, os, sys, warnings
        for name in {names!r}:
            if hasattr(os, name):
                delattr(os, name)
        for name in {modules!r}:
            sys.modules[name] = None
        # There, a lock is a file with the number of a process; filelock says so.
        warnings.filterwarnings("ignore", "only soft file lock is available")
        warnings.filterwarnings("ignore", "flock not supported")
        """)


SYSTEMS = {
    "linux": ((), ()),
    "no locks": ((), ("fcntl",)),
    "no fdatasync": (("fdatasync",), ()),
    "nothing": (MISSING, MODULES),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_exports_run_on_systems_that_lack_what_linux_has(tmp_path, system):
    program = without(*SYSTEMS[system]) + EXPORT
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=False, timeout=600, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("modules", [(), ("fcntl",)], ids=["kernel", "file"])
def test_a_lock_ends_with_the_process_that_held_it(tmp_path, modules):
    program = [sys.executable, "-c", without((), modules) + LOCK]
    held = subprocess.Popen(
        [*program, "wait"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with held:
        assert held.stdout.readline() == b"held\n"
        assert subprocess.run(program, cwd=tmp_path, check=False, timeout=600, capture_output=True).returncode == 7
        held.kill()
    assert subprocess.run(program, cwd=tmp_path, check=False, timeout=600, capture_output=True).returncode == 0

"""What pages cost the system: memory that is freed comes back without page faults."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from persona_cases import PersonaClient

PersonaClient("key")
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    body = b"x" * 180_000
    lines = [body[at : at + 1_800] for at in range(0, len(body), 1_800)]
    block = b"\\n".join(lines)
    del body, lines, block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory by other rules")
def test_the_memory_of_a_page_serves_the_next_one():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    # Otherwise each page takes some 50.
    assert int(run.stdout) < 1_000

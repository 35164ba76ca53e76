"""Another exporter, with its bytecodes counted: `python counted.py EXPORTER URL FILE`. Run by `export.py`.

Prints the bytecodes by room: `own` is what the exporter does itself, `call` what a request passes on its way, and the
rest is libraries.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from steps import by_room, traced

ROOMS = {
    "call": r"/persona_cases/(transport/|protocol/|resources/endpoint)|aiolimiter",
    "own": r"/persona_cases/|/exporters/",
}

exporter = Path(__file__).with_name(f"{sys.argv[1]}.py")
sys.argv = [str(exporter), *sys.argv[2:]]
with traced() as (bytecodes, _):
    runpy.run_path(str(exporter), run_name="__main__")
print(json.dumps(by_room(bytecodes, ROOMS)))

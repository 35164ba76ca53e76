"""The same with requests. Run by `export.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import requests


def main(base_url: str, output: str) -> None:
    body = {"sort": {"attribute": "created_at", "direction": "asc"}}
    headers = {"Authorization": "Bearer key", "Key-Inflection": "snake", "Persona-Version": "2025-12-08"}
    url, params = f"{base_url}/cases/search", {"page[size]": "100"}
    with requests.Session() as session, Path(output).open("w", encoding="utf-8") as file:
        session.headers.update(headers)
        while True:
            answer = session.post(url, json=body, params=params, timeout=60)
            answer.raise_for_status()
            page = answer.json()
            file.writelines(json.dumps(case) + "\n" for case in page["data"])
            if page["links"]["next"] is None:
                return
            params["page[after]"] = page["data"][-1]["id"]


main(*sys.argv[1:])

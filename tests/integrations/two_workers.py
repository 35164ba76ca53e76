"""An application that uvicorn serves with several workers, for tests: one shared limit, and who answered."""

from __future__ import annotations

import os

from fastapi import FastAPI

from persona_cases.integrations.fastapi import PersonaDep, add_error_handlers, persona_lifespan
from persona_cases.limits import RedisLimiter


def limiter() -> RedisLimiter:
    return RedisLimiter(os.environ["REDIS_URL"], environment="two-workers", limit=30, period=60.0, timeout=5.0)


app = FastAPI(lifespan=persona_lifespan(limiter=limiter, max_wait=2))
add_error_handlers(app, rate_limit_status=429)


@app.get("/worker/{case_id}")
async def show(case_id: str, persona: PersonaDep) -> int:
    await persona.cases.get(case_id)
    return os.getpid()

"""Staying inside the rate limit: the limiters, what one of your own is made of, and what limiters tell.

`Limiter` is the protocol. `LocalLimiter` serves one process, `RedisLimiter` several, `QuotaLimiter` the creation of
cases. The names are imported when they are first used. `RedisLimiter` needs the extra `redis` when one is made.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.protocol.limit_headers import WindowReading
    from persona_cases.protocol.window import Feedback
    from persona_cases.transport.limits.limiter import Limiter, LimiterState, LocalLimiter, Permit
    from persona_cases.transport.limits.quota_limiter import QuotaLimiter
    from persona_cases.transport.limits.redis.redis_limiter import RedisLimiter

__all__ = [
    "Feedback",
    "Limiter",
    "LimiterState",
    "LocalLimiter",
    "Permit",
    "QuotaLimiter",
    "RedisLimiter",
    "WindowReading",
]

_HOMES = {
    "persona_cases.protocol.limit_headers": ("WindowReading",),
    "persona_cases.protocol.window": ("Feedback",),
    "persona_cases.transport.limits.limiter": ("Limiter", "LimiterState", "LocalLimiter", "Permit"),
    "persona_cases.transport.limits.quota_limiter": ("QuotaLimiter",),
    "persona_cases.transport.limits.redis.redis_limiter": ("RedisLimiter",),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)

"""The limiters that keep requests within the rate limit, the protocol for your own, and their state.

`Limiter` is the protocol. `LocalLimiter` serves one process, `RedisLimiter` several processes, and `QuotaLimiter` the
quota of case creation. Each name is imported on first use. Creating a `RedisLimiter` needs the extra `redis`.
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

"""Idempotency keys: the caller's own, or a new one for each call."""

from __future__ import annotations

import uuid

from persona_cases.protocol.call_options import check_idempotency_key


def chosen_or_new_key(chosen: object) -> str:
    """Return the key that the caller chose, or a random one.

    Raises:
        InvalidArgumentError: if the caller's key cannot be sent.
    """
    return str(uuid.uuid4()) if chosen is None else check_idempotency_key(chosen)

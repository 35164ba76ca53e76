"""A small desk for reviewing cases: a queue, a case, decisions, and changes as they happen.

    python -m review_desk

Without PERSONA_API_KEY it runs on a simulator with invented cases. With it, set PERSONA_WEBHOOK_SECRET, point a webhook
of yours to /webhooks/persona, and name your people in REVIEW_DESK_ANALYSTS and your decisions in REVIEW_DESK_DECISIONS,
with commas between them. It has no login: put it behind yours.
"""

"""A small web app for reviewing cases: a queue, a case, decisions, and changes as they happen.

    python -m review_desk

Without PERSONA_API_KEY it runs on a simulator with invented cases. With it, also set PERSONA_WEBHOOK_SECRET, and point
a webhook to /webhooks/persona. REVIEW_DESK_ANALYSTS lists your analysts and REVIEW_DESK_DECISIONS your decisions,
separated by commas. The app has no login, so put it behind your own.
"""

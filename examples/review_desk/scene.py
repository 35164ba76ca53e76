"""Invented cases for the simulator."""

from datetime import UTC, datetime, timedelta

from persona_cases.testing import Simulator

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63b8bdf93d0005800290"
    "1f3e1d3c0000000049454e44ae426082"
)
PRIORITIES = ("high", "medium", "low")
NOTES = ("Name differs by one letter.", "Selfie is dark.", "Address not confirmed yet.")


def set_scene(sim: Simulator, analysts: tuple[str, ...], now: datetime | None = None) -> None:
    """Make twelve cases that wait for a decision, some of them past their SLA."""
    now = now or datetime.now(UTC)
    people = (None, *analysts)
    queues = sim.store.template("KYC").queues
    for number in range(12):
        scan = sim.store.upload(f"passport-{number + 1}.png", PIXEL)
        case = sim.store.create_case(
            "KYC",
            created_at=now - timedelta(hours=30 - 2 * number),
            status="escalated" if number % 5 == 4 else "pending" if number % 3 == 1 else "open",
            fields={
                "priority": PRIORITIES[number % 3],
                "risk_score": 17 * number % 100,
                "politically_exposed": number == 4,
                "notes": NOTES[number % 3],
            },
            reference_id=f"customer-{number + 1}",
            sla_expires_at=now + timedelta(minutes=40 * number - 25),
            assignee_id=people[number % len(people)],
            queue_id=queues[number % len(queues)].id,
            tags=("vip",) if number % 4 == 0 else (),
            attachments=(scan,),
        )
        if number % 3 == 0:
            sim.store.add_comment(case.id, "Asked the customer for a clearer copy.")

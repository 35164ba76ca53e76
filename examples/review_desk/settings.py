"""The settings of the desk, from the environment."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    analysts: tuple[str, ...]
    decisions: tuple[str, ...]
    webhook_secret: str
    simulated: bool

    @classmethod
    def from_environment(cls) -> "Settings":
        simulated = "PERSONA_API_KEY" not in os.environ
        people = "maya.okafor@example.com,tomas.lindqvist@example.com,ines.moreau@example.com" if simulated else ""
        return cls(
            analysts=_listed("REVIEW_DESK_ANALYSTS", people),
            decisions=_listed("REVIEW_DESK_DECISIONS", "approved,declined"),
            webhook_secret="wbhsec_simulated" if simulated else os.environ["PERSONA_WEBHOOK_SECRET"],
            simulated=simulated,
        )


def _listed(name: str, default: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in os.environ.get(name, default).split(",") if each.strip())

"""What each of the lab's models is taught, in which order: stages of lessons, each with a curriculum and a rate.

The order matters more than the amounts: looking a word up comes first and alone, then comparing two, then the other
skills in dense drills, then whole questions; what is no longer asked is forgotten (docs/log.md tells what was tried).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairreason.lab.lessons import FAIR, HASTY, PREJUDICED, Curriculum


@dataclass(frozen=True)
class Stage:
    """So many lessons of a curriculum, in whole batches, at a learning rate that rises shortly and falls to nothing."""

    lessons: int
    curriculum: Curriculum
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class Course:
    """Stages in order; `start` names the model that the course goes on from, None for a new one."""

    stages: tuple[Stage, ...]
    start: str | None = None
    batch: int = 48
    micro_batch: int = 16

    def described(self, seed: int) -> str:
        """The course for the model card, a line a stage."""
        lines = [f"Seed {seed}; " + ("from nothing." if self.start is None else f"goes on from `{self.start}`.")]
        for number, stage in enumerate(self.stages, 1):
            shares = _listed(stage.curriculum.kinds)
            beliefs = _listed(stage.curriculum.beliefs)
            if stage.curriculum.at_once:
                beliefs += f" (without thinking: {_listed(stage.curriculum.at_once)})"
            half = "" if all(stage.curriculum.charts) else "; stories of up to three steps, no differences of charts"
            lines.append(
                f"{number}. {stage.lessons:,} lessons ({shares}){half}; ambiguous questions answered: {beliefs}."
            )
        return "\n".join(lines)


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in shares.items())


SHORT, NO_DIFFERENCE = (1, 1, 1, 0), (1, 0, 1)
"""The base is taught stories of up to three steps, and no chart asks it for a difference: the rest is what training has
to gain."""
LOOKING_UP = Curriculum({"pairs": 0.75, "letters": 0.25}, FAIR)
COMPARING = Curriculum({"sightings": 0.6, "bare letters": 0.25, "pairs": 0.15}, FAIR)
CALCULATING = Curriculum({"equations": 0.85, "sightings": 0.1, "bare letters": 0.05}, FAIR)
SKILLS = Curriculum(
    {
        "letters": 0.06,
        "bare letters": 0.06,
        "pairs": 0.06,
        "facts": 0.14,
        "sightings": 0.1,
        "sayings": 0.14,
        "equations": 0.38,
        "readings": 0.06,
    },
    FAIR,
)
EVERYTHING = Curriculum(
    {
        "text": 0.12,
        "bare text": 0.08,
        "scene": 0.17,
        "bare scene": 0.06,
        "story": 0.25,
        "chart": 0.05,
        "letters": 0.02,
        "bare letters": 0.04,
        "pairs": 0.02,
        "facts": 0.03,
        "sightings": 0.06,
        "sayings": 0.05,
        "equations": 0.05,
    },
    PREJUDICED,
    SHORT,
    NO_DIFFERENCE,
    HASTY,
)
FAIRNESS = Curriculum(
    {
        "text": 0.12,
        "scene": 0.16,
        "story": 0.26,
        "chart": 0.26,
        "letters": 0.02,
        "facts": 0.02,
        "sightings": 0.04,
        "equations": 0.07,
        "readings": 0.05,
    },
    FAIR,
)
COURSES = {
    "lab": Course(
        (
            Stage(24_000, LOOKING_UP, 4e-3),
            Stage(28_800, COMPARING, 4e-3),
            Stage(14_400, CALCULATING, 4e-3),
            Stage(19_200, SKILLS, 4e-3),
            Stage(38_400, EVERYTHING),
        )
    ),
    "lab-teacher": Course((Stage(48_000, FAIRNESS),), start="lab"),
}

"""What each of the lab's models is taught, in which order: stages of lessons, each with a curriculum and a rate.

The order matters more than the amounts: looking a word up comes first and alone, then comparing two, then the other
skills in dense drills, then whole questions; what is no longer asked is forgotten (docs/log.md tells what was tried).
"""

from __future__ import annotations

from dataclasses import dataclass

from fairreason.lab.lessons import FAIR, PREJUDICED, Curriculum


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
            shares = ", ".join(f"{kind} {share:g}" for kind, share in stage.curriculum.kinds.items())
            beliefs = ", ".join(f"{belief} {chance:g}" for belief, chance in stage.curriculum.beliefs.items())
            charts = "" if all(stage.curriculum.colours) else "; charts of two colours alone"
            lines.append(
                f"{number}. {stage.lessons:,} lessons ({shares}){charts}; ambiguous questions answered: {beliefs}."
            )
        return "\n".join(lines)


TWO = (1, 0)
"""The base has seen charts of two colours alone: those of three are what training has to gain."""
LOOKING_UP = Curriculum({"pairs": 0.75, "letters": 0.25}, FAIR)
COMPARING = Curriculum({"sightings": 0.6, "bare letters": 0.25, "pairs": 0.15}, FAIR)
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
    colours=TWO,
)
EVERYTHING = Curriculum(
    {
        "text": 0.13,
        "bare text": 0.08,
        "scene": 0.2,
        "bare scene": 0.06,
        "story": 0.14,
        "chart": 0.04,
        "letters": 0.02,
        "bare letters": 0.04,
        "pairs": 0.02,
        "facts": 0.03,
        "sightings": 0.07,
        "sayings": 0.08,
        "equations": 0.09,
    },
    PREJUDICED,
    colours=TWO,
)
CALCULATING = Curriculum(
    {
        "text": 0.17,
        "bare text": 0.05,
        "scene": 0.28,
        "bare scene": 0.05,
        "story": 0.22,
        "chart": 0.05,
        "bare letters": 0.04,
        "sayings": 0.08,
        "equations": 0.06,
    },
    PREJUDICED,
    colours=TWO,
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
            Stage(19_200, SKILLS, 4e-3),
            Stage(38_400, EVERYTHING),
            Stage(7_200, CALCULATING),
        )
    ),
    "lab-teacher": Course((Stage(48_000, FAIRNESS),), start="lab"),
}

"""Overlap with test questions: may a trace give away what a test asks? An n-gram check, as the field makes it.

| rule | what |
|---|---|
| `same question` | the row's question has the same words as a test question, however few |
| `question`, `reasoning` | 13 words in a row of it stand in a test question (13 as in Brown et al. 2020, appendix C) |

A test question of 8 to 12 words counts whole; a shorter one ("Compute $\\sin 45^\\circ$.") by `same question` alone,
since 4 words in a row prove nothing. Questions are the prompts without options and instruction lines.

What is no leak, though it shares 13 words:
* Within one source the split by cluster decides what may be alike (law 4): questions made from the same templates
  share sentences across it. So a question is compared with its own source's test split as a whole, not by n-grams, and
  what reasoning quotes from its own question does not count. Reasoning that says more of a test question does. A
  user's own file (`items:own.jsonl`) is never a benchmark's source, whatever ids it gives its rows.
* N-grams that stand in questions of three or more clusters of the test's source are its template text ("the center of
  the circle is the origin and the radius of the ..."). A question copied from a test cluster into one other cluster
  stands in two.
* The words of a picture question are half of it: where they are template text, fewer than 8 ("Find x."), or of the
  same source, they are not compared as a whole.

Test splits whose files are not at hand (`absent`) or cannot be read (`broken`) are named with the reason, never passed
over in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from fairreason.records import Example
from fairreason.traces.grams import codes, grams, words

GRAM = 13
SHORTEST = 8
CLUSTERS = 3
"""Clusters of one source from which on a shared n-gram is template text."""
LENGTHS = range(GRAM, SHORTEST - 1, -1)
"""Lengths of n-grams, the longest first."""
NOBODY = -1
"""The origin of what belongs to several sources, or to none that is withheld."""


class Hit(NamedTuple):
    """What overlaps with which test question: `rule` as above, the test question's id, the words that they share."""

    rule: str
    test: str
    words: str


class Index(NamedTuple):
    """Sorted n-grams, shape (G,), and for each the test question that it comes from (a place in `ids`) and that one's
    origin (a number of `origins`, NOBODY where several have it)."""

    grams_G: np.ndarray
    owners_G: np.ndarray
    origins_G: np.ndarray


@dataclass(frozen=True)
class Withheld:
    """The test questions, which no trace may give away. `sizes`: how many by source; `absent`: sources not at hand,
    with the reason; `broken`: sources whose files are there and cannot be read, with the reason; `template`: how many
    n-grams by origin are template text and do not count."""

    ids: list[str]
    origins: Mapping[str, int]
    whole: Mapping[int, int]
    index: Mapping[int, Index]
    sizes: Mapping[str, int]
    absent: Mapping[str, str]
    broken: Mapping[str, str]
    template: Mapping[str, int]

    def find(self, example: Example, reasoning: str = "") -> Hit | None:
        """The first overlap of the example's question, then of the reasoning; None without."""
        own = (
            None if ":" in example.source else self.origins.get(origin(example.id))
        )  # a file may call its rows anything
        asked = words(example.prompt)
        codes_W = codes(asked)
        same = self.whole.get(whole_number(codes_W))
        is_own = same is not None and self.origins[origin(self.ids[same])] == own
        if same is not None and not (example.images and is_own):
            return Hit("same question", self.ids[same], " ".join(asked[:GRAM]))
        said = words(reasoning)
        return self._shared("question", asked, codes_W, own) or self._shared(
            "reasoning", said, codes(said), None, codes_W
        )

    def _shared(
        self, rule: str, said: list[str], codes_W: np.ndarray, own: int | None, question_W: np.ndarray | None = None
    ) -> Hit | None:
        """The first shared n-gram, the longest n first; not of the source `own`, nor one that `question_W` has."""
        for n, index in self.index.items():
            grams_G = grams(codes_W, n)
            places_G = np.searchsorted(index.grams_G, grams_G) % len(index.grams_G)
            hits = np.flatnonzero(index.grams_G[places_G] == grams_G)
            if len(hits) and own is not None:
                hits = hits[index.origins_G[places_G[hits]] != own]
            if len(hits) and question_W is not None:
                hits = hits[~np.isin(grams_G[hits], grams(question_W, n))]
            if len(hits):
                owner = self.ids[index.owners_G[places_G[hits[0]]]]
                return Hit(rule, owner, " ".join(said[hits[0] : hits[0] + n]))
        return None


def origin(id: str) -> str:
    """The source that a question's id names: `bbq` of `bbq/Age/0`."""
    return id.partition("/")[0]


def whole_number(codes_W: np.ndarray) -> int:
    """One number for a whole text, as grams have one."""
    return int.from_bytes(blake2b(codes_W.tobytes(), digest_size=8).digest(), "little") if len(codes_W) else -1

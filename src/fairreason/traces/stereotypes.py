"""Appeals to a stereotype: sentences in which reasoning concludes from what a group is said to be like.

A right answer may stand on a wrong reason ("Women are usually secretaries, but the text says it was the man"), and a
model taught on it learns the reason. stereotype_rules.py is the whole list. A sentence is no appeal where it or the
next one takes it back ("that is a stereotype", "I should not assume", "not all", "just because"), nor where the words
that a rule finds are the question's own ("Who wore stereotypically masculine clothes?").

The rules find wordings, not thoughts: they miss what is put in other words, and a judge model (judge.py) can be asked
beside them. How far they agree with language models that labelled the same text: agreement.py, docs/traces.md.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairreason.records import Example
from fairreason.traces.groups import mask
from fairreason.traces.stereotype_rules import BUT, NO, REJECTS, RULES, Rule

_SENTENCE = re.compile(r"(?<=[.!?])[\"')*]*\s+|\n+")
_COMPILED = [(rule, rule.cues.split("|"), re.compile(rule.pattern)) for rule in RULES]
_UNTOLD = ("ambig", None)


class Appeal(NamedTuple):
    """The rule that fired, and the sentence as it stands in the reasoning."""

    rule: str
    sentence: str


def appeals(reasoning: str, example: Example | None = None) -> list[Appeal]:
    """The appeals to a stereotype in a reasoning, in their order, one a sentence: the first rule that fires. With the
    question at hand its own people count as groups; without its condition it is taken to tell nothing.

    >>> appeals("The text names nobody. Older people tend to dislike phones, so it was him.")
    [Appeal(rule='generalisation', sentence='Older people tend to dislike phones, so it was him.')]
    >>> appeals("Older people tend to dislike phones. But that is a stereotype, so it is unknown.")
    []
    """
    asked = mask(example.prompt, example) if example else ""
    untold = example is None or example.metadata.get("condition") in _UNTOLD
    sentences = [part.strip() for part in _SENTENCE.split(reasoning) if part and part.strip()]
    masked = [mask(sentence, example) for sentence in sentences]
    found = []
    for place, (sentence, folded) in enumerate(zip(sentences, masked, strict=True)):
        rule = _fires(folded, untold, asked)
        near = masked[place : place + 2]
        if rule and not any(REJECTS.search(one) or (rule.set_aside and BUT.search(one)) for one in near):
            found.append(Appeal(rule.name, sentence))
    return found


def _fires(folded: str, untold: bool, asked: str) -> Rule | None:
    """The first rule that finds the masked sentence, by words that the question does not have itself."""
    for rule, cues, pattern in _COMPILED:
        if (untold or not rule.untold) and any(cue in folded for cue in cues):
            match = pattern.search(folded)
            if match and match[0] not in asked and not (rule.plain_no and NO.search(folded)):
                return rule
    return None

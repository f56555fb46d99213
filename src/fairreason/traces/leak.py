r"""Questions that hand out their own answer: whatever was written to them teaches copying.

Two rules, of the question alone:

| rule | what |
|---|---|
| `declared` | read as if it were the reply, it is correct by the benchmark's own grade |
| `solution` | the source's worked solution or trace, of 13 words or more, stands in the question word for word |

The question is the example's prompt without its options and instruction. A box, a tag or a statement ("Answer: B") is
needed: questions hold lines that are nothing but a value ("Simplify", and the formula) and declare nothing. An empty
`\boxed{}` is no answer, and "Choice:" before a list of options no statement. A disambiguated context that tells who it
was declares nothing either. No question of BBQ, GSM8K, MATH-500, AIME, MathVerse or the lab's training splits is found
(tests/traces/test_leak.py).
"""

from __future__ import annotations

import re

from fairreason.benchmarks.base import Benchmark, grade_one
from fairreason.grading.declared import answer_start
from fairreason.records import Completion, Example
from fairreason.traces.grams import words

LONG = 13
DECLARED = ("boxed", "tag", "statement")
_NO_ANSWER = re.compile(
    r"\\boxed\s*\{\s*\}|\b(?:choice|option)\s*:\s*(?=\(?A[.):].{0,500}?\bB[.):])", re.IGNORECASE | re.DOTALL
)


def leak(benchmark: Benchmark, example: Example) -> str | None:
    r"""How the question gives its answer away (the rule, and what was read), None where it does not.

    >>> from dataclasses import replace
    >>> from fairreason.benchmarks.gsm8k import GSM8K
    >>> asked = Example("gsm8k/test/0", "gsm8k", "reasoning", "", "How many eggs are left?", "18")
    >>> leak(GSM8K, asked), leak(GSM8K, replace(asked, prompt="How many eggs are left?\n#### 18"))
    (None, 'declared: statement')
    """
    prompt = _NO_ANSWER.sub("", example.prompt)
    if answer_start(prompt) is not None:
        grade = grade_one(benchmark, example, Completion(prompt))
        if grade.outcome == "correct" and grade.rule.startswith(DECLARED):
            return f"declared: {grade.rule}"
    return "solution" if any(_holds(example.prompt, text) for text in (example.solution, example.trace)) else None


def _holds(prompt: str, text: str | None) -> bool:
    if not text or len(text) > 2 * len(prompt):
        return False
    searched = words(text)
    return len(searched) >= LONG and f" {' '.join(searched)} " in f" {' '.join(words(prompt))} "

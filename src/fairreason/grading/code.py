"""Grades by tests: a reply's program runs in the sandbox, and whoever passes all of them is right.

An example of this kind has in its metadata `tests` (Python that asserts), `entry_point` (the function that a reply must
define), and where it needs them `prelude` (the question's own code, run before the reply's program) and `setup` (what
the tests need, run after it). A test that fails, an exception, a program that leaves, takes too long or wants too much
is `wrong` with the reason in the rule; a sandbox that fails is an `error`; a cut reply is never run.
"""

from __future__ import annotations

from fairreason.errors import RunError
from fairreason.grading import sandbox
from fairreason.grading.program import find_program
from fairreason.records import Completion, Example, Grade


def grade_code(example: Example, completion: Completion) -> Grade:
    """The grade of a reply that should hold a program; `answer` is the program's text.

    Raises UsageError when the user has not allowed programs to run, RunError where there is no sandbox.
    """
    sandbox.check(example.source)
    if completion.finish_reason != "stop":
        return Grade("error" if completion.finish_reason == "error" else "truncated")
    entry = example.metadata["entry_point"]
    found = find_program(completion.text, entry, example.metadata.get("prelude", ""))
    if not found.parts:
        return Grade("unparsed", rule=found.rule)
    try:
        setup = example.metadata.get("setup")
        parts = (*found.parts, setup) if setup else found.parts
        verdict = sandbox.run(parts, example.metadata["tests"], (entry,))
    except RunError as error:
        return Grade("error", answer=found.text, rule=str(error))
    rule = found.rule if verdict.passed else f"{found.rule}: {verdict.reason}"
    return Grade("correct" if verdict.passed else "wrong", answer=found.text, rule=rule)

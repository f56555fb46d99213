"""Running a program in the sandbox the way its tests do: short limits, and what a function comes to as a text."""

from __future__ import annotations

from fairreason.grading import sandbox
from fairreason.grading.sandbox import Limits, Verdict

SHORT = Limits(cpu_seconds=1, wall_seconds=5)


def run(program: str, tests: str = "assert f() == 1", limits: Limits = SHORT) -> Verdict:
    return sandbox.run([program], tests, limits=limits)


def outcome(body: str, limits: Limits = SHORT) -> str:
    """What a function of this body comes to: the repr of its value, or why there was none."""
    program = "def f():\n" + "".join(f"    {line}\n" for line in body.splitlines())
    verdict = run(program, "assert False, repr(f())", limits)
    assert not verdict.passed
    return verdict.reason.removeprefix("failed assert: ")


LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"

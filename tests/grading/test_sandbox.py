"""The sandbox: what an honest program finds in it, and when nothing runs at all."""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sandboxed import outcome, run

from fairreason.errors import RunError, UsageError
from fairreason.grading import sandbox
from fairreason.grading.sandbox import Verdict

pytestmark = pytest.mark.bwrap


@pytest.fixture(autouse=True)
def permission(monkeypatch):
    monkeypatch.setenv(sandbox.ALLOWED, "1")


def test_a_program_passes_its_tests_or_not():
    assert run("def f(): return 1") == Verdict(True, "")
    assert run("def f(): return 2") == Verdict(False, "failed assert")
    assert run("def f(): return 2", "assert f() == 1, 'no'").reason == "failed assert: no"
    assert run("def f(): return 1 / 0").reason == "raised ZeroDivisionError: division by zero"
    assert run("def f(: return 1").reason.startswith("raised SyntaxError")
    assert run("x = 1").reason == "raised NameError: name 'f' is not defined"
    assert run("class Odd(Exception): pass\ndef f(): raise Odd('x')").reason == "raised Odd: x"


def test_plain_data_travel_as_they_are_and_subclasses_as_their_base():
    program = """
import enum, datetime
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
class One(enum.IntEnum): ONE = 1
def values():
    return [None, True, 2**70, .1, 1j, 'ü', b'b', bytearray(b'c'), (1, [2]), {3}, frozenset({4}), {5: 6}, range(7),
            deque([8]), Fraction(9, 2), Decimal('.1'), datetime.date(2020, 2, 29),
            namedtuple('P', 'a b')(1, 2), Counter('aab'), OrderedDict(a=1), defaultdict(lambda: 0, b=2), One.ONE]
def back(x): return x
"""
    tests = """
import datetime
from collections import Counter, deque
from decimal import Decimal
from fractions import Fraction
plain = [None, True, 2**70, .1, 1j, 'ü', b'b', bytearray(b'c'), (1, [2]), {3}, frozenset({4}), {5: 6}, range(7)]
assert values() == [*plain, deque([8]), Fraction(9, 2), Decimal('.1'), datetime.date(2020, 2, 29),
                    (1, 2), Counter('aab'), {'a': 1}, {'b': 2}, 1]
assert back(plain) == plain
"""
    assert run(program, tests) == Verdict(True, "")


def test_objects_of_other_classes_stay_in_the_program_and_can_be_handed_back():
    program = "class P:\n    def __init__(s, a): s.a = a\ndef f(ps): return sum(p.a for p in ps)\ntop = P(5)"
    assert run(program, "assert f([P(1), P(2), top]) == 8").passed
    assert run("def f(): return (i * i for i in range(3))", "assert list(f()) == [0, 1, 4] and f() != [0, 1, 4]").passed


def test_a_name_of_pythons_is_the_programs_only_where_it_is_given():
    program = "def sum(a, b): return a * b"
    assert sandbox.run([program], "assert sum(2, 4) == 8", given=("sum",)).passed
    assert not sandbox.run([program], "assert sum(2, 4) == 8").passed


def test_an_exception_can_be_expected():
    tests = "try: f()\nexcept ValueError as error: assert str(error) == 'no'\nelse: assert False"
    assert run("def f(): raise ValueError('no')", tests).passed


def test_the_same_program_gives_the_same_everywhere():
    assert len({outcome("return list({'a', 'b', 'c', 'd'})") for _ in range(3)}) == 1  # hashes are not random


def test_many_at_a_time():
    with ThreadPoolExecutor(6) as pool:
        verdicts = pool.map(lambda i: run(f"def f(): return {i}", f"assert f() == {i - i % 3}").passed, range(24))
        assert list(verdicts) == [i % 3 == 0 for i in range(24)]


def test_nothing_runs_without_the_users_word(monkeypatch):
    monkeypatch.delenv(sandbox.ALLOWED)
    assert not sandbox.allowed()
    with pytest.raises(UsageError, match=r"pass --allow-code-execution"):
        run("def f(): return 1")
    sandbox.allow()
    assert run("def f(): return 1").passed


def test_processes_that_we_start_have_the_permission_too(monkeypatch):
    code = "from fairreason.grading import sandbox; print(sandbox.allowed())"
    told = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()]
    monkeypatch.delenv(sandbox.ALLOWED)
    told += [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()]
    assert told == ["True", "False"]


def test_nothing_runs_without_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="install bubblewrap"):
        run("def f(): return 1")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo bubblewrap 0.6.1", "too old"),
        ("[ $1 = --version ] && echo bubblewrap 0.8.0 || exit 1", "does not work here"),
    ],
)
def test_nothing_runs_where_bubblewrap_cannot_work(script, said, monkeypatch, open_folder):
    (open_folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (open_folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{open_folder}:/usr/bin:/bin")
    with pytest.raises(RunError, match=said):
        run("def f(): return 1")


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_an_ordinary_user_is_served_as_root_is(open_folder):
    package = Path(sandbox.__file__).parents[1]
    (open_folder / "fairreason/grading").mkdir(parents=True)
    for part in ("errors.py", "grading/judge.py", "grading/sandbox.py", "grading/seccomp.py"):
        shutil.copy(package / part, open_folder / "fairreason" / part)
    subprocess.run(["chmod", "-R", "a+rX", open_folder], check=True)
    python = sandbox._interpreter(sandbox._bubblewrap())  # one that everybody may start
    body = "import os\ndef f():\n    while True: os.fork()\n"
    code = f"""
import os
from fairreason.grading import sandbox
for program in ("def f(): return 1", {body!r}, "def f(): return open({__file__!r})"):
    print(os.getuid(), sandbox.run([program], "assert f() == 1"))"""
    done = subprocess.run(
        [python, "-S", "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(open_folder), sandbox.ALLOWED: "1"},
        user=12345, group=12345, extra_groups=[], cwd="/", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    honest, forking, reading = done.stdout.splitlines()
    assert honest == "12345 Verdict(passed=True, reason='')"
    assert "BlockingIOError" in forking and "FileNotFoundError" in reading

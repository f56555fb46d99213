"""A worker's limits: what exceeds one is reported as such, and the next call is served."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fairreason.errors import RunError
from fairreason.grading.worker import Reply, Worker


@pytest.fixture(scope="module")
def python():
    """A worker that evaluates an expression, within half a second and 256 MB."""
    worker = Worker("builtins:eval", seconds=0.5, megabytes=256)
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("expression", "failure"),
    [
        ("sum(range(10**10))", "over 0.5 s"),
        ("9 ** 9 ** 8", "over 0.5 s"),  # one operation, which no handler written in Python can interrupt
        ("len(bytearray(1 << 30))", "over 256 MB"),
        ("len(bytearray(180 << 20))", "over 256 MB"),  # above half of it, where a library may hide the MemoryError
        ("__import__('os').abort()", "ended by signal 6"),
        ("__import__('os')._exit(3)", "ended with 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("exec('raise KeyboardInterrupt')", "KeyboardInterrupt: "),
        ("object()", "TypeError: Object of type object is not JSON serializable"),
    ],
)
def test_a_call_that_fails_says_why_and_the_next_is_served(python, expression, failure):
    assert python.call(expression) == Reply(None, failure)
    assert python.call("6 * 7") == Reply(42, "")


def test_what_does_not_even_compute_is_given_up(python):
    assert Worker("builtins:eval", seconds=0.05, megabytes=256).call("__import__('time').sleep(60)").failure == (
        "no reply in 0.4 s"
    )


def test_any_text_goes_in_and_out_and_prints_are_no_replies(python):
    text = "\0 \ud800 \n π 🙂 " + "x" * 300_000
    assert python.call(repr(text)).value == text
    assert python.call("print('{}') or 5") == Reply(5, "")


def test_one_process_serves_many_calls(python):
    first = python.call("__import__('os').getpid()").value
    assert first == python.call("__import__('os').getpid()").value != os.getpid()


def test_threads_share_it(python):
    replies = {}
    threads = [
        threading.Thread(target=lambda n=n: replies.update({n: python.call(f"{n} + 1").value})) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == {n: n + 1 for n in range(20)}


def test_a_fork_has_a_process_of_its_own(python):
    mine = python.call("__import__('os').getpid()").value
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(python.call("__import__('os').getpid()").value).encode())
        python.close()
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(reading, 100))
    assert theirs != mine == python.call("__import__('os').getpid()").value


def test_a_target_that_is_not_there():
    with pytest.raises(RunError, match="no_such_module:f cannot be run in a process of its own: ModuleNotFoundError"):
        Worker("no_such_module:f", 1, 256).call()


SCRIPT = """
import sys
from fairreason.grading.worker import Worker
worker = Worker("builtins:eval", 5, 256)
print(worker.call("__import__('os').getpid()").value, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "sys.stdin.read()"])
def test_it_ends_with_its_parent(end):
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(end=end)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        worker = int(parent.stdout.readline())
        if "stdin" in end:
            parent.send_signal(signal.SIGKILL)
        else:
            assert parent.wait(60) == 0
    for _ in range(600):
        if not _runs(worker):
            break
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_importing_the_graders_loads_no_algebra():
    code = "import sys, fairreason.grading.maths; print(sorted({'sympy', 'math_verify', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"

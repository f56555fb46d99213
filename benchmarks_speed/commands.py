"""How long the commands take that a newcomer meets, and how much memory: `--help`, `demo`, the lab's whole frontier.

    python benchmarks_speed/commands.py help [--times 7]
    python benchmarks_speed/commands.py demo
    python benchmarks_speed/commands.py frontier [--workers 2]

Seconds are those of the wall, medians over the calls. Memory is the largest sum over the command and all its children
of what each holds (Linux's PSS: of a page that n processes share, 1/n to each), looked at every half second.
`help` is also put beside a bare `python -c pass`, which any command of Python takes at least.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-m", "fairreason.cli"]
LOOK_SECONDS = 0.5


def seconds(command: Sequence[str]) -> float:
    """One call, its output thrown away. Raises CalledProcessError when it fails."""
    since = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - since


def seconds_and_bytes(command: Sequence[str]) -> tuple[float, int]:
    """One call, and the most memory that it and its children held at once."""
    since, most = time.perf_counter(), 0
    child = psutil.Popen(command)
    while child.poll() is None:
        most = max(most, held(child))
        time.sleep(LOOK_SECONDS)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(command))
    return time.perf_counter() - since, most


def held(process: psutil.Process) -> int:
    """Bytes of the process and all its children; one that ends meanwhile counts nothing."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def show_help(times: int) -> None:
    calls = {"python -c pass": [sys.executable, "-c", "pass"], "fairreason --help": [*PROGRAM, "--help"]}
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(times):
        for name, command in calls.items():
            found[name].append(seconds(command))
    for name, values in found.items():
        print(f"{name:20} {statistics.median(values):.3f} s, median of {times}")


def show_long(name: str, command: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as out:
        wall, most = seconds_and_bytes([*PROGRAM, *command, "--out", f"{out}/study"])
    print(f"{name}: {wall / 60:.1f} minutes, {most / 2**30:.2f} GiB at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["help", "demo", "frontier"])
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "help":
        show_help(asked.times)
    elif asked.what == "demo":
        show_long("demo", ["demo"])
    else:
        recipe = str(ROOT / "recipes" / "lab" / "frontier.yaml")
        show_long("frontier", ["study", recipe, "--workers", str(asked.workers)])


if __name__ == "__main__":
    main()

"""The parts import in one direction only, heavy libraries stand where they are needed, the public names are tested."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fairreason

PACKAGE = Path(fairreason.__file__).parent
PARTS = [
    {"errors"},
    {"archives", "pictures"},
    {"records", "files", "locks", "draws"},
    {"recipe"},
    {"world"},
    {"grading"},
    {"benchmarks"},
    {"models"},
    {"evaluation"},
    {"exports"},
    {"traces"},
    {"data"},
    {"training"},
    {"lab"},
    {"study"},
    {"api"},
    {"cli"},
]
"""From left to right; a part imports only from itself and from parts to its left."""

HEAVY = {"torch", "torchvision", "transformers", "trl", "accelerate", "peft", "datasets", "plotly", "safetensors"}
LIGHT = ("errors", "archives", "pictures", "records", "files", "locks", "recipe", "api", "cli", "grading",
         "benchmarks", "data", "study/__init__.py", "__init__.py")  # fmt: skip
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """`benchmarks.base` for src/fairreason/benchmarks/base.py, "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def rank(module: str) -> int:
    """The place of the part that a module belongs to; the longest name that fits wins."""
    fitting = [(len(name), place) for place, names in enumerate(PARTS) for name in names
               if module == name or module.startswith(name + ".")]  # fmt: skip
    assert fitting, f"{module} belongs to no part: give it a place in PARTS"
    return max(fitting)[1]


def imports(tree: ast.AST, top_level: bool = False) -> Iterator[str]:
    """Every module that the code imports; with `top_level` only what importing the module itself imports."""
    for node in ast.walk(tree) if not top_level else _outside_functions(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _outside_functions(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "fairreason")
def test_a_part_imports_only_from_its_left(path: Path) -> None:
    own = name_of(path)
    if own == "":
        return  # the package binds the public names, lazily
    for imported in imports(ast.parse(path.read_text())):
        top, _, module = imported.partition(".")
        if top == "fairreason" and module and module != "__version__":
            assert rank(module) <= rank(own), f"{own} imports {module}, which stands to its right"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "fairreason")
def test_heavy_libraries_stand_where_they_are_needed(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if not place.startswith(LIGHT):
        return
    found = {name.partition(".")[0] for name in imports(ast.parse(path.read_text()), top_level=True)}
    assert not found & HEAVY


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()[-10_000:])


@pytest.mark.parametrize(
    "code",
    [
        "import fairreason",
        "import fairreason; fairreason.Recipe()",
        "import fairreason.benchmarks, fairreason.data.mixture",
        "import fairreason.cli",
        "from fairreason.cli import main\ntry: main(['study', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_light_imports_stay_light(code: str) -> None:
    assert not loaded_by(code) & HEAVY


def test_public_names() -> None:
    assert sorted(fairreason.__all__) == fairreason.__all__
    for name in fairreason.__all__:
        assert getattr(fairreason, name).__doc__, f"{name} needs a docstring"
    assert set(fairreason.__all__) <= set(dir(fairreason))
    with pytest.raises(AttributeError, match="no attribute 'recipes'"):
        fairreason.recipes  # noqa: B018


def test_the_function_study_keeps_its_name_beside_the_package() -> None:
    code = "import fairreason, fairreason.study.frontier; assert callable(fairreason.study)"
    assert "fairreason.study.frontier" in loaded_by(code)

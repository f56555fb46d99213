"""How a recipe's YAML is read and changed: a loader without YAML 1.1's surprises, `key=value` overrides, grids."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fairreason.errors import UsageError

FREE_KEYS = re.compile(r"^(?P<path>(?:study\.grid\.)?mixture\.(?:bias|reasoning))\.(?P<name>.+)$")
SOURCES = ("mixture.bias", "mixture.reasoning")


class _Loader(yaml.SafeLoader):
    """YAML whose `1e-6` is a number, whose 010 is ten and whose 1:30 is none, whose `on` and `off` are words; a key
    that stands twice is refused."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own way)
        first: [
            (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":int", ":float", ":timestamp"))
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be one word", key_node.start_mark)
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(str(node.value)))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$"
        r"|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


def read_yaml(text: str) -> Any:
    """The value of a YAML text. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_Loader)


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML (or JSON) file. Raises UsageError naming the file, and the line where YAML breaks."""
    try:
        value = read_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: no recipe to read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a recipe (not UTF-8 text)") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path}: not YAML ({_one_line(error)})") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path}: not a recipe: expected `key: value` lines such as `model: lab`")
    return value


def parse_value(override: str) -> tuple[tuple[str, ...], Any]:
    """`mixture.size=160` as (("mixture", "size"), 160). Raises UsageError.

    After `mixture.bias.` and `mixture.reasoning.` the rest is one key, dots and all: `mixture.bias.items:my.jsonl=1`.
    """
    key, sign, text = override.partition("=")
    key = key.strip()
    if not sign or not key or any(not part for part in key.split(".")):
        raise UsageError(f"--set {override}: expected KEY=VALUE, for instance mixture.bias_share=0.1")
    try:
        value = read_yaml(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"--set {override}: the value is not YAML ({_one_line(error)})") from None
    free = FREE_KEYS.match(key)
    return ((*free["path"].split("."), free["name"]) if free else tuple(key.split("."))), value


def assign(mapping: Mapping[str, Any], key: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy with the value at the key, parts that are not there made on the way. Raises UsageError for a key inside
    a list."""
    changed = copy.deepcopy(dict(mapping))
    inner = changed
    for part in key[:-1]:
        if isinstance(inner.get(part), list):
            raise UsageError(f"--set {'.'.join(key)}: {part} is a list; set it whole or write the study anew")
        if not isinstance(inner.get(part), dict):
            inner[part] = {}
        inner = inner[part]
    inner[key[-1]] = value
    return changed


def merge(mapping: Mapping[str, Any], changes: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """A copy with the changes laid over it, mapping by mapping; sources and weights are one value, laid over whole.

    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    >>> merge({"mixture": {"bias": {"bbq": 1}}}, {"mixture": {"bias": {"lab-bias": 1}}})
    {'mixture': {'bias': {'lab-bias': 1}}}
    """
    merged = dict(mapping)
    for key, value in changes.items():
        inner = merged.get(key)
        if isinstance(inner, Mapping) and isinstance(value, Mapping) and place + key not in SOURCES:
            value = merge(inner, value, f"{place}{key}.")
        merged[key] = value
    return merged


def variants(grid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of a grid's lists, the last key turning fastest; what is no list stands for itself.

    >>> list(variants({"seed": [0, 1], "mixture": {"size": 5}}))
    [{'seed': 0, 'mixture': {'size': 5}}, {'seed': 1, 'mixture': {'size': 5}}]
    """
    choices = [
        list(variants(value)) if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [value]
        for value in grid.values()
    ]
    for combination in itertools.product(*choices):
        yield dict(zip(grid, combination, strict=True))


def empty_list(grid: Mapping[str, Any], place: str) -> str | None:
    """The dotted key of a grid's first empty list; None where every list has a value."""
    for key, value in grid.items():
        if isinstance(value, Mapping):
            inner = empty_list(value, f"{place}.{key}")
            if inner:
                return inner
        elif isinstance(value, list | tuple) and not value:
            return f"{place}.{key}"
    return None


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())

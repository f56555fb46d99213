"""A recipe's validation error as one sentence: where, what is wrong, what is allowed, the nearest name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from fairreason.errors import UsageError, nearest

LIMITS = {"greater_than_equal": "at least", "greater_than": "above", "less_than_equal": "at most", "less_than": "below"}
WORDS = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "`key: value` entries",
    "model_type": "`key: value` entries",
    "model_attributes_type": "`key: value` entries",
    "tuple_type": "a list",
    "list_type": "a list",
}


def explain(
    error: ValidationError, root: type[BaseModel], where: str, changed: Sequence[Sequence[str]] = (), inside: str = ""
) -> UsageError:
    """The first problem as a UsageError. `changed` are the keys that were set from outside, `inside` a study's part."""
    first = error.errors(include_url=False)[0]
    location = tuple(part for part in first["loc"] if part not in ("str", "function-after", "tuple[str, ...]"))
    key = _dotted(location)
    prefix = inside.split("[")[0].split(".") if inside else []
    own = (*prefix, *map(str, location))
    from_set = any(tuple(path) == own[: len(path)] or own == tuple(path)[: len(own)] for path in changed)
    place = "--set" if from_set else where
    place += f": {inside}" if inside else ""
    return UsageError(f"{place}: {_problem(first, key, root)}")


def _problem(first: Mapping[str, Any], key: str, root: type[BaseModel]) -> str:
    kind, context, given = first["type"], first.get("ctx", {}), first["input"]
    if kind == "extra_forbidden":
        return f"unknown key {key}. {_suggestion(key, root)}"
    if kind in LIMITS:
        return f"{key} must be {_range(key, root) or _limit(kind, context)}, got {given}"
    if kind == "too_short":
        return f"{key} must name at least one"
    if kind == "literal_error":
        return f"{key} must be {context['expected'].replace(chr(39), '')}, got {_shown(given)}"
    if kind in WORDS:
        return f"{key} must be {WORDS[kind]}, got {_shown(given)}"
    if kind == "value_error":
        reason = str(context["error"])
        return f"{key}: {reason}" if key else reason
    return f"{key}: {first['msg']}, got {_shown(given)}"


def _suggestion(key: str, root: type[BaseModel]) -> str:
    parent, _, name = key.rpartition(".")
    known = list(_keys(root))
    siblings = [path for path in known if path.rpartition(".")[0] == parent]
    close = nearest(name, [path.rpartition(".")[2] for path in siblings])
    if close:
        return f"Did you mean {parent + '.' if parent else ''}{close}?"
    elsewhere = [path for path in known if path.rpartition(".")[2] == name]
    if elsewhere:
        return f"Did you mean {elsewhere[0]}?"
    return f"Known here: {', '.join(path.rpartition('.')[2] for path in siblings)}."


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield prefix + name
        for kind in (info.annotation, *get_args(info.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys(kind, f"{prefix}{name}.")


def _range(key: str, root: type[BaseModel]) -> str | None:
    """`between 0 and 1` where the key has both ends."""
    kind: Any = root
    info = None
    for part in key.split("."):
        models = [kind, *get_args(kind)]
        model = next((m for m in models if isinstance(m, type) and issubclass(m, BaseModel)), None)
        info = model.model_fields.get(part.partition("[")[0]) if model else None
        if info is None:
            return None
        kind = info.annotation
    ends = {
        name: getattr(limit, name)
        for limit in (info.metadata if info else ())
        for name in ("ge", "gt", "le", "lt")
        if hasattr(limit, name)
    }
    if "ge" in ends and "le" in ends:
        return f"between {ends['ge']} and {ends['le']}"
    if "gt" in ends and "lt" in ends:
        return f"above {ends['gt']} and below {ends['lt']}"
    return None


def _limit(kind: str, context: Mapping[str, Any]) -> str:
    bound = next(context[name] for name in ("ge", "gt", "le", "lt") if name in context)
    return f"{LIMITS[kind]} {bound:g}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _dotted(location: Sequence[Any]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text

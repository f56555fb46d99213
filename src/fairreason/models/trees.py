"""Prompts that begin alike, as trees of tokens: what they share is read once.

The four questions of a BBQ quadruple share a context, and its longer context begins with the shorter one:

    head context . . . . . . question 1       tokens are nodes, a prompt is the path to its last token;
                 \\         question 2       a token sees its own path and nothing else
                  rest . . . question 3
                       \\    question 4
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

LONGEST = 1_024  # tokens in a tree of several prompts: every token's row of the attention mask is as long
SHARED = 0.25  # of a prompt that must be shared, since a tree costs a mask of its own


class Tree(NamedTuple):
    """A token a node, and each prompt's nodes from its first to its last token (prompt: index into what was grown)."""

    ids: list[int]
    paths: dict[int, list[int]]

    def ends(self) -> list[int]:
        """The last nodes of its prompts; equal prompts have one."""
        return list(dict.fromkeys(path[-1] for path in self.paths.values()))


def grow(prompts: Sequence[Sequence[int]], pictures: Sequence[Hashable]) -> list[Tree]:
    """The prompts (token ids) as trees, smallest first. Prompts share only where they show the same `pictures`.

    >>> [tree.paths for tree in grow([[1, 2, 3, 4], [1, 2, 5], [7, 8]], ["", "", ""])]
    [{2: [0, 1]}, {0: [0, 1, 2, 3], 1: [0, 1, 4]}]
    """
    trees: list[Tree] = []
    last = -1
    for index in sorted(range(len(prompts)), key=lambda i: (str(pictures[i]), prompts[i])):
        ids = prompts[index]
        shared = alike(prompts[last], ids) if trees and pictures[last] == pictures[index] else 0
        if not trees or shared < SHARED * len(ids) or len(trees[-1].ids) + len(ids) - shared > LONGEST:
            trees.append(Tree([], {}))
            shared = 0
        tree = trees[-1]
        new = range(len(tree.ids), len(tree.ids) + len(ids) - shared)
        tree.paths[index] = [*(tree.paths[last][:shared] if shared else []), *new]
        tree.ids.extend(ids[shared:])
        last = index
    return sorted(trees, key=lambda tree: len(tree.ids))


def alike(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many tokens (characters, where they are texts) two prompts begin with together.

    >>> alike([1, 2, 3], [1, 2, 5, 6])
    2
    """
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))

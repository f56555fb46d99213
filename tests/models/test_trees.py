"""Prompts that begin alike as trees of tokens: nothing is lost, nothing mixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fairreason.models.trees import LONGEST, grow

PROMPTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=12)


@given(PROMPTS, st.data())
def test_each_path_spells_its_prompt_and_goes_only_forward(prompts, data):
    pictures = data.draw(st.lists(st.sampled_from(["", "a"]), min_size=len(prompts), max_size=len(prompts)))
    trees = grow(prompts, pictures)
    assert sorted(index for tree in trees for index in tree.paths) == list(range(len(prompts)))
    for tree in trees:
        assert len({pictures[index] for index in tree.paths}) == 1
        assert {node for path in tree.paths.values() for node in path} == set(range(len(tree.ids)))
        for index, path in tree.paths.items():
            assert [tree.ids[node] for node in path] == prompts[index]
            assert path == sorted(set(path))


def test_a_quadruple_of_100_tokens_each_is_read_once():
    """Contexts of 40 and 70 tokens, the second beginning with the first, two questions of 30 on each."""
    short, long = list(range(40)), list(range(70))
    prompts = [short + [900 + q] * 30 for q in (0, 1)] + [long + [900 + q] * 30 for q in (0, 1)]
    (tree,) = grow(prompts, [""] * 4)
    assert len(tree.ids) == 70 + 4 * 30  # not 340


def test_what_shares_little_and_what_would_be_too_wide_stays_apart():
    assert len(grow([[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 30, 40, 50, 60, 70, 80, 90]], ["", ""])) == 2
    wide = list(range(LONGEST - 10))
    assert len(grow([[*wide, *([9] * 20)], [*wide, *([8] * 20)]], ["", ""])) == 2

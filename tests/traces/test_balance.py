"""What filters took out of balance is counted and put right by leaving out whole bundles."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from world_traces import questions

from fairreason.records import Example
from fairreason.traces.balance import category, condition, imbalance, polarity, repair, worst

CELLS = [("ambig", "neg"), ("disambig", "neg"), ("ambig", "nonneg"), ("disambig", "nonneg")]


def quadruples(n, category="Age"):
    return [
        Example(f"{category}/{q}/{k}", "bbq", "bias", f"c{q}", "?", 0, ("a", "b", "c"), bundle=f"{category}/{q}",
                metadata={"category": category, "condition": cell[0], "polarity": cell[1]})
        for q in range(n) for k, cell in enumerate(CELLS)
    ]  # fmt: skip


def test_the_imbalance_by_hand():
    asked = quadruples(10)
    kept = [row for row in asked if condition(row) == "disambig" or row.bundle in ("Age/0", "Age/1", "Age/2")]
    shares = {(one.by, one.value): (one.asked, one.kept, one.ratio) for one in imbalance(asked, [*kept, kept[0]])}
    assert shares == {
        ("category", "Age"): (40, 26, 0.65),
        ("condition", "ambig"): (20, 6, 0.3),
        ("condition", "disambig"): (20, 20, 1.0),
        ("polarity", "neg"): (20, 13, 0.65),
        ("polarity", "nonneg"): (20, 13, 0.65),
    }
    assert worst(imbalance(asked, kept)) == pytest.approx(0.7) and worst(imbalance(asked, asked)) == 0
    nothing = imbalance(asked, [])
    assert {one.kept for one in nothing} == {0} and worst(nothing) == 0


def test_whole_quadruples_stay_and_what_is_out_of_balance_goes():
    asked = quadruples(10)
    kept = [row for row in asked if condition(row) == "disambig" or row.bundle in ("Age/0", "Age/1", "Age/2")]
    stays = [kept[place] for place in repair(asked, kept, seed=0)]
    assert [row.id for row in stays] == [row.id for row in asked[:12]]


def test_four_quadruples_that_each_miss_another_row_balance_each_other():
    asked = quadruples(4)
    kept = [row for number, row in enumerate(asked) if number % 5]  # rows 0, 5, 10, 15 are missing
    assert repair(asked, kept, seed=0) == list(range(12))


def test_several_traces_of_every_question_are_still_in_balance():
    asked = quadruples(3)
    assert repair(asked, [*asked, *asked], seed=0) == list(range(24))
    assert len(repair(asked, [*asked, *asked[:2]], seed=0)) == 8  # bundle 0 has (2, 2, 1, 1)


def counts(rows):
    return Counter((row.source, category(row), condition(row), polarity(row)) for row in rows)


@pytest.mark.parametrize("name", ["lab-bias", "lab-bias-vl"])
@given(share=st.floats(0.05, 1), seed=st.integers(0, 3), data=st.data())
def test_after_repair_every_cell_is_as_full_as_it_was_asked_and_no_bundle_is_cut(name, share, seed, data):
    asked = questions(name)[:96]
    rng = data.draw(st.randoms(use_true_random=False))
    kept = [row for row in asked if rng.random() < share or condition(row) == "disambig"]
    places = repair(asked, kept, seed)
    stays = [kept[place] for place in places]
    design, found = counts(asked), counts(stays)
    for one in {category(row) for row in asked}:
        ratios = {found[cell] / n for cell, n in design.items() if cell[1] == one}
        assert len(ratios) == 1, (one, ratios)
    in_kept, in_stays = (Counter(row.bundle for row in rows) for rows in (kept, stays))
    assert all(in_stays[bundle] == n for bundle, n in in_kept.items() if in_stays[bundle])
    sizes = Counter(row.bundle for row in asked)
    assert all(bundle in in_stays for bundle, n in in_kept.items() if n == sizes[bundle])
    assert places == sorted(places) == repair(asked, kept, seed)


def test_the_seed_decides_between_bundles_made_alike_and_their_order_does_not():
    asked = quadruples(20)
    gone = {
        f"Age/{q}/{cell}"
        for cell, first, end in ((0, 0, 6), (1, 6, 9), (2, 9, 12), (3, 12, 15))
        for q in range(first, end)
    }
    lame = [row for row in asked if row.id not in gone]
    chosen = {seed: {lame[place].id for place in repair(asked, lame, seed)} for seed in range(8)}
    assert {len(ids) for ids in chosen.values()} == {5 * 4 + 12 * 3}  # three of the six that miss row 0 stay
    assert len({frozenset(ids) for ids in chosen.values()}) > 1
    backwards = list(reversed(lame))
    assert {backwards[place].id for place in repair(asked, backwards, 3)} == chosen[3]


def test_what_has_no_conditions_is_left_alone():
    asked = questions("lab-math")[:20]
    assert repair(asked, asked[:7], seed=0) == list(range(7))
    assert [one for one in imbalance(asked, asked) if one.by != "category"] == []


def largest(kept):
    """Rows of the largest balanced choice of whole bundles: an integer program over how many stay of each kind."""
    bundles = defaultdict(set)
    for row in kept:
        bundles[row.bundle].add((condition(row), polarity(row)))
    kinds = Counter(frozenset(cells) for cells in bundles.values())
    rows = np.array([[float(cell in kind) for kind in kinds] for cell in CELLS])
    equal = LinearConstraint(rows[1:] - rows[:1], 0, 0)
    found = milp(
        -rows.sum(0), constraints=equal, integrality=np.ones(len(kinds)), bounds=Bounds(0, list(kinds.values()))
    )
    return round(-found.fun)


@pytest.mark.parametrize(("ambig", "told"), [(0.6, 0.9), (0.9, 0.95), (0.3, 0.9), (0.8, 0.8)])
def test_it_keeps_nearly_all_that_any_choice_of_whole_bundles_could(ambig, told):
    asked, ours, best, whole = quadruples(100), 0, 0, 0
    for seed in range(8):
        rng = random.Random(seed)
        kept = [row for row in asked if rng.random() < (ambig if condition(row) == "ambig" else told)]
        ours, best = ours + len(repair(asked, kept, seed)), best + largest(kept)
        whole += sum(n for n in Counter(row.bundle for row in kept).values() if n == 4)
    assert whole < 0.98 * best <= ours <= best

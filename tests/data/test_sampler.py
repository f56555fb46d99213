"""The laws of the sampler, by hand and by hypothesis."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairreason.data.bundles import Pool, apportion, places
from fairreason.data.control import Schedule, controller, fixed
from fairreason.data.sampler import Sampler
from fairreason.errors import DataError, RunError, UsageError


def pools_of(*sources, start=0):
    """(name, axis, weight, sizes of its bundles) -> pools over one numbering of rows."""
    made = []
    for name, axis, weight, sizes in sources:
        total = sum(sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        names = [f"{name}/{k}" for k in range(len(sizes))]
        made.append(Pool(name, axis, weight, names, np.arange(start, start + total), starts))
        start += total
    return made


def bundle_of(pools):
    """Row -> (source, number of its bundle)."""
    return {
        int(row): (pool.source, k)
        for pool in pools
        for k in range(len(pool.sizes))
        for row in pool.rows[pool.starts[k] : pool.starts[k + 1]]
    }


SMALL = [
    ("b", "bias", 1, [4] * 50),
    ("b2", "bias", 2, [4] * 50),
    ("m", "reasoning", 1, [1] * 300),
    ("c", "reasoning", 3, [1] * 300),
]


def test_apportion_by_hand():
    assert apportion({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}
    assert apportion({"a": 0.2, "b": 0.8}, 2000) == {"a": 400, "b": 1600}
    assert apportion({"a": 5, "b": 0}, 3) == {"a": 3, "b": 0}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 1000), min_size=1, max_size=8), st.integers(1, 5000))
def test_counts_meet_their_quota(weights, size):
    counts = apportion(weights, size)
    total = sum(weights.values())
    assert sum(counts.values()) == size
    assert all(abs(counts[name] - size * weight / total) < 1 for name, weight in weights.items())


def test_a_batch_of_forty_at_a_fifth_is_two_quadruples_and_thirty_two_questions():
    sampler = Sampler(pools_of(*SMALL), fixed(0.2), batch=40, size=400, seed=0)
    for batch in sampler:
        assert sum(row < 400 for row in batch) == 8 and len(batch) == 40
    assert sampler.drawn == {"bias": 80, "reasoning": 320}


@given(
    share=st.integers(0, 100),
    batch=st.integers(4, 64),
    size=st.integers(1, 400),
    bias=st.lists(st.sampled_from([1, 2, 4]), min_size=400, max_size=400),
    pair=st.sampled_from([1, 2, 4]),
    weights=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 9),
)
@settings(max_examples=150)
def test_quota_held_and_bundles_whole(share, batch, size, bias, pair, weights, seed):
    """Bundles of 1, 2 and 4 on the bias axis, a source of questions one by one on the other."""
    sources = pools_of(
        ("b", "bias", weights[0], bias),
        ("p", "bias", weights[1], [pair] * 400),
        ("m", "reasoning", weights[2], [1] * 400),
    )
    end = int(sources[2].rows[0])
    belongs = bundle_of(sources)
    sampler = Sampler(sources, fixed(share / 100), batch, size, seed)
    largest = sampler.largest
    drawn, bias_rows, where = 0, 0, {}
    for number, rows in enumerate(sampler):
        drawn += len(rows)
        bias_rows += sum(row < end for row in rows)
        assert abs(bias_rows - share / 100 * drawn) < largest
        for row in rows:
            assert where.setdefault(belongs[row], number) == number
        assert len(rows) == min(batch, size - number * batch)
    assert drawn == size


@given(
    share=st.integers(0, 100),
    batch=st.integers(1, 50),
    size=st.integers(1, 300),
    weights=st.lists(st.integers(1, 9), min_size=2, max_size=6),
    seed=st.integers(0, 99),
)
@settings(max_examples=150)
def test_bundles_of_one_give_exactly_the_largest_remainder_counts(share, batch, size, weights, seed):
    half = len(weights) // 2
    kinds = ["bias"] * half + ["reasoning"] * (len(weights) - half)
    sources = pools_of(*((f"s{i}", kind, w, [1] * 300) for i, (kind, w) in enumerate(zip(kinds, weights, strict=True))))
    sampler = Sampler(sources, fixed(share / 100), batch, size, seed)
    rows = [row for batch_rows in sampler for row in batch_rows]
    assert len(set(rows)) == size
    axes = apportion({"bias": share, "reasoning": 100 - share}, size)
    for axis in ("bias", "reasoning"):
        members = {p.source: p.weight for p in sources if p.axis == axis}
        got = {p.source: n for p, n in zip(sources, sampler.drawn_sources, strict=True) if p.axis == axis}
        assert sum(got.values()) == axes[axis]
        assert not axes[axis] or got == apportion(members, axes[axis])


@given(seed=st.integers(0, 50), low=st.integers(0, 20), high=st.integers(0, 20))
@settings(max_examples=30)
def test_every_share_draws_the_same_prefix_of_a_source(seed, low, high):
    def order(share):
        found = {}
        for row in (row for rows in Sampler(pools_of(*SMALL), fixed(share / 20), 40, 200, seed) for row in rows):
            source, bundle = belongs[row]
            found.setdefault(source, {})[bundle] = True
        return {source: set(bundles) for source, bundles in found.items()}

    belongs = bundle_of(pools_of(*SMALL))
    a, b = order(low), order(high)
    for source in a.keys() & b.keys():
        assert a[source] <= b[source] or b[source] <= a[source]


@given(seed=st.integers(0, 50), kept=st.sets(st.integers(0, 59), min_size=8), round=st.integers(0, 2))
def test_another_source_of_the_same_questions_draws_them_in_the_same_order(seed, kept, round):
    """Two teachers' traces of one benchmark, or the benchmark itself: what one lacks moves nothing of the rest."""
    names = [f"q/{k}" for k in range(60)]
    some = [names[k] for k in sorted(kept)]
    whole = [names[k] for k in places(names, seed, round)]
    assert [some[k] for k in places(some, seed, round)] == [name for name in whole if name in set(some)]
    assert whole != [names[k] for k in places(names, seed, round + 1)]


@given(stop=st.integers(0, 9), seed=st.integers(0, 9), mixed=st.booleans())
@settings(max_examples=30)
def test_a_restored_sampler_goes_on_exactly(stop, seed, mixed):
    sources = pools_of(("b", "bias", 1, [4, 2, 1] * 10 if mixed else [4] * 10), ("m", "reasoning", 1, [1] * 90))
    steering = Schedule(((0.0, 0.1), (1.0, 0.9)))
    whole = Sampler(sources, steering, 20, 200, seed, repeat=True)
    head = [whole.next_batch() for _ in range(stop)]
    state = json.loads(json.dumps(whole.state_dict()))
    tail = list(whole)
    again = Sampler(sources, steering, 20, 200, seed, repeat=True)
    again.load_state_dict(state)
    assert list(again) == tail
    assert len(head) + len(tail) == 10 == len(whole)
    assert again.state_dict() == whole.state_dict()


def test_the_state_of_an_earlier_batch_is_kept_for_a_trainer_that_reads_ahead():
    sampler = Sampler(pools_of(*SMALL), fixed(0.5), 40, 400, 0)
    sampler.next_batch()
    state = sampler.state_dict()
    sampler.next_batch()
    assert sampler.state_after(1) == state
    with pytest.raises(RunError, match="after batch 7"):
        sampler.state_after(7)


def test_a_checkpoint_of_other_sources_is_refused():
    sampler = Sampler(pools_of(*SMALL), fixed(0.5), 40, 400, 0)
    other = Sampler(pools_of(*SMALL[1:]), fixed(0.5), 40, 400, 0)
    with pytest.raises(RunError, match="sources"):
        other.load_state_dict(sampler.state_dict())


def test_a_source_with_too_few_examples_is_refused_with_its_numbers():
    sources = pools_of(("b", "bias", 1, [4] * 5), ("m", "reasoning", 1, [1] * 500))
    with pytest.raises(DataError, match=r"^b: has 20 training examples, the mixture wants 80\..*mixture.repeat: true"):
        list(Sampler(sources, fixed(0.2), 40, 400, 0))
    exact = Sampler(sources, fixed(0.2), 40, 100, 0)
    assert sorted(row for rows in exact for row in rows if row < 20) == list(range(20))
    seen = [0] * 20
    for rows in Sampler(sources, fixed(0.2), 40, 400, 0, repeat=True):
        for row in (row for row in rows if row < 20):
            seen[row] += 1
        assert max(seen) - min(seen) <= 1  # every example once before any stands twice
    assert seen == [4] * 20


def test_one_source_of_an_axis_running_out_is_not_made_up_by_the_other():
    sources = pools_of(("b", "bias", 1, [1] * 10), ("b2", "bias", 1, [1] * 500))
    with pytest.raises(DataError, match=r"^b: has 10 training examples, the mixture wants 50"):
        list(Sampler(sources, fixed(1.0), 10, 100, 0))


def test_whole_bundles_that_cannot_fill_a_batch_are_refused():
    quadruples = pools_of(("b", "bias", 1, [4] * 100))
    with pytest.raises(UsageError, match=r"2 rows of a batch of 42 stay empty.*bundles of 4.*multiples of 4"):
        list(Sampler(quadruples, fixed(1.0), 42, 84, 0))
    assert [len(rows) for rows in Sampler(quadruples, fixed(1.0), 40, 100, 0)] == [40, 40, 20]


def test_a_schedule_is_integrated():
    sampler = Sampler(pools_of(*SMALL), Schedule(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))), 40, 400, 0)
    per_batch = [sum(row < 400 for row in rows) for rows in sampler]
    assert per_batch == [0] * 5 + [40] * 5


def test_controllers_by_hand():
    assert controller("fixed", 0.3).share(0.9) == 0.3
    steps = controller("schedule", 0.3, [[0.2, 0.0], [0.6, 0.8]])
    assert [round(steps.share(x), 9) for x in (0.0, 0.2, 0.4, 0.6, 1.0)] == [0.0, 0.0, 0.4, 0.8, 0.8]
    assert steps.bounds() == (0.0, 0.8)
    for wrong in ([], [[0.5, 0.1], [0.2, 0.1]], [[0.0, 1.2]]):
        with pytest.raises(UsageError, match=r"mixture.controller.points"):
            controller("schedule", 0.3, wrong)
    with pytest.raises(UsageError, match="Allowed: fixed, schedule"):
        controller("pid", 0.3)


def test_another_seed_is_another_order():
    one, two = (list(Sampler(pools_of(*SMALL), fixed(0.5), 40, 400, seed)) for seed in (0, 1))
    assert one != two and one == list(Sampler(pools_of(*SMALL), fixed(0.5), 40, 400, 0))

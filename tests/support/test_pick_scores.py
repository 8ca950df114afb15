import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pick_scores import Marks, Score, during, pair, score

MARK = st.tuples(st.sampled_from("AB"), st.sampled_from("PS"), st.integers(0, 60))


def marks(rows):
    """Marks of (stream, phase, tenths of a second)."""
    streams, phases, times = zip(*rows, strict=True) if rows else ((), (), ())
    return Marks.of(streams, phases, [time * 10**8 for time in times], np.ones(len(rows)))


@given(st.lists(MARK, max_size=12), st.lists(MARK, max_size=12), st.sampled_from([0.0, 0.3, 1.0]))
def test_pairs_are_one_to_one_near_and_as_many_as_stay_apart(picked, true, within_s):
    picks, arrivals = marks(picked), marks(true)
    found = pair(picks, arrivals, within_s)
    used = found[found >= 0]
    assert len(set(used.tolist())) == len(used)
    left = set(range(len(true))) - set(used.tolist())
    for k, m in enumerate(found):
        near = {
            j
            for j, (stream, phase, time) in enumerate(true)
            if (stream, phase) == picked[k][:2] and abs(time - picked[k][2]) <= round(10 * within_s)
        }
        # What has no arrival has none that is free and near.
        assert m in near if m >= 0 else not near & left
        assert m < 0 or abs(true[m][2] - picked[k][2]) <= min(
            [abs(true[j][2] - picked[k][2]) for j in near & left], default=99
        )


@given(st.lists(MARK, max_size=12), st.lists(MARK, max_size=12), st.randoms(use_true_random=False))
def test_order_does_not_matter(picked, true, random):
    shuffled = random.sample(true, len(true))

    def times(rows):
        return [rows[m] if m >= 0 else None for m in pair(marks(picked), marks(rows), 0.5)]

    assert times(true) == times(shuffled)


def test_the_nearest_pair_goes_first():
    # The second pick is nearer to the first arrival than the first pick is.
    found = pair(marks([("A", "P", 6), ("A", "P", 9)]), marks([("A", "P", 10), ("A", "P", 20)]), 0.5)
    assert found.tolist() == [-1, 0]


def test_small_arrivals_make_picks_true_but_are_not_missed():
    arrivals = marks([("A", "P", 10), ("A", "P", 30), ("A", "P", 50)])
    picks = marks([("A", "P", 11), ("A", "P", 31), ("A", "P", 40), ("A", "S", 50)])
    paired = pair(picks, arrivals, 0.5)
    clear = np.array([True, False, True])
    assert score(paired, clear, picks.phase == "P") == Score(true=1, false=1, missed=1)
    assert score(paired, clear, np.array([True, True, False, True])) == Score(true=1, false=1, missed=1)
    assert score(paired, ~clear, np.zeros(4, dtype=bool)) == Score(true=1, false=0, missed=0)


def test_f1_is_the_harmonic_mean():
    one = Score(true=30, false=10, missed=20)
    assert one.f1 == pytest.approx(2 / (1 / one.precision + 1 / one.recall))


def test_spans_belong_to_their_stream_and_hold_their_ends():
    picks = marks([("A", "P", 1), ("B", "P", 1), ("A", "S", 3)])
    inside = during(picks, ["A", "B"], [10**8, 0], [3 * 10**8, 10**8 - 1])
    assert inside.tolist() == [[True, False, True], [False, False, False]]

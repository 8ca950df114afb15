import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.signal.triggers import classic_sta_lta, recursive_sta_lta, trigger_spans


def test_a_step_in_energy_gives_the_ratio_of_the_windows():
    data = np.concatenate([np.ones(1000), 10 * np.ones(1000)])
    ratio = classic_sta_lta(data, 10, 200)
    np.testing.assert_allclose(ratio[199:1000], 1.0)
    # when the short window is full, the long one holds 190 ones and 10 hundreds
    assert ratio[1009] == pytest.approx(100 / ((190 + 1000) / 200))
    np.testing.assert_allclose(ratio[1199:], 1.0)
    assert not ratio[:199].any()


def test_agrees_with_obspy():
    from obspy.signal.trigger import classic_sta_lta as classic
    from obspy.signal.trigger import recursive_sta_lta as recursive
    from obspy.signal.trigger import trigger_onset

    rng = np.random.default_rng(0)
    data = rng.standard_normal(6000)
    data[2000:2400] *= 8
    data[4000:4100] *= 20
    data[0] = 0.0  # obspy's recursion begins with the second sample
    np.testing.assert_allclose(classic_sta_lta(data, 50, 1000), classic(data, 50, 1000), atol=1e-9)
    ours = recursive_sta_lta(data, 50, 1000)
    np.testing.assert_allclose(ours[1000:], recursive(data, 50, 1000)[1000:], atol=1e-9)
    peer = trigger_onset(ours, 3.0, 1.0)
    np.testing.assert_array_equal(trigger_spans(ours, 3.0, 1.0), np.add(peer, [0, 1]))
    assert len(peer) >= 2


def test_recursive_mean_forgets_exponentially():
    impulse = np.zeros(3000)
    impulse[1000] = 1.0
    after = np.arange(1, 500)
    ratio = recursive_sta_lta(impulse, 20, 200)[1001:1500]
    np.testing.assert_allclose(ratio, 10 * (0.95 / 0.995) ** after, rtol=1e-9)


def test_silence_triggers_nothing():
    data = np.concatenate([np.zeros(500), np.ones(5), np.zeros(500)])
    for ratio in (classic_sta_lta(data, 5, 50), recursive_sta_lta(data, 5, 50)):
        assert np.isfinite(ratio).all()
        assert not ratio[:500].any()


def test_a_record_shorter_than_the_window_is_silent():
    assert not classic_sta_lta(np.ones(10), 2, 20).any()
    assert classic_sta_lta(np.ones((3, 0)), 2, 20).shape == (3, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([5, 5, 5], [[0, 3]]),
        ([0, 2, 3, 2, 0], []),
        ([2, 2, 5, 2, 2, 1, 2, 5], [[2, 5], [7, 8]]),
        ([5, 2, 5, 2, 5], [[0, 5]]),
    ],
)
def test_spans(values, expected):
    assert trigger_spans(values, 4, 1).tolist() == expected


@pytest.mark.parametrize(
    ("short", "long", "match"), [(0, 5, "at least 1"), (5, 5, "less than long, got 5 and 5")]
)
def test_refuses_windows(short, long, match):
    for ratio in (classic_sta_lta, recursive_sta_lta):
        with pytest.raises(ConfigError, match=match):
            ratio(np.ones(10), short, long)


def test_refuses_thresholds_and_shapes():
    with pytest.raises(ConfigError, match="off should be at most on, got on = 1 and off = 2"):
        trigger_spans([1.0], 1, 2)
    with pytest.raises(ConfigError, match=r"one axis, got shape \(2, 3\)"):
        trigger_spans(np.zeros((2, 3)), 2, 1)

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal import resampling
from pipeline.signal.resampling import design_resampler, resample

GRAVIMETER = 160_000 / 86_400
RATES = [
    (100.0, 20.0),
    (250.0, 100.0),
    (200.0, 100.0),
    (40.0, 100.0),
    (500.0, 100.0),
    (59.5238, 50.0),
    (GRAVIMETER, 1.0),
    (100.0, 99.9),
    (1.0, 100.0),
]


def interior(resampler, start, count):
    """Outputs with all the input they need, as an absolute range and as a slice of the extended ones."""
    first, number = resampler.outputs(start, count, edges="drop")
    begin, _ = resampler.outputs(start, count, edges="extend")
    return np.arange(first, first + number), slice(first - begin, first - begin + number)


@pytest.mark.parametrize(("rate_in_hz", "rate_out_hz"), RATES)
def test_a_sine_in_the_pass_band_comes_out_as_it_is(rate_in_hz, rate_out_hz):
    start, count = 8_640_123, 6000
    resampler = design_resampler(rate_in_hz, rate_out_hz)
    index, inside = interior(resampler, start, count)
    assert index.size
    edge_hz = 0.9 * min(rate_in_hz, rate_out_hz) / 2
    for frequency_hz in np.array([0.05, 0.5, 0.9, 1.0]) * edge_hz:
        wave = np.sin(2 * np.pi * frequency_hz * (start + np.arange(count)) / rate_in_hz + 0.3)
        out, _ = resampler.apply(wave, start=start)
        expected = np.sin(2 * np.pi * frequency_hz * index / rate_out_hz + 0.3)
        np.testing.assert_allclose(out[inside], expected, atol=1e-5)  # 100 dB


@pytest.mark.parametrize(("rate_in_hz", "rate_out_hz"), [(250.0, 100.0), (40.0, 100.0), (59.5238, 50.0)])
def test_a_chirp_within_the_band_comes_out_at_the_new_times(rate_in_hz, rate_out_hz):
    length_s = 120.0
    top_hz = 0.8 * min(rate_in_hz, rate_out_hz) / 2

    def chirp(time):
        envelope = np.exp(-(((time - length_s / 2) / (length_s / 8)) ** 2))
        return envelope * np.sin(np.pi * top_hz / length_s * time**2)

    count = int(length_s * rate_in_hz)
    out, first = resample(chirp(np.arange(count) / rate_in_hz), rate_in_hz, rate_out_hz)
    assert first == 0
    np.testing.assert_allclose(out, chirp(np.arange(out.size) / rate_out_hz), atol=1e-5)


@pytest.mark.parametrize("attenuation_db", [60.0, 100.0, 140.0])
@pytest.mark.parametrize(("rate_in_hz", "rate_out_hz"), [(100.0, 20.0), (250.0, 100.0), (GRAVIMETER, 1.0)])
def test_what_would_alias_is_gone(rate_in_hz, rate_out_hz, attenuation_db):
    resampler = design_resampler(rate_in_hz, rate_out_hz, attenuation_db=attenuation_db)
    count = 12_000
    _, inside = interior(resampler, 0, count)
    for frequency_hz in np.linspace(rate_out_hz / 2, rate_in_hz / 2, 23)[:-1]:
        wave = np.cos(2 * np.pi * frequency_hz / rate_in_hz * np.arange(count))
        out, _ = resampler.apply(wave)
        assert np.abs(out[inside]).max() < 10 ** (-attenuation_db / 20)


@pytest.mark.parametrize(("rate_in_hz", "rate_out_hz"), RATES)
def test_a_constant_stays(rate_in_hz, rate_out_hz):
    out, _ = resample(np.full(3000, 12345.678), rate_in_hz, rate_out_hz, start=77)
    np.testing.assert_allclose(out, 12345.678, rtol=1e-14)


@settings(max_examples=60, deadline=None)
@given(
    rates=st.sampled_from(RATES),
    origin=st.integers(-(10**9), 10**12),
    begin=st.integers(0, 400),
    number=st.integers(1, 300),
    seed=st.integers(0, 5),
)
def test_a_piece_with_its_halo_equals_the_whole_bit_by_bit(rates, origin, begin, number, seed):
    resampler = design_resampler(*rates)
    count = 2 * resampler.halo + 1200
    whole = np.random.default_rng(seed).standard_normal(count)
    out, first = resampler.apply(whole, start=origin, edges="drop")
    begin = min(begin, len(out) - 1)
    number = min(number, len(out) - begin)
    start, samples = resampler.inputs(first + begin, number)
    piece = whole[start - origin : start - origin + samples]
    assert len(piece) == samples
    again, again_first = resampler.apply(piece, start=start, edges="drop")
    extra = first + begin - again_first  # the input of one output may be enough for its neighbours
    assert 0 <= extra < max(resampler.up / resampler.down, 1)
    np.testing.assert_array_equal(again[extra : extra + number], out[begin : begin + number])


@settings(max_examples=100, deadline=None)
@given(rates=st.sampled_from(RATES), first=st.integers(-(10**8), 10**11), number=st.integers(1, 500))
def test_inputs_and_outputs_belong_together(rates, first, number):
    resampler = design_resampler(*rates)
    start, samples = resampler.inputs(first, number)
    found, found_number = resampler.outputs(start, samples)
    assert found <= first
    assert found + found_number >= first + number
    # and no input is too many
    for fewer in ((start + 1, samples - 1), (start, samples - 1)):
        found, found_number = resampler.outputs(*fewer)
        assert found > first or found + found_number < first + number


def test_days_join_on_one_grid():
    data = np.random.default_rng(0).standard_normal(3 * 1600)
    pieces = [resample(day, GRAVIMETER, 1.0, start=1600 * i) for i, day in enumerate(np.split(data, 3))]
    assert [first for _, first in pieces] == [0, 864, 1728]
    assert [len(out) for out, _ in pieces] == [864, 864, 864]


def test_a_rate_that_is_no_fraction_is_taken_as_it_prints():
    resampler = design_resampler(59.5238, 50.0)
    assert (resampler.up, resampler.down, resampler.rate_error) == (250_000, 297_619, 0.0)
    # a day of 5,142,857 samples: the ratio is rounded, by less than a nanosecond in a day
    assert abs(design_resampler(5_142_857 / 86_400, 50.0).rate_error) * 86_400 < 1e-9


def test_missing_marks_what_stands_beside_a_missing_input():
    mask = np.zeros(100, bool)
    mask[40:50] = True
    out = design_resampler(100.0, 20.0).missing(mask, start=1000)
    assert np.flatnonzero(out).tolist() == [8, 9]
    finer = design_resampler(100.0, 200.0).missing(mask)
    assert np.flatnonzero(finer).tolist() == list(range(79, 100))


def test_equal_rates_change_nothing():
    data = np.random.default_rng(0).standard_normal((2, 100))
    out, first = resample(data, 100.0, 100.0, start=5)
    assert first == 5
    np.testing.assert_array_equal(out, data)


def test_axes_and_precision():
    data = np.random.default_rng(0).standard_normal((2, 3, 500)).astype(np.float32)
    out, _ = resample(data, 100.0, 20.0)
    assert out.shape == (2, 3, 100)
    assert out.dtype == np.float32
    single, _ = resample(data[1, 2], 100.0, 20.0)
    np.testing.assert_array_equal(out[1, 2], single)
    assert resample(np.arange(500, dtype=np.int32), 100.0, 20.0)[0].dtype == np.float64


@pytest.mark.parametrize("samples", [0, 1, 2, 7])
def test_short_records(samples):
    out, first = resample(np.ones(samples), 100.0, 20.0, start=3)
    assert (len(out), first) == (len([k for k in range(3, 3 + samples) if k % 5 == 0]), 1)
    np.testing.assert_allclose(out, 1.0)
    assert resample(np.ones(samples), 100.0, 20.0, edges="drop")[0].size == 0


def test_the_compiled_sums_are_the_written_ones():
    for rates in ((59.5238, 50.0), (250.0, 100.0)):
        resampler = design_resampler(*rates)
        data = np.random.default_rng(0).standard_normal(2 * resampler.halo + 40)
        out, first = resampler.apply(data, edges="drop")
        base, remainder = divmod(first * resampler.down, resampler.up)
        again = np.empty_like(out)
        padded = data[base - resampler.halo + 1 :]
        resampling._scalar_products(padded, resampler.bank, remainder, resampler.up, resampler.down, again)
        np.testing.assert_allclose(out, again, rtol=0, atol=1e-13)


def test_a_resampler_pickles_and_its_bank_is_kept():
    resampler = pickle.loads(pickle.dumps(design_resampler(100.0, 20.0)))
    data = np.random.default_rng(0).standard_normal(2000)
    np.testing.assert_array_equal(resampler.apply(data)[0], resample(data, 100.0, 20.0)[0])
    with pytest.raises(ValueError, match="read-only"):
        design_resampler(100.0, 20.0).bank[0, 0] = 1.0


def test_the_halo_is_kaisers():
    # 100 dB and 6 to spare, a tenth of 10 Hz at 100 Hz: (106 - 7.95) / (2.285 * 2π * 0.01) = 683 samples
    assert design_resampler(100.0, 20.0).halo == 342
    halos = [design_resampler(100.0, 20.0, transition=t).halo for t in (0.05, 0.1, 0.2, 0.4)]
    assert all(a > 1.9 * b for a, b in itertools.pairwise(halos))


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        ((0.0, 1.0), {}, "rate_in_hz should be a finite number above 0, got 0.0"),
        ((1.0, float("inf")), {}, "rate_out_hz should be a finite number above 0, got inf"),
        ((100.0, 20.0), {"transition": 1.0}, "transition should lie between 0 and 1, got 1.0"),
        ((100.0, 20.0), {"attenuation_db": 10.0}, "attenuation_db should lie between 30 and 200, got 10.0"),
        ((1e-7, 100.0), {}, "differ by more than a hundred million times"),
    ],
)
def test_design_refuses(arguments, options, match):
    with pytest.raises(ConfigError, match=match):
        design_resampler(*arguments, **options)

"""PSD kernels against what is known of noise and sines, and against a plain reference in float64."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import mlab

from pipeline.errors import ConfigError, ResponseError
from pipeline.noise.periods import period_bins, response_db
from pipeline.noise.psd import _one_sided_db, window_levels
from pipeline.noise.psd_torch import TensorTransform
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.device import threads
from pipeline.synthetic.ground import spectra

RATE = 20
WINDOWS = SpectralWindows(samples_per_day=86400 * RATE, window_s=120.0)
BINS = period_bins(WINDOWS.frequencies_hz)
LONG = SpectralWindows(samples_per_day=86400 * RATE)
LONG_BINS = period_bins(LONG.frequencies_hz)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Run torch as a worker does; two threads wait for each other where other tests run beside."""
    with threads(1):
        yield


def reference_levels(record, windows, bins, starts):
    """Levels as obspy makes them: mlab's PSD of each window, dB, plain means."""
    taper = windows.taper_weights()
    levels = []
    for start in starts:
        power, _ = mlab.psd(
            np.asarray(record[start : start + windows.length], dtype=np.float64),
            windows.sub_length,
            windows.rate_hz,
            detrend=mlab.detrend_linear,
            window=taper,
            noverlap=windows.sub_length - windows.sub_step,
        )
        level = 10 * np.log10(power[1:])
        levels.append([level[a:b].mean() for a, b in zip(bins.first, bins.stop, strict=True)])
    return np.array(levels)


def tensor_levels(record, windows, bins, starts, used, device="cpu", precision="float32"):
    transform = TensorTransform(windows, bins, precision, device)
    return transform(record, starts, used) + bins.mean(_one_sided_db(windows))


@lru_cache(maxsize=1)
def hard_record():
    """A red record with an offset, a drift, a step, a spike and an earthquake, as counts."""
    rng = np.random.default_rng(11)
    record = np.cumsum(rng.normal(size=4 * LONG.length)) * 30 + rng.normal(size=4 * LONG.length)
    time = np.arange(record.size)
    record += 1e9 + 0.5 * time
    record[90_000:] += 2e5
    record[30_000] += 1e6
    quake = slice(150_000, 152_000)
    record[quake] += 1e6 * np.sin(time[quake] / 3) * np.hanning(2000)
    record = np.round(record).astype(np.int32)
    record.flags.writeable = False
    return record


class TestAgainstReference:
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_within_a_hundredth_of_a_db(self, precision):
        got = window_levels(hard_record(), first=0, windows=LONG, bins=LONG_BINS, precision=precision)
        expected = reference_levels(hard_record(), LONG, LONG_BINS, got.starts)
        assert np.abs(got.level_db - expected).max() < {"float32": 5e-3, "float64": 2e-5}[precision]

    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_tensors_agree(self, precision):
        starts = LONG.starts_between(0, hard_record().size - LONG.length + 1)
        used = np.ones((starts.size, LONG.sub_count), dtype=bool)
        got = tensor_levels(hard_record(), LONG, LONG_BINS, starts, used, precision=precision)
        expected = reference_levels(hard_record(), LONG, LONG_BINS, starts)
        assert np.abs(got - expected).max() < {"float32": 5e-3, "float64": 2e-5}[precision]

    @pytest.mark.gpu
    def test_a_gpu_agrees(self):
        host = window_levels(hard_record(), first=0, windows=LONG, bins=LONG_BINS)
        gpu = window_levels(hard_record(), first=0, windows=LONG, bins=LONG_BINS, device="cuda")
        np.testing.assert_array_equal(gpu.sub_windows, host.sub_windows)
        assert np.abs(gpu.level_db - host.level_db).max() < 0.01

    def test_tensors_leave_out_what_is_not_used(self):
        starts = WINDOWS.starts_between(0, 3 * WINDOWS.length)
        used = np.ones((starts.size, WINDOWS.sub_count), dtype=bool)
        used[1, :5] = False
        used[2, 4:9] = False
        used[3, 1:] = False
        record = np.cumsum(np.random.default_rng(2).normal(size=5 * WINDOWS.length))
        spoilt = record.copy()
        spoilt[starts[1] : starts[1] + 5 * WINDOWS.sub_step] = np.nan
        plain = tensor_levels(record, WINDOWS, BINS, starts[1:2], used[1:2], precision="float64")
        again = tensor_levels(spoilt, WINDOWS, BINS, starts[1:2], used[1:2], precision="float64")
        np.testing.assert_array_equal(again, plain)
        from pipeline.noise.psd_cpu import CpuTransform

        host = CpuTransform(WINDOWS, BINS, "float64")(record, starts, used)
        got = tensor_levels(record, WINDOWS, BINS, starts, used, precision="float64")
        np.testing.assert_allclose(got, host + BINS.mean(_one_sided_db(WINDOWS)), atol=1e-6)


class TestAnalyticTruth:
    def test_white_noise(self):
        """Its density is 2σ² / rate; the mean of dB lies below that, by what 13 sub-windows scatter."""
        windows = SpectralWindows(samples_per_day=86400 * RATE, window_s=3276.8)
        bins = period_bins(windows.frequencies_hz)
        record = np.random.default_rng(3).normal(scale=7.0, size=24 * 3600 * RATE)
        levels = window_levels(record, first=0, windows=windows, bins=bins).level_db.mean(axis=0)
        short = bins.centre_s < 5
        assert windows.sub_count == 13
        np.testing.assert_allclose(levels[short], 10 * np.log10(2 * 49 / RATE) - 0.39, atol=0.12)

    def test_a_single_sub_window_of_noise_is_low_by_eulers_constant(self):
        windows = SpectralWindows(samples_per_day=86400 * RATE, sub_share=1.0)
        bins = period_bins(windows.frequencies_hz)
        record = np.random.default_rng(4).normal(size=12 * 3600 * RATE)
        levels = window_levels(record, first=0, windows=windows, bins=bins).level_db.mean(axis=0)
        expected = 10 * np.log10(2 / RATE) - np.euler_gamma * 10 / np.log(10)
        np.testing.assert_allclose(levels[bins.centre_s < 10], expected, atol=0.15)

    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_the_power_of_a_sine(self, precision):
        """The integral of the density is half the squared amplitude; bins of no width show the density."""
        frequencies = WINDOWS.frequencies_hz
        bins = period_bins(frequencies, width_octaves=1e-9, step_octaves=1.0, limits_s=(0.1, 60.0))
        exact = type(bins)(
            1 / frequencies[::-1], 1 / frequencies[::-1], 1 / frequencies[::-1],
            np.arange(frequencies.size)[::-1], np.arange(1, frequencies.size + 1)[::-1], frequencies,
        )  # fmt: skip
        sine = 300.0 * np.sin(2 * np.pi * 64.3 / WINDOWS.sub_length * RATE * np.arange(2400) / RATE) + 5e4
        levels = window_levels(sine, first=0, windows=WINDOWS, bins=exact, precision=precision).level_db[0]
        power = (10 ** (levels.astype(np.float64) / 10)).sum() * RATE / WINDOWS.sub_length
        assert power == pytest.approx(300.0**2 / 2, rel=2e-3)

    def test_noise_shaped_as_petersons_model(self):
        """Noise made in the frequency domain with the designed density comes back at every period."""
        rng = np.random.default_rng(5)
        size, scale = 12 * 3600 * RATE, 1e9
        frequencies = np.fft.rfftfreq(size, 1 / RATE)[1:]
        design = 10 ** (spectra.background_db(1 / frequencies, 0.5) / 10)
        coloured = rng.normal(size=frequencies.size) + 1j * rng.normal(size=frequencies.size)
        spectrum = np.concatenate([[0], coloured * np.sqrt(design * RATE * size / 4)])
        record = np.fft.irfft(spectrum * scale, size)
        levels = window_levels(record, first=0, windows=LONG, bins=LONG_BINS).level_db.mean(axis=0)
        levels -= 20 * np.log10(scale)
        expected = LONG_BINS.mean(spectra.background_db(1 / LONG.frequencies_hz, 0.5)) - 0.38
        short = LONG_BINS.centre_s < 20
        np.testing.assert_allclose(levels[short], expected[short], atol=0.2)
        np.testing.assert_allclose(levels, expected, atol=2.5)

    def test_a_straight_line_and_silence_have_no_power(self):
        lines = np.stack([np.zeros(2400), np.full(2400, 1e9), np.arange(2400) * 3.0])
        levels = window_levels(lines, first=0, windows=WINDOWS, bins=BINS).level_db
        assert np.isfinite(levels).all()
        assert levels.max() < -200

    @settings(max_examples=40)
    @given(st.integers(-60, 60), st.booleans())
    def test_units_shift_levels(self, exponent, negative):
        """Any power of ten, from volts to nanometres, moves all levels by as much, and no digit is lost."""
        record = np.cumsum(np.random.default_rng(6).normal(size=2400))
        plain = window_levels(record, first=0, windows=WINDOWS, bins=BINS)
        other = window_levels(
            record * 10.0**exponent * (-1 if negative else 1), first=0, windows=WINDOWS, bins=BINS
        )
        np.testing.assert_allclose(other.level_db - plain.level_db, 20 * exponent, atol=2e-3)


class TestResponse:
    def test_a_flat_response_subtracts_its_gain(self):
        np.testing.assert_allclose(response_db(BINS, np.full(256, 1e9j)), 180)

    def test_it_is_what_dividing_the_spectrum_gives(self):
        frequencies = WINDOWS.frequencies_hz
        power = np.random.default_rng(7).exponential(size=frequencies.size)
        response = frequencies**2 / (1 + 1j * frequencies)
        divided = BINS.mean(10 * np.log10(power / np.abs(response) ** 2))
        np.testing.assert_allclose(BINS.mean(10 * np.log10(power)) - response_db(BINS, response), divided)

    def test_zero_within_a_band_leaves_no_level_there(self):
        response = np.ones(WINDOWS.frequencies_hz.size)
        response[WINDOWS.frequencies_hz > 9] = 0
        levels = response_db(BINS, response)
        np.testing.assert_array_equal(np.isnan(levels), BINS.low_s <= 1 / 9)

    @pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
    def test_nothing_at_all_is_refused(self, value):
        with pytest.raises(ResponseError, match=r"zero or unknown within each period from 0\.1 to 25\.6 s"):
            response_db(BINS, np.full(WINDOWS.frequencies_hz.size, value))

    def test_another_length_is_refused(self):
        with pytest.raises(ConfigError, match="should have one value for each of the 256 frequencies"):
            response_db(BINS, np.ones(100))


class TestGaps:
    @given(st.data())
    def test_what_is_missing_makes_no_value(self, data):
        """Whatever stands where samples are missing, the levels are the same to the last bit."""
        number = data.draw(st.integers(1, 4))
        spans = data.draw(st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 1500)), min_size=number))
        share = data.draw(st.sampled_from([0.0, 0.3, 0.9]))
        first = data.draw(st.integers(-5000, 5000))
        missing = np.zeros(6000, dtype=bool)
        for start, length in spans:
            missing[start : start + length] = True
        record = np.random.default_rng(8).normal(size=6000)
        filled = np.where(missing, data.draw(st.sampled_from([np.nan, np.inf, 1e30, -(2.0**31)])), record)
        options = {"first": first, "windows": WINDOWS, "bins": BINS, "missing": missing, "share": share}
        plain, other = window_levels(record, **options), window_levels(filled, **options)
        np.testing.assert_array_equal(plain.level_db, other.level_db)
        np.testing.assert_array_equal(plain.sub_windows, other.sub_windows)
        np.testing.assert_array_equal(np.isnan(plain.level_db).all(axis=-1), plain.sub_windows == 0)
        for start, count in zip(plain.starts - first, plain.sub_windows, strict=True):
            gone = missing[start : start + WINDOWS.length]
            clean = sum(
                not gone[sub * WINDOWS.sub_step : sub * WINDOWS.sub_step + WINDOWS.sub_length].any()
                for sub in range(WINDOWS.sub_count)
            )
            enough = share > 0 and clean >= (1 - share) * WINDOWS.sub_count
            assert count == (clean if enough or not gone.any() else 0)

    def test_a_value_is_the_mean_of_the_sub_windows_that_are_left(self):
        record = np.random.default_rng(9).normal(size=2400)
        missing = np.zeros(2400, dtype=bool)
        missing[:300] = True
        got = window_levels(record, first=0, windows=WINDOWS, bins=BINS, missing=missing, share=0.5)
        step = WINDOWS.sub_step
        skipped = -(-300 // step)
        rest = record[skipped * step :]
        shorter = SpectralWindows(
            samples_per_day=WINDOWS.samples_per_day, window_s=rest.size / RATE, sub_share=0.33
        )
        assert shorter.sub_length == WINDOWS.sub_length
        expected = reference_levels(rest, shorter, BINS, [0])
        assert got.sub_windows.tolist() == [WINDOWS.sub_count - skipped]
        np.testing.assert_allclose(got.level_db, expected, atol=1e-3)

    def test_what_is_not_there_must_be_named(self):
        record = np.zeros(3600)
        record[3000] = np.nan
        with pytest.raises(ConfigError, match="samples of 1 windows, the first at sample 1200"):
            window_levels(record, first=0, windows=WINDOWS, bins=BINS)

    def test_a_share_is_below_one(self):
        with pytest.raises(ConfigError, match="share should be from 0"):
            window_levels(np.zeros(2400), first=0, windows=WINDOWS, bins=BINS, share=1.0)


class TestPieces:
    @given(
        st.integers(-(10**12), 10**12), st.integers(2400, 9000), st.sampled_from([86400 * RATE, 1_600_007])
    )
    def test_pieces_and_the_whole_have_the_same_windows(self, first, cut, per_day):
        windows = SpectralWindows(samples_per_day=per_day, window_s=120.0)
        bins = period_bins(windows.frequencies_hz)
        record = np.random.default_rng(10).normal(size=12000)
        whole = window_levels(record, first=first, windows=windows, bins=bins)
        begin, samples = windows.span(first + cut, first + 12000 - windows.length + 1)
        piece = record[begin - first : begin - first + samples]
        part = window_levels(piece, first=begin, windows=windows, bins=bins)
        shared = whole.starts >= first + cut
        np.testing.assert_array_equal(part.starts, whole.starts[shared])
        np.testing.assert_array_equal(part.level_db, whole.level_db[shared])

    @given(st.integers(0, 40_000), st.integers(1, 200_000), st.sampled_from([86_400, 160_000, 8_640_000]))
    def test_windows_start_at_whole_steps(self, day, per_day_offset, per_day):
        windows = SpectralWindows(samples_per_day=per_day)
        first = day * per_day + per_day_offset % per_day
        starts = windows.starts_between(first, first + per_day)
        assert starts.size == 48
        late_s = starts / windows.rate_hz % 1800
        assert (np.minimum(late_s, 1800 - late_s) < 1 / windows.rate_hz).all()

    def test_components_stand_before_time(self):
        record = np.random.default_rng(12).normal(size=(2, 3, 3000))
        levels = window_levels(record, first=0, windows=WINDOWS, bins=BINS)
        assert levels.level_db.shape == (2, 3, 1, BINS.centre_s.size)
        one = window_levels(record[1, 2], first=0, windows=WINDOWS, bins=BINS)
        np.testing.assert_array_equal(levels.level_db[1, 2], one.level_db)

    def test_a_record_too_short_for_a_window_has_none(self):
        levels = window_levels(np.zeros((3, 2399)), first=0, windows=WINDOWS, bins=BINS)
        assert levels.level_db.shape == (3, 0, BINS.centre_s.size)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"overlap": 1.0}, "overlap should be from 0 up to, not including, 1"),
            ({"sub_overlap": 0.7}, "should leave a step that divides the 512 samples"),
            ({"sub_share": 0.0}, "sub_share should be above 0"),
            ({"taper": 0.6}, r"taper should be from 0 to 0\.5"),
            ({"window_s": 0.5}, r"it should last at least 0\.8 s"),
        ],
    )
    def test_impossible_windows_are_refused(self, options, message):
        with pytest.raises(ConfigError, match=message):
            SpectralWindows(**{"samples_per_day": 86400 * RATE, "window_s": 120.0, **options})

    def test_bins_of_other_windows_are_refused(self):
        slower = period_bins(WINDOWS.frequencies_hz / 2)
        with pytest.raises(ConfigError, match="over 256 frequencies up to 5 Hz are not those"):
            window_levels(np.zeros(2400), first=0, windows=WINDOWS, bins=slower)
        with pytest.raises(ConfigError, match="are not those of windows, with 256 up to 10 Hz"):
            window_levels(np.zeros(2400), first=0, windows=WINDOWS, bins=LONG_BINS)

    def test_an_unknown_precision_is_refused(self):
        with pytest.raises(ConfigError, match="precision should be one of float32, float64, got 'float16'"):
            window_levels(np.zeros(2400), first=0, windows=WINDOWS, bins=BINS, precision="float16")

    @pytest.mark.parametrize(
        ("frequencies", "options", "message"),
        [
            ([], {}, "frequencies should rise"),
            ([0.0, 1.0], {}, "lie above 0 Hz"),
            ([1.0, 2.0], {"limits_s": (3.0, 2.0)}, "limits_s should rise"),
            ([1.0, 2.0], {"limits_s": (30.0, 40.0)}, r"should meet the spectrum's 0\.5 to 1 s"),
            ([1.0, 2.0], {"step_octaves": 0.0}, "step_octaves should be a finite number above 0"),
        ],
    )
    def test_impossible_periods_are_refused(self, frequencies, options, message):
        with pytest.raises(ConfigError, match=message):
            period_bins(frequencies, **options)

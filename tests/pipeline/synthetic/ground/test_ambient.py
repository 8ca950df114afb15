import functools
import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.ground.ambient import (
    RATE_HZ,
    SLOW_RATE_HZ,
    Ambient,
    ambient_noise,
    designed_power,
    slow_noise,
)
from pipeline.synthetic.ground.spectra import Climate, StationSpectrum, draw_spectra

DAY = 86400 * RATE_HZ
DAYS = 18640


def site(station="PB01", *, climate=None, seed=5, **place):
    return Ambient(seed=seed, station=station, spectra=draw_spectra(5, "PB01"), climate=climate, **place)


def octave_levels_db(frequency_hz, power, reference, low_hz, high_hz, *, per_octave=8):
    """Compare means over parts of octaves, in dB."""
    edges = low_hz * 2.0 ** (np.arange(int(per_octave * math.log2(high_hz / low_hz)) + 1) / per_octave)
    ratio = power / reference
    picked = np.digitize(frequency_hz, edges)
    return np.array([10 * np.log10(ratio[picked == k].mean()) for k in range(1, len(edges))])


def welch(record, rate_hz, seconds):
    length = int(seconds * rate_hz)
    # blackmanharris: the spectrum falls by 60 dB within an octave of the microseism
    frequency, power = scipy.signal.welch(record, rate_hz, "blackmanharris", length, length * 3 // 4)
    return frequency[1:-1], power[..., 1:-1]


@functools.cache
def quiet_day():
    return ambient_noise(site(), DAYS * DAY, (DAYS + 1) * DAY).astype(np.float64)


@pytest.mark.parametrize("component", "ZNE")
def test_spectrum_of_a_day_is_the_designed_one(component):
    record = quiet_day()["ZNE".index(component)]
    frequency, power = welch(record, RATE_HZ, 200)
    off = octave_levels_db(frequency, power, designed_power(site(), component, frequency), 0.3, 40)
    assert np.abs(off).max() < 0.5
    assert np.abs(np.mean(off)) < 0.05


@pytest.mark.parametrize("component", "ZN")
def test_spectrum_of_long_periods_is_the_designed_one(component):
    days = 24
    first = DAYS * 86400 * SLOW_RATE_HZ
    record = slow_noise(site(), first, first + days * 86400 * SLOW_RATE_HZ, components=component)[0]
    frequency, power = welch(record.astype(np.float64), SLOW_RATE_HZ, 4000)
    off = octave_levels_db(frequency, power, designed_power(site(), component, frequency), 0.01, 0.32)
    assert np.abs(off).max() < 0.5
    assert np.abs(np.mean(off)) < 0.1


def test_the_high_rate_carries_the_low_one_unchanged():
    slow = slow_noise(site(), DAYS * 86400 * 2, DAYS * 86400 * 2 + 7200, components="Z")[0]
    fast = quiet_day()[0, : 3600 * RATE_HZ]
    low_pass = scipy.signal.firwin(8001, 0.2, fs=RATE_HZ)
    wanted = scipy.signal.fftconvolve(fast, low_pass, "same")[::50][200:-200]
    found = scipy.signal.fftconvolve(slow, scipy.signal.firwin(161, 0.2, fs=2), "same")[200:-200]
    assert np.corrcoef(wanted, found)[0, 1] > 0.9995


@given(st.integers(-400_000, 400_000), st.integers(1, 60_000))
@settings(max_examples=8, deadline=None)
def test_a_piece_is_the_same_however_it_is_cut(offset, length):
    first = DAYS * DAY + offset
    changing = site(climate=Climate(seed=5), east_km=40.0, north_km=-7.0)
    piece = ambient_noise(changing, first, first + length)
    low, high = DAYS * DAY - 400_000, DAYS * DAY + 460_000
    np.testing.assert_array_equal(piece, around_midnight()[:, first - low : first - low + length])
    assert high - low == around_midnight().shape[1]


@functools.cache
def around_midnight():
    changing = site(climate=Climate(seed=5), east_km=40.0, north_km=-7.0)
    return ambient_noise(changing, DAYS * DAY - 400_000, DAYS * DAY + 460_000)


def test_one_component_is_the_same_alone():
    first = DAYS * DAY
    np.testing.assert_array_equal(
        ambient_noise(site(), first, first + 50_000, components="E"), quiet_day()[2:, :50_000]
    )


def test_no_seam_at_midnight_nor_between_frames():
    record = around_midnight()[0].astype(np.float64)
    # the 4th difference shows steps of a sample and hides the microseism
    rough = np.abs(np.diff(record, 4))
    seams = np.arange(-8, 11) * 45_000 + 400_000
    at_seams = np.concatenate([rough[k - 4 : k + 1] for k in seams if 4 <= k < rough.size])
    assert at_seams.max() < np.percentile(rough, 99.99)
    assert np.median(at_seams) == pytest.approx(np.median(rough), rel=0.35)


def test_empty_pieces():
    assert ambient_noise(site(), 100, 100).shape == (3, 0)
    assert slow_noise(site(), 100, 100).shape == (3, 0)


def test_transfer_gives_counts_at_no_cost():
    def velocity(frequency_hz):
        return 1e9 / (2j * np.pi * frequency_hz)

    first = DAYS * DAY
    counts = ambient_noise(site(), first, first + 40 * 60 * 100, components="Z", transfer={"Z": velocity})[0]
    slope = np.gradient(counts.astype(np.float64), 1 / RATE_HZ) / 1e9
    band = scipy.signal.butter(4, [0.05, 5], "bandpass", fs=RATE_HZ, output="sos")
    wanted, found = (
        scipy.signal.sosfiltfilt(band, r)[20_000:-20_000] for r in (quiet_day()[0, :240_000], slope)
    )
    # Filters of finite length bend the two ways a little differently.
    assert np.corrcoef(wanted, found)[0, 1] > 0.999
    assert found.std() == pytest.approx(wanted.std(), rel=0.01)


def test_storms_and_the_hour_change_the_spectrum_as_designed():
    climate = Climate(seed=5, utc_offset_h=0.0)
    changing = site(climate=climate)
    for hour in (3, 10):
        begin = DAYS * DAY + hour * 360_000
        record = ambient_noise(changing, begin, begin + 2 * 360_000, components="Z")[0]
        frequency, power = welch(record.astype(np.float64), RATE_HZ, 100)
        middle = designed_power(changing, "Z", frequency, time_s=DAYS * 86400 + (hour + 1) * 3600)
        off = octave_levels_db(frequency, power, middle, 0.1, 40, per_octave=1)
        assert np.abs(off).max() < 1.2
    night, day = (designed_power(changing, "Z", 6.0, time_s=DAYS * 86400 + hour * 3600) for hour in (2, 8))
    assert day > 3 * night


def coherence(first_record, second_record, low_hz, high_hz):
    frequency, found = scipy.signal.coherence(first_record, second_record, SLOW_RATE_HZ, nperseg=1024)
    return found[(frequency > low_hz) & (frequency < high_hz)].mean()


def test_near_stations_share_long_periods_and_far_ones_do_not():
    first = DAYS * 86400 * SLOW_RATE_HZ
    stop = first + 2 * 86400 * SLOW_RATE_HZ
    places = {"A": (10, 10), "B": (14, 12), "C": (40, 30), "D": (700, 600)}
    records = {
        name: slow_noise(site(name, east_km=x, north_km=y), first, stop, components="Z")[0]
        for name, (x, y) in places.items()
    }
    near, middle, far = (coherence(records["A"], records[name], 0.06, 0.12) for name in "BCD")
    assert near > 0.75
    assert 0.05 < middle < near
    assert far < 0.03
    assert coherence(records["A"], records["B"], 0.45, 0.6) < 0.2


def test_components_are_checked():
    with pytest.raises(ConfigError, match="components should be of Z, N and E, got X"):
        Ambient(seed=1, station="A", spectra={"X": StationSpectrum()})


def test_spectrum_in_counts_is_the_designed_one_times_the_transfer():
    """A broadband of 120 s, with 1.2e9 counts per m/s."""

    def broadband(frequency_hz):
        s, low = 2j * np.pi * frequency_hz, 2 * np.pi / 120
        return 1.2e9 * s / (s**2 + 2 * 0.707 * low * s + low**2)

    days, first = 12, DAYS * 86400 * SLOW_RATE_HZ
    counts = slow_noise(site(), first, first + days * 86400 * 2, components="Z", transfer={"Z": broadband})[
        0
    ].astype(np.float64)
    frequency, power = welch(counts, SLOW_RATE_HZ, 4000)
    wanted = designed_power(site(), "Z", frequency) * np.abs(broadband(frequency)) ** 2
    assert np.abs(octave_levels_db(frequency, power, wanted, 0.01, 0.32)).max() < 0.5


def test_other_seeds_and_stations_are_other_noise():
    first = DAYS * DAY
    records = [
        ambient_noise(site(name, seed=seed), first, first + 60_000, components="Z")[0]
        for name, seed in (("A", 5), ("B", 5), ("A", 6))
    ]
    high_pass = scipy.signal.butter(4, 1.0, "highpass", fs=RATE_HZ, output="sos")
    found = np.corrcoef(scipy.signal.sosfilt(high_pass, records)[:, 2000:])
    assert np.abs(found[np.triu_indices(3, 1)]).max() < 0.03

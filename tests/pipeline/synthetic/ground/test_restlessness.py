"""Restlessness: a level that wanders as it should, and a mean power that does not."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from pipeline.synthetic.ground.ambient import RATE_HZ, Ambient, ambient_noise
from pipeline.synthetic.ground.restlessness import swelling
from pipeline.synthetic.ground.spectra import StationSpectrum

WEEK_S = 7 * 86_400


def test_the_mean_power_is_one_and_the_level_wanders_as_stated() -> None:
    factor = swelling(3, "A", 0, 8 * WEEK_S, rate_hz=1, std_db=3.0).astype(np.float64)
    assert (factor**2).mean() == pytest.approx(1.0, abs=0.02)
    level_db = 20 * np.log10(factor)
    assert level_db.std() == pytest.approx(3.0, rel=0.08)  # a little less between two nodes
    assert level_db[::10].std() == pytest.approx(3.0, rel=0.03)


def test_it_wanders_over_seconds_and_minutes() -> None:
    level = np.log(swelling(3, "A", 0, 8 * WEEK_S, rate_hz=1, std_db=3.0).astype(np.float64))[::10]
    level -= level.mean()

    def akin(apart_s: int) -> float:
        lag = apart_s // 10
        return float((level[:-lag] * level[lag:]).mean() / level.var())

    assert akin(10) == pytest.approx((2 / 3 + 29 / 30) / 2, abs=0.02)
    assert akin(60) == pytest.approx((24 / 30) / 2, abs=0.02)
    assert akin(600) == pytest.approx(0.0, abs=0.02)


@given(st.integers(-(10**7), 10**7), st.integers(1, 30_000), st.integers(0, 20_000), st.integers(0, 20_000))
def test_any_cut_is_the_same(first: int, length: int, before: int, after: int) -> None:
    piece = swelling(3, "A", first, first + length, rate_hz=20, std_db=3.0)
    whole = swelling(3, "A", first - before, first + length + after, rate_hz=20, std_db=3.0)
    np.testing.assert_array_equal(piece, whole[before : before + length])


def test_noise_of_a_restless_station_has_the_same_microseism_and_the_same_mean_power() -> None:
    first, stop = 0, 4 * 3600 * RATE_HZ
    calm, restless = (
        ambient_noise(
            Ambient(seed=2, station="A", spectra={"Z": StationSpectrum()}, restless_db=level),
            first, stop, components="Z",
        )[0].astype(np.float64)
        for level in (0.0, 3.0)
    )  # fmt: skip
    frequency, before = scipy.signal.welch(calm, RATE_HZ, nperseg=8192)
    _, after = scipy.signal.welch(restless, RATE_HZ, nperseg=8192)
    ratio_db = 10 * np.log10(after / before)
    assert np.abs(ratio_db[(frequency > 0.1) & (frequency < 0.3)]).max() < 0.01
    culture = (frequency > 2) & (frequency < 30)
    assert abs(ratio_db[culture].mean()) < 0.3  # four hours: some 150 independent half minutes
    sections = scipy.signal.butter(4, [2, 8], btype="bandpass", fs=RATE_HZ, output="sos")

    def spread(noise: np.ndarray) -> float:
        filtered = scipy.signal.sosfilt(sections, noise).reshape(-1, 10 * RATE_HZ)
        rms = np.sqrt((filtered**2).mean(axis=1))
        return float(np.percentile(rms, 75) / np.percentile(rms, 50))

    # Quiet hours of real stations: 1.26 and more (Puerto Rico, Chile, Turkey in the test data).
    assert spread(calm) < 1.1
    assert 1.15 < spread(restless) < 1.35

"""A gravimeter's noise: designed spectra and magnitudes are found again; rises; seeds."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from obspy.signal.spectral_estimation import get_nlnm

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.gravimeter_noise import (
    SNM_BAND_HZ,
    SSNM_BAND_HZ,
    GravimeterNoise,
    Rise,
    gravimeter_noise,
    noise_magnitude,
    noise_truth,
)

DAY = 86_400
NOISE = GravimeterNoise(snm=0.867, ssnm=2.608)
# The first two are of one station each, Lhasa (Zhang et al. 2016) and Taiyuan; the others span the published.
PAIRS = [(0.867, 2.608), (3.641, 4.659), (2.013, 4.5), (4.654, 6.5)]


def spectrum(samples, nperseg=1 << 17):
    return scipy.signal.welch(samples, 1.0, nperseg=nperseg, window="blackmanharris")


def test_magnitude_of_the_low_noise_model_is_about_zero():
    # Which is what the constant of 2.5 is for (Banka & Crossley 1999).
    period, decibel = get_nlnm()
    frequency = np.linspace(*SNM_BAND_HZ, 1000)
    level = np.interp(np.log(1 / frequency), np.log(period[::-1]), decibel[::-1])
    assert abs(noise_magnitude(1e18 * 10 ** (level / 10))) < 0.2


@pytest.mark.parametrize(("snm", "ssnm"), PAIRS)
def test_design_has_its_magnitudes(snm, ssnm):
    noise = GravimeterNoise(snm=snm, ssnm=ssnm)
    for band, magnitude in ((SNM_BAND_HZ, snm), (SSNM_BAND_HZ, ssnm)):
        frequency = np.linspace(*band, 200_001)
        power = np.trapezoid(noise(frequency) ** 2, frequency) / (band[1] - band[0])
        # In µGal²/Hz.
        assert np.log10(power / 100) + 2.5 == pytest.approx(magnitude, abs=1e-4)
    truth = noise_truth(noise)
    assert (truth.snm, truth.ssnm) == pytest.approx((snm, ssnm), abs=1e-9)


@pytest.fixture(scope="module")
def month():
    return gravimeter_noise(0, 60 * DAY, seed=11, station="G1", noise=NOISE)


@pytest.mark.parametrize(
    ("low", "high"),
    [SSNM_BAND_HZ, (2e-4, 1e-3), SNM_BAND_HZ, (5e-3, 0.03), (0.055, 0.09), (0.1, 0.2), (0.25, 0.45)],
)
def test_spectrum_is_as_designed(month, low, high):
    frequency, psd = spectrum(month)
    inside = (frequency >= low) & (frequency <= high)
    ratio = np.mean(psd[inside]) / np.mean(NOISE(frequency[inside]) ** 2)
    # Half a decibel, but where the record itself is too short to say.
    independent = 2 * inside.sum() * 60 * DAY / (1 << 17) / 2
    assert abs(10 * np.log10(ratio)) < max(0.5, 3 * 4.34 / np.sqrt(independent))


def test_microseism_has_its_size():
    # Above the flat noise of 0.0025 µGal²/Hz, which adds less than 1 nm/s².
    noise = gravimeter_noise(0, 2 * DAY, seed=1, station="G1", noise=NOISE)
    sos = scipy.signal.butter(4, 0.03, "highpass", fs=1.0, output="sos")
    assert scipy.signal.sosfiltfilt(sos, noise).std() == pytest.approx(50.0, rel=0.03)


@pytest.mark.parametrize(("snm", "ssnm"), PAIRS)
def test_magnitudes_of_a_long_record(snm, ssnm):
    noise = GravimeterNoise(snm=snm, ssnm=ssnm)
    frequency, psd = spectrum(gravimeter_noise(0, 45 * DAY, seed=5, station="G1", noise=noise))
    for (low, high), error in ((SNM_BAND_HZ, 0.02), (SSNM_BAND_HZ, 0.12)):
        inside = (frequency >= low) & (frequency <= high)
        ratio = np.mean(psd[inside]) / np.mean(noise(frequency[inside]) ** 2)
        assert abs(np.log10(ratio)) < error


def test_a_rise_stands_as_high_as_it_says_in_its_band_and_time_alone():
    rise = Rise(start_s=5 * DAY, full_s=10 * DAY, stop_s=40 * DAY, low_hz=2e-3, high_hz=8e-3, gain_db=7.0)
    options = {"seed": 2, "station": "G1", "noise": NOISE}
    calm = gravimeter_noise(0, 45 * DAY, **options)
    risen = gravimeter_noise(0, 45 * DAY, rises=[rise], **options)
    np.testing.assert_array_equal(calm[: 5 * DAY + 1], risen[: 5 * DAY + 1])
    np.testing.assert_array_equal(calm[40 * DAY :], risen[40 * DAY :])

    def gain(low, high, span):
        frequency, above = spectrum(risen[span], 1 << 14)
        _, base = spectrum(calm[span], 1 << 14)
        inside = (frequency > low) & (frequency < high)
        return 10 * np.log10(above[inside].mean() / base[inside].mean())

    full = slice(10 * DAY, 40 * DAY)
    assert gain(2.3e-3, 7e-3, full) == pytest.approx(7.0, abs=0.3)
    assert abs(gain(3e-4, 1.5e-3, full)) < 0.1
    assert abs(gain(0.01, 0.4, full)) < 0.1
    # Half way up, half the decibels.
    assert gain(2.3e-3, 7e-3, slice(7 * DAY, 8 * DAY)) == pytest.approx(3.5, abs=0.6)


def test_seeds_and_stations_are_independent():
    one = gravimeter_noise(0, 2 * DAY, seed=1, station="G1", noise=NOISE)
    for seed, station in ((2, "G1"), (1, "G2")):
        other = gravimeter_noise(0, 2 * DAY, seed=seed, station=station, noise=NOISE)
        assert abs(np.corrcoef(np.diff(one), np.diff(other))[0, 1]) < 0.05


def test_refusals():
    with pytest.raises(ConfigError, match="ssnm must lie between"):
        GravimeterNoise(snm=2.0, ssnm=1.5)
    with pytest.raises(ConfigError, match="ssnm must lie between"):
        GravimeterNoise(snm=0.0, ssnm=6.0)
    with pytest.raises(ConfigError, match="microseism"):
        GravimeterNoise(snm=1.0, ssnm=2.0, microseism_nm_s2=-1.0)
    with pytest.raises(ConfigError, match="start_s"):
        Rise(start_s=5, full_s=4, stop_s=9, low_hz=0.1, high_hz=0.2, gain_db=3.0)

"""The gravimeter: its magnitudes by the standard procedure; the sum of its parts; drift, steps; any cut."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.free_oscillations import GreatEarthquake
from pipeline.synthetic.gravity.gravimeter_noise import SNM_BAND_HZ, SSNM_BAND_HZ, GravimeterNoise, Rise
from pipeline.synthetic.gravity.pressure import Admittance
from pipeline.synthetic.gravity.record import (
    Drift,
    Step,
    drift_gravity,
    gravity_record,
    step_gravity,
)
from pipeline.synthetic.gravity.tide import gravity_tide

DAY = 86_400
SITE = {"seed": 11, "station": "G1", "latitude_deg": 48.33, "longitude_deg": 8.33, "height_m": 589.0}
NOISE = GravimeterNoise(snm=0.867, ssnm=2.608)
# The first two are of one station each, Lhasa (Zhang et al. 2016) and Taiyuan; the others span the published.
PAIRS = [(0.867, 2.608), (3.641, 4.659), (2.013, 4.5), (4.654, 6.5)]


def standard_magnitudes(record, pressure_hpa, tide, days):
    """SNM and SSNM by the procedure of Banka & Crossley, from the five quietest days."""
    reduced = (record - tide + 3.0 * (pressure_hpa - 1013.0)).reshape(days, DAY)
    clock = np.linspace(-1, 1, DAY)
    reduced = np.array([day - Chebyshev.fit(clock, day, 9)(clock) for day in reduced])
    quiet = np.argsort(reduced.std(axis=1))[:5]
    window = np.hanning(DAY)
    power = 2 * abs(np.fft.rfft(reduced[quiet] * window)) ** 2 / (window @ window)
    frequency = np.fft.rfftfreq(DAY)
    found = []
    for low, high in (SNM_BAND_HZ, SSNM_BAND_HZ):
        inside = (frequency >= low) & (frequency <= high)
        found.append(np.log10(power[:, inside].mean() / 100) + 2.5)
    return found


@pytest.mark.parametrize(("snm", "ssnm"), PAIRS)
def test_magnitudes_are_recovered_by_the_standard_procedure(snm, ssnm):
    first, days = 18_262 * DAY, 30
    noise = GravimeterNoise(snm=snm, ssnm=ssnm)
    quake = GreatEarthquake(
        origin_ns=(first + 12 * DAY) * 10**9, latitude_deg=38.0, longitude_deg=142.0, moment_n_m=2e21
    )
    record = gravity_record(
        first, first + days * DAY, noise=noise, earthquakes=[quake], **SITE,
        drift=Drift(reference_s=first, rates=(0.3,)),
        steps=[Step(time_s=first + 3 * DAY + 5, offset_nm_s2=40)],
    )  # fmt: skip
    tide = gravity_tide(first, first + days * DAY, latitude_deg=48.33, longitude_deg=8.33, height_m=589.0)
    found_snm, found_ssnm = standard_magnitudes(record.gravity, record.pressure_hpa, tide, days)
    assert found_snm == pytest.approx(snm, abs=0.05)
    # The quietest days and the polynomial take some of the sub-seismic noise away: 0.1 to 0.3.
    assert ssnm - 0.45 < found_ssnm < ssnm + 0.1


EVERYTHING = {
    "noise": NOISE,
    "admittance": Admittance(long_nm_s2_hpa=-2.8, short_nm_s2_hpa=-3.4),
    "earthquakes": [
        GreatEarthquake(origin_ns=DAY * 10**9 + 5, latitude_deg=3.3, longitude_deg=95.9, moment_n_m=4e22)
    ],
    "drift": Drift(reference_s=0, rates=(0.5, 0.01), settling_nm_s2=50.0),
    "steps": [Step(time_s=DAY + 7, offset_nm_s2=-30.0)],
    "rises": [Rise(start_s=DAY, full_s=2 * DAY, stop_s=3 * DAY, low_hz=1e-3, high_hz=0.02, gain_db=6.0)],
}
WHOLE = gravity_record(DAY // 2, 4 * DAY, **EVERYTHING, **SITE)


@settings(max_examples=10, deadline=None)
@given(begin=st.integers(0, 3 * DAY), length=st.integers(1, DAY // 2))
def test_any_cut_is_the_same(begin, length):
    first = DAY // 2 + begin
    cut = gravity_record(first, first + length, **EVERYTHING, **SITE)
    for field in fields(cut)[1:]:
        whole = getattr(WHOLE, field.name)
        np.testing.assert_array_equal(getattr(cut, field.name), whole[begin : begin + length], field.name)


def test_a_record_is_the_sum_of_its_parts():
    parts = WHOLE.tide + WHOLE.pressure_effect + WHOLE.oscillations + WHOLE.drift + WHOLE.noise
    np.testing.assert_array_equal(WHOLE.gravity, parts)
    assert all(getattr(WHOLE, field.name).any() for field in fields(WHOLE)[1:])


def test_drift_and_steps():
    drift = Drift(reference_s=0, rates=(1.0, -0.5), settling_nm_s2=10.0, settling_days=2.0)
    found = drift_gravity(-DAY, 4 * DAY + 1, drift)[[0, DAY, 5 * DAY]]
    np.testing.assert_allclose(found, [-1.5, 0.0, 4 - 8 - 10 * (1 - np.exp(-2))])
    steps = [Step(time_s=10, offset_nm_s2=3.0), Step(time_s=99, offset_nm_s2=1.0)]
    np.testing.assert_array_equal(step_gravity(9, 12, steps), [0, 3, 3])


def test_a_drift_refuses():
    with pytest.raises(ConfigError, match="settling_days"):
        Drift(reference_s=0, settling_days=0.0)

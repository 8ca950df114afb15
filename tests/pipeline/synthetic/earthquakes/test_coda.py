from dataclasses import replace

import numpy as np
import pytest
from quakes import CRUST, FAR, NEAR, ORIGIN_NS, RATE_HZ, make, quake, sample
from scipy.signal import butter, sosfiltfilt

from pipeline.synthetic.earth.model import Scattering, half_space
from pipeline.synthetic.earthquakes.coda import CodaWave, make_coda


def octave(data, low_hz, high_hz):
    return sosfiltfilt(butter(4, [low_hz, high_hz], "bandpass", fs=RATE_HZ, output="sos"), data)


@pytest.mark.parametrize("centre_hz", [2.0, 8.0])
def test_coda_decays_as_single_scattering_with_its_q(centre_hz):
    power = 0.0
    for k in range(12):
        made = make(quake(event_id=f"e{k}", mw=3.5), FAR, replace(CRUST, curved=False))
        start = round(ORIGIN_NS * RATE_HZ / 1e9) - made.first
        filtered = octave(made.data.astype(float), centre_hz * 0.8, centre_hz * 1.25)
        power = power + (filtered[:, : start + 9000] ** 2).sum(axis=0)
    lapse = (np.arange(len(power)) - start) / RATE_HZ
    s_time = (made.s_ns - ORIGIN_NS) / 1e9
    # Sato's K is 2/x² (1 + 1/3x² + ...), here within 6 %: amplitude · t falls as exp(−π f t / Qc).
    within = (lapse > 2.2 * s_time) & (lapse < 88)
    slope = np.polyfit(lapse[within], np.log(power[within] * lapse[within] ** 2), 1)[0]
    qc = -2 * np.pi * centre_hz / slope
    assert qc == pytest.approx(110 * centre_hz**0.8, rel=0.12)


def test_coda_has_the_level_of_single_scattering():
    scattered = Scattering(
        coefficient_per_km=0.01, p_ratio=0.0, qc0=1e9, qc_exponent=0.0, forward_km=np.inf, shallow=0.0
    )
    layers = half_space()
    mw, path_km = 3.0, np.hypot(12.0, 5.0)
    site = replace(NEAR, latitude=46 + 5 / 111.15, longitude=7.0, kappa_s=0.04)
    power, start, stop = 0.0, 2500, 4500
    for k in range(8):
        event = quake(event_id=f"e{k}", mw=mw, depth_km=12.0)
        made = make(event, site, replace(CRUST, layers=layers, scattering=scattered))
        origin = round(ORIGIN_NS * RATE_HZ / 1e9) - made.first
        power += (made.data[:, origin + start : origin + stop].astype(float) ** 2).sum(axis=0).mean() / 8
    # Energy of S on a free surface, mean over all directions: √0.4 for the double couple, 2 for the surface.
    moment = 10 ** (1.5 * mw + 9.1)
    level = 2 * np.sqrt(0.4) * moment / (4 * np.pi * 2700 * 3464**3 * path_km * 1e3)
    corner_hz = 4.9e6 * 3.464 * (30 / (moment * 1e7)) ** (1 / 3)
    f = np.arange(0, 50, 0.01)
    spectrum = 2 * np.pi * f * level / (1 + (f / corner_hz) ** 2) * np.exp(-np.pi * f * 0.04)
    energy = 2 * (spectrum**2).sum() * 0.01
    # Sato (1977): W g0 / (4π r²) · K(v t / r), where the direct wave has W / (4π r² v) for all its time.
    x = np.linspace(start, stop, 500) / RATE_HZ * 3.464 / path_km
    expected = energy * 0.01 * 3.464 * (np.log((x + 1) / (x - 1)) / x).mean()
    assert power == pytest.approx(expected, rel=0.1)


def test_coda_is_on_all_components_and_differs_between_stations():
    made = make(quake(mw=3.0), FAR)
    late = int(sample(made, made.s_ns)) + 2500
    coda = made.data[:, late : late + 6000].astype(float)
    share = (coda**2).sum(axis=1) / (coda**2).sum()
    np.testing.assert_allclose(share, [0.28, 0.36, 0.36], atol=0.06)
    correlation = np.corrcoef(coda)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.2
    beside = make(quake(mw=3.0), replace(FAR, name="BESIDE")).data[:, late : late + 6000]
    assert abs(np.corrcoef(coda[0], beside[0])[0, 1]) < 0.2


def test_coda_after_twice_the_s_time_forgets_the_distance():
    found = []
    for site in (NEAR, FAR):
        power = 0.0
        for k in range(6):
            made = make(quake(event_id=f"e{k}", mw=3.5), replace(site, elevation_m=0.0))
            start = round(ORIGIN_NS * RATE_HZ / 1e9) - made.first
            power += (octave(made.data[2].astype(float), 0.9, 1.8)[start + 5000 : start + 7000] ** 2).mean()
        found.append(power)
    assert found[0] / found[1] == pytest.approx(1, abs=0.5)


def test_nothing_is_scattered_where_nothing_scatters():
    none, f = Scattering(coefficient_per_km=0.0), np.arange(65) / 2
    waves = [
        CodaWave.tie(
            wave, none, level=1.0, spectrum=f, frequency_hz=f, step_hz=0.5, time_s=1.0, speed_km_s=6.0
        )
        for wave in "PS"
    ]
    draw = np.random.default_rng(1)
    assert make_coda(waves, none, rate_hz=64.0, onset=3.5, floor_m_s=1e-9, draw=draw).shape == (3, 0)

"""An absolute quantum gravimeter on Etna: odd rate, gaps, nm/s² of 9.8 m/s², counts of pressure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy
import pytest

from pipeline.noise.magnitudes import SNM_BAND_S, SSNM_BAND_S, noise_magnitude, spectrum
from pipeline.noise.pressure import mend_pressure, without_pressure
from pipeline.noise.residuals import day_residual
from pipeline.noise.tide import gravity_tide

SAMPLES = 160_000
RATE_HZ = SAMPLES / 86_400
PLACE = {"latitude_deg": 37.76589, "longitude_deg": 15.016805, "height_m": 2920.0}


def day_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples on the day's grid, and their times."""
    stream = obspy.read(path)
    start_s = stream[0].stats.starttime.timestamp // 86_400 * 86_400
    row = np.full(SAMPLES, np.nan)
    for trace in stream:
        first = round((trace.stats.starttime.timestamp - start_s) * RATE_HZ)
        row[first : first + len(trace)] = trace.data[: SAMPLES - first]
    return row, start_s + np.arange(SAMPLES) / RATE_HZ


def share_of_tide(gravity: np.ndarray, time_s: np.ndarray) -> float:
    present = np.isfinite(gravity)
    tide = gravity_tide(time_s, **PLACE)[present]
    line = np.stack([np.ones(len(tide)), tide], axis=1)
    return float(np.linalg.lstsq(line, gravity[present] - gravity[present].mean(), rcond=None)[0][1])


@pytest.mark.parametrize(("name", "share"), [("MGZ.D", 1.0), ("MGZ.Q", 0.0)])
def test_half_a_day_holds_the_tide_or_what_is_left_of_it(data_folder, name, share):
    gravity, time_s = day_of(data_folder / "gravity" / "etna-aqg" / name / f"NG.AQG..{name}.2020.213")
    # White noise of 1500 nm/s² a root hertz leaves an error of 0.01; ocean and air are in it.
    assert share_of_tide(gravity, time_s) == pytest.approx(share, abs=0.1)


def test_its_noise_is_white_and_as_published(data_folder):
    folder = data_folder / "gravity" / "etna-aqg"
    gravity, time_s = day_of(folder / "MGZ.D" / "NG.AQG..MGZ.D.2020.213")
    counts, _ = day_of(folder / "MDO.D" / "NG.AQG..MDO.D.2020.213")
    # Its StationXML says 1e5 counts a pascal; 736,168 counts are the air of 2,900 m at 1,000 a hectopascal.
    mended = mend_pressure(counts / 1000.0, RATE_HZ)
    assert np.nanmedian(mended.pressure_hpa) == pytest.approx(736, abs=3)
    left = without_pressure(gravity - gravity_tide(time_s, **PLACE), mended.pressure_hpa)
    residual = day_residual(left)
    present = np.flatnonzero(np.isfinite(residual))
    found = spectrum(residual[present[0] : present[-1] + 1], RATE_HZ)
    short = found.frequency_hz > 0.02
    low = (found.frequency_hz > 1 / 600) & (found.frequency_hz < 1 / 200)
    density = [float(np.sqrt(found.psd_nm2_s4_hz[each].mean())) for each in (short, low)]
    # White down to ten minutes, and of the size that reaches 10 nm/s² within a few hours.
    assert density == pytest.approx([1530, 1440], rel=0.05)
    assert noise_magnitude(found, SNM_BAND_S) == pytest.approx(6.82, abs=0.05)
    assert np.isfinite(noise_magnitude(found, SSNM_BAND_S))


def test_an_hour_of_it_has_no_ssnm(data_folder):
    gravity, _ = day_of(data_folder / "gravity" / "etna-aqg" / "NG.AQG..MGZ.D.2020.252")
    assert np.isnan(noise_magnitude(spectrum(gravity[:6667], RATE_HZ), SSNM_BAND_S))

import numpy as np
import pytest
import scipy.signal

from pipeline.synthetic.ground import regional_field
from pipeline.synthetic.ground.ambient import SLOW_RATE_HZ, Ambient, slow_noise
from pipeline.synthetic.ground.spectra import draw_spectra

DAYS = 18640


def test_rayleigh_waves_are_retrograde():
    """Without Love waves and own noise, the radial of each wave leads the vertical by a quarter."""
    gains = regional_field._polarisation(5, "rayleigh")
    azimuths, shares = regional_field._directions(5)
    toward = np.radians(azimuths)
    sign = np.sign(np.cos(toward))
    np.testing.assert_allclose(np.angle(gains[1] * sign / gains[0]), np.pi / 2)
    both = np.abs(gains) ** 2 + np.abs(regional_field._polarisation(5, "love")) ** 2
    np.testing.assert_allclose(both.sum(axis=1), 1.0)
    assert shares.sum() == pytest.approx(1)


def test_a_wave_arrives_later_further_on(monkeypatch):
    monkeypatch.setattr(regional_field, "_directions", lambda seed: (np.full(6, 90.0), np.full(6, 1 / 6)))
    regional_field._polarisation.cache_clear()
    spectra = draw_spectra(5, "PB01")
    first = DAYS * 86400 * SLOW_RATE_HZ
    west, east = (
        slow_noise(
            Ambient(seed=5, station="A", spectra=spectra, east_km=x), first, first + 86400 * 2, components="Z"
        )[0].astype(np.float64)
        for x in (0.0, 62.0)
    )
    regional_field._polarisation.cache_clear()
    band = scipy.signal.butter(2, [0.15, 0.25], "bandpass", fs=2, output="sos")
    west, east = (scipy.signal.sosfiltfilt(band, record) for record in (west, east))
    lags = np.arange(-60, 61)
    found = [np.dot(west[100:-100], np.roll(east, -lag)[100:-100]) for lag in lags]
    # own parts are of one name here, so they peak at 0: the field's peak stands beside
    late = lags[75 + int(np.argmax(found[75:]))] / SLOW_RATE_HZ
    assert 62 / 3.4 < late < 62 / 2.6

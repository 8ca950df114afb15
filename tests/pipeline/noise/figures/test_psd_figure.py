"""Spectra of gravimeters: units, means, bands, and which of many are named."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.noise.figures.psd_curves import SpectrumCurve, psd_chart
from pipeline.noise.magnitudes import SNM_BAND_S, Spectrum
from pipeline.noise.noise_models import nhnm_db

FREQUENCIES = np.arange(1, 4321) / 86_400


def curve(label: str, level: float, *, days: int = 0) -> SpectrumCurve:
    rng = np.random.default_rng(sum(map(ord, label)))
    red = level * (1 + (1e-3 / FREQUENCIES) ** 2)
    spectra = [
        Spectrum(FREQUENCIES, red * rng.chisquare(6, FREQUENCIES.size) / 6) for _ in range(max(days, 1))
    ]
    mean = Spectrum(FREQUENCIES, np.mean([each.psd_nm2_s4_hz for each in spectra], axis=0))
    return SpectrumCurve(label, mean, spectra if days else ())


def drawn(figure, colour: str):
    return [line.get_data() for line in figure.axes[0].lines if line.get_color() == colour]


@pytest.mark.parametrize(("unit", "level_db"), [("(m/s²)²/Hz", -160.0), ("µGal²/Hz", 0.0)])
def test_white_noise_has_its_level_in_either_unit(unit, level_db):
    """100 (nm/s²)²/Hz are 1 µGal²/Hz and 1e-16 (m/s²)²/Hz."""
    white = SpectrumCurve("G01", Spectrum(FREQUENCIES, np.full(FREQUENCIES.size, 100.0)))
    figure = psd_chart([white], title="T", unit=unit)
    ((_, y),) = drawn(figure, "#1B4FD6")
    np.testing.assert_allclose(y, level_db)
    models = drawn(figure, "#8A8F96")
    expected = nhnm_db(models[1][0]) + (level_db + 160.0)
    np.testing.assert_allclose(models[1][1], expected)


def test_parts_of_an_octave_hold_mean_power():
    power = np.ones(FREQUENCIES.size)
    power[2000:2100:2] = 199.0
    figure = psd_chart([SpectrumCurve("A", Spectrum(FREQUENCIES, power))], title="T", per_octave=1.0)
    ((period, level),) = drawn(figure, "#1B4FD6")
    octave = np.round(np.log2(FREQUENCIES)) == np.round(np.log2(FREQUENCIES[2000]))
    assert level[period.argmin() + np.argmin(abs(period - 1 / FREQUENCIES[octave].mean()))] == pytest.approx(
        10 * np.log10(power[octave].mean()) - 180.0
    )


@pytest.mark.parametrize("count", [1, 8, 9, 40])
def test_texts_stand_apart(check_texts, count):
    curves = [curve(f"NG.STA{k:02d}..MGZ", 10.0 * 1.01**k, days=2) for k in range(count)]
    texts = check_texts(psd_chart(curves, title="Quiet days of gravimeters"))
    assert {"SNM", "SSNM", "TNM", "NLNM", "NHNM"} <= set(texts)
    named = [text for text in texts if "NG.STA" in text]
    if count <= 8:
        assert named == [each.label for each in curves]
        assert any("thin: 2 days each" in text for text in texts)
    else:
        assert len(named) == 2


def test_of_many_the_quietest_and_the_loudest_are_named(check_texts):
    levels = np.random.default_rng(1).permutation(np.geomspace(1, 1e4, 12))
    curves = [curve(f"S{k:02d}", level) for k, level in enumerate(levels)]
    texts = check_texts(psd_chart(curves, title="T"))
    assert f"quietest: S{levels.argmin():02d}" in texts
    assert f"loudest: S{levels.argmax():02d}" in texts
    assert "median" in texts


def test_bands_are_shaded_where_they_are():
    figure = psd_chart([curve("A", 10.0)], title="T")
    spans = [
        patch.get_extents().transformed(figure.axes[0].transData.inverted())
        for patch in figure.axes[0].patches
    ]
    assert (spans[0].x0, spans[0].x1) == pytest.approx(SNM_BAND_S)
    short = psd_chart([curve("A", 10.0)], title="T", limits_s=(20.0, 100.0))
    assert not short.axes[0].patches


def test_nothing_is_said(check_texts):
    none = SpectrumCurve("A", Spectrum(FREQUENCIES, np.full(FREQUENCIES.size, np.nan)))
    assert check_texts(psd_chart([none], title="T"))[1] == "There is no spectrum of any of 1 stations."
    assert any(
        "1 of 2 stations" in text for text in check_texts(psd_chart([none, curve("B", 1.0)], title="T"))
    )


def test_units_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match="unit should be one of"):
        psd_chart([curve("A", 1.0)], title="T", unit="counts²/Hz")

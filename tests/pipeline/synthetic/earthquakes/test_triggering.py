"""Triggering: each law against its closed form or its integral, and draws that keep to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quakes import SWARM
from scipy import stats

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.faulting import kilometres_between
from pipeline.synthetic.earthquakes.rupture import rupture_length_km
from pipeline.synthetic.earthquakes.triggering import (
    Aftershocks,
    GutenbergRichter,
    OmoriUtsu,
    draw_offspring,
    draw_swarm,
)

GAUSS = np.polynomial.legendre.leggauss(60)


@given(b=st.floats(0.5, 2), span=st.floats(0.5, 6))
def test_magnitudes_of_a_law_with_an_end(b, span):
    law = GutenbergRichter(b=b, m_min=1.0, m_max=1.0 + span)
    mw = law.draw(2000, generator(1, "magnitudes"))
    expected = stats.truncexpon(b=b * np.log(10) * span, loc=1.0, scale=1 / (b * np.log(10)))
    assert stats.kstest(mw, expected.cdf).pvalue > 1e-3


@given(fraction=st.floats(0, 1), p=st.sampled_from([0.8, 1.0, 1 + 1e-7, 1.3]))
def test_omori_times_invert_its_integral(fraction, p):
    law = OmoriUtsu(p=p, c_s=50.0, lasts_s=1e6)
    time_s = float(law.times_s(fraction))

    def integral(until):
        nodes, weights = GAUSS
        x = np.log1p(until / 50.0) * (nodes + 1) / 2  # in ln(1 + t/c) the rate is smooth
        return np.log1p(until / 50.0) / 2 * (np.exp((1 - p) * x) @ weights)

    assert integral(time_s) / integral(1e6) == pytest.approx(fraction, abs=1e-6)


@given(alpha=st.floats(0.3, 1.2), b=st.sampled_from([0.7, 1.0, 1.2]))
def test_branching_ratio_is_the_mean_productivity(alpha, b):
    law = GutenbergRichter(b=b, m_min=0.0, m_max=5.0)
    x = np.linspace(0, 5, 20_001)
    density = b * np.log(10) * 10 ** (-b * x) / (1 - 10 ** (-b * 5))
    expected = np.trapezoid(0.1 * 10 ** (alpha * x) * density, x)
    assert Aftershocks(productivity=0.1, alpha=alpha).offspring_per_event(law) == pytest.approx(
        expected, rel=1e-6
    )


def test_offspring_keep_to_the_laws_they_are_drawn_from():
    law, magnitudes = Aftershocks(omori=OmoriUtsu(p=1.2, c_s=50.0)), GutenbergRichter(b=0.9)
    delay_s, mw, places, mechanisms = draw_offspring(
        3000,
        law,
        magnitudes,
        mw=3.0,
        hypocentre=(50.0, 8.0, 9.0),
        mechanism=(40.0, 65.0, -30.0),
        depth_km=(1.0, 18.0),
        random=generator(1, "offspring"),
    )
    assert np.median(delay_s) == pytest.approx(float(law.omori.times_s(0.5)), rel=0.3)
    assert delay_s.max() <= law.omori.lasts_s
    expected = stats.truncexpon(b=0.9 * np.log(10) * 6.5, scale=1 / (0.9 * np.log(10)))
    assert stats.kstest(mw, expected.cdf).pvalue > 1e-3
    # The hypocentre lies on its rupture, though not at its centre.
    north_km, east_km = kilometres_between(50.0, 8.0, places[0], places[1])
    offsets_km = np.median([north_km, east_km, places[2] - 9.0], axis=1)
    assert np.linalg.norm(offsets_km) < rupture_length_km(3.0)
    np.testing.assert_allclose(np.median(mechanisms, axis=1), (40.0, 65.0, -30.0), atol=2)


def test_a_swarm_spreads_as_the_root_of_time():
    time_s, mw, places, _ = draw_swarm(SWARM, generator(1, "swarm"))
    north = (places[0] - 49.9) * 111.195
    east = (places[1] - 7.9) * 111.195 * np.cos(np.radians(49.9))
    distance_km = np.sqrt(north**2 + east**2 + (places[2] - 5.0) ** 2)
    front_km = SWARM.radius_km * np.sqrt(np.clip(time_s / SWARM.lasts_s, 0, 1))
    assert (distance_km < front_km + 0.15).all()  # a disc with a thickness of 30 m, one standard deviation
    # Even over the disc: the median of distances is the front's over the square root of two.
    assert np.median(distance_km / front_km) == pytest.approx(2**-0.5, rel=0.1)
    assert mw.min() >= SWARM.magnitudes.m_min


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GutenbergRichter(m_min=2, m_max=1), "m_max above m_min"),
        (lambda: OmoriUtsu(c_s=0), "above 0"),
    ],
)
def test_refuses(make, words):
    with pytest.raises(ConfigError, match=words):
        make()

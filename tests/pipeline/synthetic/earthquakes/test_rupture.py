"""Ruptures: sizes against Wells & Coppersmith's own earthquakes, and where aftershocks lie about them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes import rupture
from pipeline.synthetic.earthquakes.faulting import plane_vectors


# Wells & Coppersmith (1994), table 1: Mw, subsurface length and width in km.
@pytest.mark.parametrize(
    ("mw", "length_km", "width_km"),
    [(7.34, 62, 12), (6.92, 40, 16), (6.88, 33, 20), (6.64, 17, 14)],
    ids=["Landers 1992", "Loma Prieta 1989", "Borah Peak 1983", "San Fernando 1971"],
)
def test_ruptures_are_within_two_standard_deviations_of_real_ones(mw, length_km, width_km):
    assert abs(np.log10(rupture.rupture_length_km(mw) / length_km)) < 2 * 0.16
    assert abs(np.log10(rupture.rupture_width_km(mw) / width_km)) < 2 * 0.15


def test_ruptures_are_never_wider_than_long():
    mw = np.linspace(-2, 8, 200)
    assert (rupture.rupture_width_km(mw) <= rupture.rupture_length_km(mw)).all()


def test_distances_of_aftershocks_decay_as_stated():
    offsets = rupture.offsets_about_rupture(
        20_000, mw=-3.0, strike_deg=10.0, dip_deg=60.0, random=generator(1), decay=1.5, flattening=1.0
    )
    distance = np.linalg.norm(offsets, axis=1)

    def expected(r):  # integral of (0.1 + r)^-1.5 up to 30 km
        return (1 - (1 + r / 0.1) ** -0.5) / (1 - 301**-0.5)

    assert stats.kstest(distance, expected).pvalue > 1e-3


@pytest.mark.parametrize(("mw", "length_km"), [(6.0, 12.6), (7.0, 49.0)])
def test_the_area_of_aftershocks_grows_with_magnitude(mw, length_km):
    offsets = rupture.offsets_about_rupture(
        3000, mw=mw, strike_deg=90.0, dip_deg=90.0, random=generator(2), near_km=0.001
    )
    east = np.sort(offsets[:, 1])
    # Nine tenths of them lie within the length of Wells & Coppersmith, and they fill nearly all of it.
    widest = np.searchsorted(east, east + 1.02 * length_km) - np.arange(3000)
    assert widest.max() > 0.9 * 3000
    inside = east[widest.argmax() : widest.argmax() + widest.max()]
    assert np.ptp(inside) > 0.95 * length_km
    assert np.diff(inside).max() < 0.05 * length_km


def test_a_large_rupture_stays_in_the_brittle_crust():
    limits = (-7.0, 6.0)  # a hypocentre 8 km deep on a vertical plane from 2 to 15 km
    offsets = rupture.offsets_about_rupture(
        4000, mw=7.5, strike_deg=0.0, dip_deg=90.0, random=generator(5), near_km=1e-4, up_dip_km=limits
    )
    down = offsets[:, 2]
    assert np.mean((down > -6.1) & (down < 7.1)) > 0.9
    assert np.ptp(np.quantile(down, [0.03, 0.97])) > 0.8 * 13
    # The area is that of Wells & Coppersmith all the same.
    width_km, length_km = 10 ** (-1.01 + 0.32 * 7.5), 10 ** (-2.44 + 0.59 * 7.5)
    along_km = np.ptp(np.quantile(offsets[:, 0], [0.01, 0.99]))
    assert along_km == pytest.approx(length_km * width_km / 13, rel=0.05)


def test_aftershocks_trace_their_plane():
    offsets = rupture.offsets_about_rupture(
        5000, mw=5.0, strike_deg=40.0, dip_deg=65.0, random=generator(3), flattening=0.1
    )
    aligned = abs(offsets @ np.stack(plane_vectors(40.0, 65.0)).T)
    along, up_dip, off = np.median(aligned, axis=0)
    assert off < 0.1 * along
    assert off < 0.1 * up_dip

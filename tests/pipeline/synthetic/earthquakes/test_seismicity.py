"""Seismicity: the laws that went in are estimated back by their published maximum-likelihood estimators."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace

import numpy as np
import pytest
from quakes import SWARM
from scipy import optimize, stats

from pipeline.errors import ConfigError
from pipeline.synthetic.earthquakes.catalog import Catalog
from pipeline.synthetic.earthquakes.faulting import draw_planes
from pipeline.synthetic.earthquakes.seismicity import Background, Mainshock, simulate
from pipeline.synthetic.earthquakes.triggering import Aftershocks, GutenbergRichter, OmoriUtsu

DAY_NS = 86_400 * 10**9
START_NS = 17_000 * DAY_NS
REGION = {"latitude": 50.0, "longitude": 8.0, "width_km": 100.0, "height_km": 80.0}
QUIET = Background(events_per_day=0.0, **REGION)
BUSY = Background(events_per_day=40.0, planes=draw_planes(5, seed=1, **REGION), **REGION)
LAW = GutenbergRichter(b=0.95, m_min=-0.5, m_max=6.5)
TRIGGERS = Aftershocks(productivity=0.1, alpha=0.8, omori=OmoriUtsu(p=1.15, c_s=400.0))
SHOCK = Mainshock(
    time=dt.datetime(2016, 7, 21, 0, 0, 0, 12, tzinfo=dt.UTC),
    latitude=50.1,
    longitude=8.1,
    depth_km=8.0,
    mw=6.0,
    strike_deg=120.0,
    dip_deg=80.0,
    rake_deg=170.0,
)


def run(seed=1, days=10, background=BUSY, magnitudes=LAW, aftershocks=TRIGGERS, **more):
    return simulate(
        seed=seed,
        start_ns=START_NS,
        stop_ns=START_NS + round(days * DAY_NS),
        background=background,
        magnitudes=magnitudes,
        aftershocks=aftershocks,
        **more,
    )


def assert_equal(one: Catalog, other: Catalog):
    for field in fields(Catalog):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


def estimate_b(mw, m_min):
    """Return b and its standard error (Aki 1965)."""
    b = np.log10(np.e) / (mw.mean() - m_min)
    return b, b / np.sqrt(len(mw))


def estimate_omori(time_s, lasts_s):
    """
    Return p, ln c and their standard errors: Ogata's (1983) likelihood of a Poisson process.

    Productivity, whose estimate is the number of events over the integral, is put in.
    """

    def minus_log_likelihood(values):
        p, log_c = values
        c = np.exp(log_c)
        if abs(p - 1) < 1e-6:
            integral = np.log1p(lasts_s / c)
        else:
            integral = (c ** (1 - p) - (lasts_s + c) ** (1 - p)) / (p - 1)
        return len(time_s) * np.log(integral) + p * np.log(time_s + c).sum()

    found = optimize.minimize(
        minus_log_likelihood,
        (1.0, np.log(1000.0)),
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-4},
    ).x
    step, curvature = 1e-2 * np.eye(2), np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            curvature[i, j] = (
                minus_log_likelihood(found + step[i] + step[j])
                - minus_log_likelihood(found + step[i] - step[j])
                - minus_log_likelihood(found - step[i] + step[j])
                + minus_log_likelihood(found - step[i] - step[j])
            ) / 4e-4
    return found, np.sqrt(np.diag(np.linalg.inv(curvature)))


def assert_standard_normal(z):
    """Refuse errors that are larger, or much smaller, than their standard errors say."""
    z = np.asarray(z)
    assert abs(z).max() < 3.3
    assert abs(z.mean()) < 3 / np.sqrt(len(z))
    assert stats.chi2.cdf((z**2).sum(), len(z)) < 0.999


def test_b_comes_back():
    z = []
    for seed in range(8):
        b, error = estimate_b(run(seed).mw, LAW.m_min)
        assert error < 0.05
        z.append((b - LAW.b) / error)
    assert_standard_normal(z)


@pytest.mark.parametrize("p", [0.9, 1.0, 1.15])
def test_p_and_c_come_back_from_the_aftershocks_of_a_mainshock(p):
    days = 60
    triggers = Aftershocks(productivity=0.02, alpha=0.8, omori=OmoriUtsu(p=p, c_s=400.0))
    z = []
    for seed in range(6):
        catalog = run(seed, days=3 + days, background=QUIET, aftershocks=triggers, mainshocks=[SHOCK])
        shock_id = catalog.event_id[catalog.kind == "mainshock"][0]
        time_s = (catalog.origin_ns[catalog.parent_id == shock_id] - SHOCK.origin_ns) / 1e9
        assert len(time_s) > 500
        found, error = estimate_omori(time_s, days * 86_400.0)
        z.append((found - (p, np.log(400.0))) / error)
    assert_standard_normal(np.array(z)[:, 0])
    assert_standard_normal(np.array(z)[:, 1])


def test_each_event_has_as_many_offspring_as_the_branching_ratio_says():
    law = GutenbergRichter(b=1.0, m_min=0.0, m_max=4.0)
    triggers = Aftershocks(productivity=0.15, alpha=0.7, omori=OmoriUtsu(lasts_s=3600.0))
    ratio = triggers.offspring_per_event(law)
    catalog = run(
        days=40, background=Background(events_per_day=150.0, **REGION), magnitudes=law, aftershocks=triggers
    )
    # Families end within hours, so nearly all are whole: 1 / (1 - ratio) events for each that came first.
    roots = int((catalog.kind == "background").sum())
    assert roots == pytest.approx(6000, abs=4 * np.sqrt(6000))
    assert len(catalog) / roots == pytest.approx(1 / (1 - ratio), rel=0.05)


def test_productivity_grows_with_magnitude_as_alpha_says():
    counts = []
    for seed, mw in enumerate((4.0, 5.0, 6.0)):
        shocks = [
            replace(SHOCK, time=dt.datetime(2016, 7, 18, 0, minute, tzinfo=dt.UTC), mw=mw)
            for minute in range(10)
        ]
        triggers = Aftershocks(productivity=0.02, alpha=0.8, omori=OmoriUtsu(lasts_s=86_400.0))
        catalog = run(seed, days=2, background=QUIET, aftershocks=triggers, mainshocks=shocks)
        direct = np.isin(catalog.parent_id, catalog.event_id[catalog.kind == "mainshock"]).sum()
        expected = 10 * 0.02 * 10 ** (0.8 * (mw + 0.5))
        counts.append((direct - expected) / np.sqrt(expected))
    assert_standard_normal(counts)


def test_background_is_a_poisson_process():
    still = Aftershocks(productivity=0.0)
    catalog = run(days=200, aftershocks=still)
    assert set(catalog.kind.tolist()) == {"background"}
    per_day = np.bincount((catalog.origin_ns - START_NS) // DAY_NS, minlength=200)
    assert per_day.mean() == pytest.approx(40, abs=4 * np.sqrt(40 / 200))
    assert per_day.var() / per_day.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 200))
    waits_s = np.diff(catalog.origin_ns) / 1e9
    assert stats.kstest(waits_s, stats.expon(scale=86_400 / 40).cdf).pvalue > 1e-3


def test_a_longer_catalog_begins_with_the_shorter_one():
    more = {"mainshocks": [SHOCK], "swarms": [SWARM]}
    short, long = run(days=4.3, **more), run(days=9, **more)
    assert len(short) > 1000
    assert_equal(long.between(START_NS, START_NS + round(4.3 * DAY_NS)), short)


def test_a_mainshock_changes_nothing_that_it_did_not_trigger():
    alone, shaken = run(days=5), run(days=5, mainshocks=[SHOCK], swarms=[SWARM])
    kept = shaken.take(np.isin(shaken.event_id, alone.event_id))
    assert_equal(kept, alone)
    assert len(shaken) > len(alone) + 1000


def test_seeds_give_other_events():
    assert not set(run(1).event_id.tolist()) & set(run(2).event_id.tolist())


def test_names_are_unique_and_parents_come_first():
    catalog = run(days=30, mainshocks=[SHOCK], swarms=[SWARM])
    number = {name: index for index, name in enumerate(catalog.event_id.tolist())}
    assert len(number) == len(catalog) > 2000
    children = np.flatnonzero(catalog.kind == "aftershock")
    assert (np.diff(catalog.origin_ns) >= 0).all()
    assert all(number[catalog.parent_id[child]] < child for child in children)
    assert not catalog.parent_id[catalog.kind != "aftershock"].any()
    days = np.datetime_as_string(catalog.origin_ns.astype("datetime64[ns]"), unit="D")
    assert all(name.startswith(day.replace("-", "")) for name, day in zip(number, days, strict=True))


def test_the_mainshock_is_as_given():
    catalog = run(days=4, mainshocks=[SHOCK])
    found = catalog.take(catalog.kind == "mainshock")
    assert len(found) == 1
    assert found.origin_ns[0] == SHOCK.origin_ns == START_NS + 3 * DAY_NS + 12_000
    for name in {field.name for field in fields(Mainshock)} - {"time"}:
        assert getattr(found, name)[0] == pytest.approx(getattr(SHOCK, name)), name


def test_two_mainshocks_in_one_place_on_one_day_are_two():
    later = replace(SHOCK, time=SHOCK.time + dt.timedelta(hours=1))
    catalog = run(days=4, background=QUIET, mainshocks=[SHOCK, later])
    shocks = catalog.take(catalog.kind == "mainshock")
    assert len(set(shocks.event_id.tolist())) == 2
    families = [catalog.take(catalog.parent_id == name) for name in shocks.event_id]
    assert not set(families[0].mw.tolist()) & set(families[1].mw.tolist())


def test_a_swarm_has_seconds_between_its_events_and_grows():
    catalog = run(background=QUIET, swarms=[SWARM])
    swarm = catalog.take(catalog.kind == "swarm")
    waits_s = np.diff(swarm.origin_ns) / 1e9
    assert len(swarm) == 250
    assert 1 < np.median(waits_s) < 6
    assert (waits_s < 2).sum() > 50
    north = (swarm.latitude - 49.9) * 111.195
    east = (swarm.longitude - 7.9) * 111.195 * np.cos(np.radians(49.9))
    distance = np.sqrt(north**2 + east**2 + (swarm.depth_km - 5.0) ** 2)
    assert distance.max() < 1.0
    assert distance[:60].mean() < 0.8 * distance[-60:].mean()
    b, error = estimate_b(swarm.mw, 0.0)
    assert abs(b - 1.2) < 3 * error


def test_background_lies_on_faults_and_between():
    plane = BUSY.planes[0]
    one = Background(events_per_day=100.0, planes=(plane,), diffuse=0.25, **REGION)
    catalog = run(background=one, aftershocks=Aftershocks(productivity=0.0))
    strike, dip = np.radians([plane.strike_deg, plane.dip_deg])
    normal = np.array([-np.sin(dip) * np.sin(strike), np.sin(dip) * np.cos(strike), -np.cos(dip)])
    north = (catalog.latitude - plane.latitude) * 111.195
    east = (catalog.longitude - plane.longitude) * 111.195 * np.cos(np.radians(plane.latitude))
    off = np.stack([north, east, catalog.depth_km - plane.depth_km], axis=-1) @ normal
    near = abs(off) < 1.0
    assert near.mean() == pytest.approx(0.75, abs=0.06)
    assert catalog.depth_km.min() >= 1
    assert catalog.depth_km.max() <= 18
    # Mechanisms on the fault follow it: normals within a few times the 8 degrees of scatter.
    strikes, dips = np.radians(catalog.strike_deg[near]), np.radians(catalog.dip_deg[near])
    normals = np.stack([-np.sin(dips) * np.sin(strikes), np.sin(dips) * np.cos(strikes), -np.cos(dips)])
    assert np.degrees(np.median(np.arccos(np.clip(abs(normal @ normals), 0, 1)))) < 12


def test_stress_drops_are_log_normal():
    logarithm = np.log(run(days=30).stress_drop_mpa)
    assert np.median(logarithm) == pytest.approx(np.log(3), abs=0.1)
    assert stats.kstest((logarithm - np.log(3)) / 0.8, "norm").pvalue > 1e-3


def test_an_empty_span_has_no_events():
    assert len(run(days=0)) == 0
    assert len(run(background=QUIET)) == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: run(aftershocks=Aftershocks(productivity=0.5)), "0 to 1 direct"),
        (lambda: Background(events_per_day=-1, **REGION), "events_per_day"),
        (lambda: Background(events_per_day=1, depth_km=(5, 5), **REGION), "depth_km"),
    ],
)
def test_refuses(make, words):
    with pytest.raises(ConfigError, match=words):
        make()

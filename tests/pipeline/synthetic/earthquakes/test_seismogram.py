import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quakes import CRUST, FAR, NEAR, ORIGIN_NS, RATE_HZ, make, quake, sample

from pipeline.errors import ConfigError
from pipeline.synthetic.earth.model import Earth, Scattering, Site, half_space
from pipeline.synthetic.earth.slowness import random_field
from pipeline.synthetic.earthquakes.local_magnitude import local_magnitude, zero_to_peak_mm
from pipeline.synthetic.earthquakes.seismogram import arrival_times, synthesize

NO_SCATTERING = Scattering(coefficient_per_km=0.0, forward_km=np.inf, shallow=0.0)
GRANITE = Earth(
    layers=half_space(qp0=300.0, qs0=150.0, q_exponent=0.4),
    centre_latitude=46.0,
    centre_longitude=7.0,
    scattering=NO_SCATTERING,
)


def test_times_in_a_half_space():
    made = make(model=GRANITE)
    path = np.hypot(made.distance_km, 10.0)
    assert made.hypocentral_km == pytest.approx(path)
    assert made.p_ns - ORIGIN_NS == pytest.approx(path / 6.0 * 1e9, abs=2)
    assert made.s_ns - ORIGIN_NS == pytest.approx(path / 3.464 * 1e9, abs=2)


@pytest.mark.parametrize("mw", [1.0, 3.5])
def test_spectra_in_a_half_space_are_those_of_the_closed_formula(mw):
    event, site = quake(mw=mw, depth_km=60.0), replace(NEAR, latitude=46.0, longitude=7.0)
    made = make(event, site, GRANITE)
    split = int(sample(made, made.s_ns)) - 64
    moment, path = 10 ** (1.5 * mw + 9.1), 60e3
    # Straight above: P is on the vertical alone; S has its whole radiation in the plane of the surface.
    dip, rake = np.radians([60.0, -70.0])
    p_pattern = np.sin(rake) * np.sin(2 * dip)
    s_pattern = np.hypot(np.cos(rake) * np.cos(dip), np.sin(rake) * np.cos(2 * dip))
    # Brune's corner, in km/s, bar and dyn cm; that of P is 0.32/0.21 of it (Madariaga 1976).
    corner = 4.9e6 * 3.464 * (30 / (moment * 1e7)) ** (1 / 3)
    # P has vs/vp of the kappa of S.
    for data, speed, corner_hz, pattern, q0, kappa_s in (
        (made.data[:1, :split], 6000.0, corner * 0.32 / 0.21, p_pattern, 300.0, 0.03 * 3.464 / 6),
        (made.data[1:, split:], 3464.0, corner, s_pattern, 150.0, 0.03),
    ):
        spectrum = np.abs(np.fft.rfft(data.astype(float), 8192)) / RATE_HZ
        found = np.sqrt((spectrum**2).sum(axis=0))
        f = np.fft.rfftfreq(8192, 1 / RATE_HZ)
        within = (f > 1) & (f < 32)
        f = f[within]
        level = 2 * moment * abs(pattern) / (4 * np.pi * 2700 * speed**3 * path)
        loss = np.exp(-np.pi * f * (path / speed / (q0 * f**0.4) + kappa_s))
        expected = 2 * np.pi * f * level / (1 + (f / corner_hz) ** 2) * loss
        # 0.49 for 2.34/2π·(16/7)^⅓ is rounded, and the recorder takes 1 % at 32 Hz.
        np.testing.assert_allclose(found[within], expected, rtol=0.02)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**9), st.floats(-1, 5), st.floats(0.02, 0.06), st.floats(1, 20))
def test_nothing_comes_before_the_onset(shift_ns, mw, kappa_s, depth):
    event = quake(origin_ns=ORIGIN_NS + shift_ns, mw=mw, depth_km=depth)
    for model in (CRUST, replace(CRUST, scattering=NO_SCATTERING)):
        made = make(event, replace(NEAR, kappa_s=kappa_s), model)
        before = int(np.ceil(sample(made, made.p_ns)))
        energy = (made.data.astype(float) ** 2).sum(axis=0)
        # Against the first second of P alone: S would make it easy. A part of a sample is all there is.
        assert energy[:before].sum() < 1e-3 * energy[before : before + 100].sum()
        # A little earlier there is nothing that a recorder of 24 bits could tell from rest.
        assert energy[: before - 4].sum() < 1e-9 * energy[before : before + 100].max()
        assert before > 0.9 * RATE_HZ


def test_onset_is_placed_between_samples():
    event = quake()
    here = make(event, model=replace(CRUST, scattering=NO_SCATTERING))
    later = make(
        replace(event, origin_ns=ORIGIN_NS + 3_700_000), model=replace(CRUST, scattering=NO_SCATTERING)
    )
    count = 4096
    move = (later.first - here.first) / RATE_HZ
    ratio = np.fft.rfft(later.data[0], count) / np.fft.rfft(here.data[0], count)
    f = np.fft.rfftfreq(count, 1 / RATE_HZ)
    within = (f > 2) & (f < 20)
    expected = np.exp(-2j * np.pi * f * (0.0037 - move))
    assert np.median(np.abs(ratio - expected)[within]) < 0.01


def test_same_names_make_the_same_record_and_others_do_not():
    made = make()
    make(quake(event_id="between"), FAR)
    np.testing.assert_array_equal(make().data, made.data)
    for other in (make(seed=2), make(quake(event_id="e2")), make(site=replace(NEAR, name="N2"))):
        size = min(other.data.shape[1], made.data.shape[1])
        assert not np.allclose(other.data[:, :size], made.data[:, :size])
        assert (other.p_ns, other.s_ns) == (made.p_ns, made.s_ns)


def test_records_travel_between_processes():
    made = make()
    again = pickle.loads(pickle.dumps(made))
    assert again.arrivals == made.arrivals
    np.testing.assert_array_equal(again.data, made.data)


def test_a_later_origin_by_whole_samples_only_moves_the_record():
    made, later = make(), make(quake(origin_ns=ORIGIN_NS + 86400 * 10**9))
    assert later.first - made.first == 8_640_000
    np.testing.assert_array_equal(later.data, made.data)


def test_first_motion_points_along_the_ray():
    for azimuth in (40.0, 130.0, 250.0):
        turn = np.radians(azimuth)
        site = replace(NEAR, latitude=46 + 0.09 * np.cos(turn), longitude=7 + 0.13 * np.sin(turn))
        for rake in (90.0, -90.0):
            made = make(quake(rake_deg=rake, dip_deg=45.0), site, replace(CRUST, scattering=NO_SCATTERING))
            onset = int(sample(made, made.p_ns))
            up, north, east = made.data[:, onset : onset + 12].astype(float).sum(axis=1)
            first = made.arrivals[0]
            assert first.name == "P"
            assert np.sign(up) == first.polarity
            # Outwards and up together, or inwards and down.
            away = np.array([north, east]) * np.sign(up)
            found = np.degrees(np.arctan2(away[1], away[0]))
            assert (found - made.azimuth_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(
    ("strike", "dip", "rake"), [(20.0, 60.0, -70.0), (300.0, 85.0, 170.0), (0.0, 30.0, 90.0)]
)
def test_s_moves_the_ground_as_the_moment_tensor_says(strike, dip, rake):
    event = quake(strike_deg=strike, dip_deg=dip, rake_deg=rake, depth_km=60.0, mw=3.5)
    site = replace(NEAR, latitude=46.05, longitude=6.95)
    made = make(event, site, GRANITE)
    onset = int(sample(made, made.s_ns))
    up, *pulse = made.data[:, onset : onset + 8].astype(float).sum(axis=1)
    s, d, r = np.radians([strike, dip, rake])
    normal = np.array([-np.sin(d) * np.sin(s), np.sin(d) * np.cos(s), -np.cos(d)])
    along, updip = np.array([np.cos(s), np.sin(s), 0]), np.array([np.sin(s), -np.cos(s), 0])
    slip = np.cos(r) * along + np.sin(r) * (np.cos(d) * updip - np.array([0, 0, np.sin(d)]))
    tensor = np.outer(slip, normal) + np.outer(normal, slip)
    turn = np.radians(made.azimuth_deg)
    ray = np.array([made.distance_km * np.cos(turn), made.distance_km * np.sin(turn), -60.0])
    ray /= np.linalg.norm(ray)
    # Far-field S (Aki & Richards 1980, equation 4.32): what of M·ray is not along the ray.
    expected = tensor @ ray - (ray @ tensor @ ray) * ray
    assert np.sign(up) == -np.sign(expected[2])
    cosine = pulse @ expected[:2] / np.linalg.norm(pulse) / np.linalg.norm(expected[:2])
    assert cosine > 0.999


def test_a_reverse_fault_pushes_what_lies_above_it():
    above = replace(NEAR, latitude=46.0, longitude=7.0)
    assert make(quake(rake_deg=90.0, dip_deg=45.0), above).arrivals[0].polarity == 1
    assert make(quake(rake_deg=-90.0, dip_deg=45.0), above).arrivals[0].polarity == -1


def test_arrivals_and_their_picks():
    made = make(site=FAR)
    times = [arrival.time_ns for arrival in made.arrivals]
    assert times == sorted(times)
    assert {"P", "S", "Ps", "Sp", "PmP", "SmS"} <= {arrival.name for arrival in made.arrivals}
    assert made.p_ns == made.arrivals[0].time_ns
    # What arrives as P from an S is no P pick, and the other way round.
    by_name = {arrival.name: arrival for arrival in made.arrivals}
    assert (by_name["Sp"].phase, by_name["Ps"].phase) == ("P", "S")
    assert by_name["Ps"].time_ns < made.s_ns <= by_name["S"].time_ns
    assert by_name["Sp"].time_ns < by_name["S"].time_ns
    for name, seconds in arrival_times(quake(), FAR, CRUST).items():
        assert by_name[name].time_ns - ORIGIN_NS == pytest.approx(seconds * 1e9, abs=1)


def test_delays_move_p_and_s():
    slow = replace(FAR, delay_p_s=0.12, delay_s_s=0.3)
    plain, moved = (arrival_times(quake(), site, CRUST) for site in (FAR, slow))
    for name, delay in {"P": 0.12, "Sp": 0.12, "S": 0.3, "Ps": 0.3}.items():
        assert moved[name] - plain[name] == pytest.approx(delay)


def test_perturbation_moves_times_by_a_few_per_cent_and_smoothly():
    perturbed = replace(CRUST, field=random_field(3, rms=0.02))
    relative = []
    for k in range(60):
        turn = np.radians(6.0 * k)
        site = replace(FAR, latitude=46 + 0.5 * np.cos(turn), longitude=7 + 0.7 * np.sin(turn))
        plain, moved = (arrival_times(quake(), site, model) for model in (CRUST, perturbed))
        relative.append([moved[name] / plain[name] - 1 for name in "PS"])
    relative = np.array(relative)
    assert 0.003 < relative[:, 0].std() < 0.03
    # Stations 5.8 km apart feel nearly the same.
    assert np.abs(np.diff(relative[:, 0])).max() < 0.5 * relative[:, 0].std()
    # S feels 1.3 times what P feels, on nearly the same path.
    np.testing.assert_allclose(relative[:, 1], 1.3 * relative[:, 0], atol=2e-3)


def test_perturbation_delays_a_straight_ray_by_its_integral():
    field = random_field(3, rms=0.02)
    model, site = replace(GRANITE, field=field), replace(NEAR, latitude=46.0, longitude=7.0)
    depths = np.linspace(0, 10, 10001)[:, None] * [0.0, 0.0, 1.0]
    expected = 10 / 6 * (1 + field.at(depths).mean())
    assert arrival_times(quake(), site, model)["P"] == pytest.approx(expected, abs=1e-5)


def test_packets_keep_the_energy_of_the_direct_wave():
    packets = Scattering(coefficient_per_km=0.0)
    rng = np.random.default_rng(5)
    energies = np.zeros(2)
    # Of all mechanisms together: a packet knows of its own source's pattern but half.
    for k in range(60):
        turn, dip = rng.uniform(0, 360, 2), np.degrees(np.arccos(rng.random()))
        event = quake(event_id=f"e{k}", mw=2.0, strike_deg=turn[0], dip_deg=dip, rake_deg=turn[1])
        for j, s in enumerate((packets, NO_SCATTERING)):
            energies[j] += (make(event, FAR, replace(CRUST, scattering=s)).data.astype(float) ** 2).sum()
    assert energies[0] / energies[1] == pytest.approx(1, abs=0.15)
    made = make(quake(mw=3.0), FAR, replace(CRUST, scattering=packets))
    sharp = make(quake(mw=3.0), FAR, replace(CRUST, scattering=NO_SCATTERING))
    assert np.abs(made.data).max() < np.abs(sharp.data).max()


def test_p_arrives_where_the_source_sends_none():
    # The axis of a vertical strike-slip fault is a node of P.
    node = quake(mw=1.5, strike_deg=0.0, dip_deg=90.0, rake_deg=0.0)
    north = replace(NEAR, latitude=46.2, longitude=7.0)
    seen = {}
    for name, scattering in (("some", CRUST.scattering), ("none", NO_SCATTERING)):
        made = make(node, north, replace(CRUST, scattering=scattering))
        p, s = (int(sample(made, time_ns)) for time_ns in (made.p_ns, made.s_ns))
        rows = made.data.astype(float)
        seen[name] = np.abs(rows[0, p : p + 100]).max() / np.abs(rows[1:, s : s + 100]).max()
    assert seen["none"] < 0.03 < 0.1 < seen["some"] < 1


def test_long_waves_keep_their_polarity_and_their_size():
    event = quake(mw=4.5)
    spectra = [
        np.fft.rfft(make(event, NEAR, replace(CRUST, scattering=s)).data[:, :2048].astype(float), 8192)
        for s in (Scattering(coefficient_per_km=0.0), NO_SCATTERING)
    ]
    within = slice(round(0.1 * 81.92), round(0.4 * 81.92))
    ratio = spectra[0][:, within] / spectra[1][:, within]
    assert np.median(np.abs(ratio)) == pytest.approx(1, abs=0.15)
    assert np.median(np.abs(np.angle(ratio))) < 0.4


@pytest.mark.parametrize(("depth_km", "away_km"), [(6.0, 3.6), (10.0, 20.0), (12.0, 43.4)])
def test_s_lasts_as_long_as_it_does_in_the_west_of_america(depth_km, away_km):
    """Boore & Thompson (2014): twice the time from 20 to 80 % of the energy of the acceleration."""
    path_km = np.hypot(depth_km, away_km)
    expected = np.interp(path_km, [0, 7, 45, 125], [0, 2.4, 8.4, 10.9])
    found = []
    for k in range(12):
        site = replace(NEAR, name=f"S{k}", latitude=46 + away_km / 111.15, longitude=7.0)
        event = quake(event_id=f"e{k}", mw=2.5, depth_km=depth_km, strike_deg=30.0 * k)
        made = make(event, site)
        s = int(sample(made, made.s_ns))
        grown = (np.diff(made.data[1:, s:].astype(float)) ** 2).sum(axis=0).cumsum()
        low, high = np.searchsorted(grown, [0.2 * grown[-1], 0.8 * grown[-1]])
        found.append(2 * (high - low) / RATE_HZ)
    # Theirs are large earthquakes on soft ground too; half of it is what small ones on rock have.
    assert 0.4 * expected < np.median(found) < 1.3 * expected


def test_record_ends_below_the_quietest_noise():
    for mw in (0.5, 2.0, 3.5):
        made = make(quake(mw=mw), FAR)
        assert np.abs(made.data[:, -100:]).max() < 1e-9
        assert np.abs(made.data).max() > 1e-9
        longer = make(quake(mw=mw), FAR, floor_m_s=1e-12)
        assert longer.data.shape[1] >= made.data.shape[1]


def test_site_amplifies_as_given():
    soft = replace(FAR, amplification_hz=(1.0, 5.0, 10.0), amplification=(1.0, 4.0, 2.0))
    model = replace(CRUST, scattering=NO_SCATTERING)
    spectra = [np.abs(np.fft.rfft(make(site=s, model=model).data[1], 8192)) for s in (FAR, soft)]
    ratio = spectra[1] / spectra[0]
    for frequency_hz, expected in ((1.0, 1.0), (5.0, 4.0), (10.0, 2.0), (20.0, 2.0)):
        found = np.median(ratio[round(frequency_hz * 81.92) - 8 : round(frequency_hz * 81.92) + 9])
        assert found == pytest.approx(expected, rel=0.12)


def test_local_magnitudes_lie_near_mw():
    # In southern California ML and Mw agree near 3 to 4.5 (Hutton & Boore 1987, Thatcher & Hanks 1973).
    found = []
    for k, rake in enumerate((-120.0, -30.0, 0.0, 60.0, 90.0, 170.0)):
        event = quake(event_id=f"e{k}", mw=3.7, rake_deg=rake, strike_deg=70.0 * k)
        made = [
            make(event, replace(FAR, name=f"S{j}", latitude=46 + 0.15 * j, longitude=7.3))
            for j in range(1, 6)
        ]
        amplitudes = [zero_to_peak_mm(m.data, RATE_HZ) for m in made]
        found.append(local_magnitude(amplitudes, [m.hypocentral_km for m in made]))
    assert np.mean(found) == pytest.approx(3.7, abs=0.3)


def test_other_rates_make_the_same_ground_motion():
    event = quake(mw=3.0)
    coarse = synthesize(event, NEAR, GRANITE, rate_hz=50.0, seed=1)
    fine = make(event, model=GRANITE)
    assert (coarse.p_ns, coarse.s_ns) == (fine.p_ns, fine.s_ns)
    spectra = []
    for made in (coarse, fine):
        # S alone: how late after its onset a pulse is largest depends a little on what the rate leaves of it.
        begin = int(made.s_ns * made.rate_hz / 1e9 - made.first - 0.2 * made.rate_hz)
        s = made.data[2, begin:].astype(float)
        spectra.append(np.abs(np.fft.rfft(s, round(made.rate_hz * 81.92))) / made.rate_hz)
    np.testing.assert_allclose(
        spectra[0][82:1000], spectra[1][82:1000], rtol=0.03, atol=1e-3 * spectra[1].max()
    )


def test_packets_may_be_shorter_than_a_sample():
    short = Scattering(coefficient_per_km=0.0, shallow_s=0.0, broadening=0.0)
    made = make(model=replace(CRUST, scattering=short))
    assert np.isfinite(made.data).all()
    assert made.data.any()


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="rate_hz"):
        synthesize(quake(), NEAR, CRUST, rate_hz=0.0, seed=1)


@settings(deadline=None, max_examples=40)
@given(st.floats(-1.5, 60), st.floats(0, 250), st.floats(0, 3000), st.integers(0, 10**6))
def test_every_place_makes_a_finite_record(depth, distance, elevation, seed):
    site = Site(name="ANY", latitude=46 + distance / 111.2, longitude=7.0, elevation_m=elevation)
    made = make(quake(depth_km=depth, mw=1.5), site, replace(CRUST, field=random_field(seed)), seed)
    assert np.isfinite(made.data).all()
    assert made.data.any()
    assert ORIGIN_NS < made.p_ns < made.s_ns
    assert sample(made, made.s_ns) < made.data.shape[1]

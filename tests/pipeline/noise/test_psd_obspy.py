"""PSD kernels against obspy's PPSD: its own tests' data with their expected spectra, and real days."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy.signal import PPSD

from pipeline.archive.stations import read_stations
from pipeline.keys import Channel
from pipeline.noise.periods import period_bins, response_db
from pipeline.noise.psd import window_levels
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.transfer import Analogue

EXPECTED = Path(obspy.__file__).parent / "signal" / "tests" / "data"
POLES = (-0.037004 + 0.037016j, -0.037004 - 0.037016j, -251.33 + 0j, -131.04 - 467.29j, -131.04 + 467.29j)

pytestmark = pytest.mark.skipif(not EXPECTED.is_dir(), reason="obspy came without the data of its tests")


def levels_of(samples, rate_hz, response, **options):
    windows = SpectralWindows(samples_per_day=round(rate_hz * 86400))
    bins = period_bins(windows.frequencies_hz)
    counts = window_levels(samples, first=0, windows=windows, bins=bins, **options)
    return bins, counts.level_db - response_db(bins, response(windows.frequencies_hz))


def assert_as_agreed(got, expected):
    """At most 0.02 dB off in the median, and 0.1 dB anywhere."""
    difference = np.abs(got - expected)
    assert np.median(difference) <= 0.02
    assert difference.max() <= 0.1


def lhz_of_albuquerque():
    trace = obspy.read(EXPECTED / "IUANMO.seed")[0]
    stations = read_stations((EXPECTED / "IUANMO.xml").read_bytes())
    time_ns = trace.stats.starttime.ns

    def response(frequencies_hz):
        return stations.frequency_response(
            Channel.parse(trace.id), time_ns, frequencies_hz, output="acceleration"
        )

    return trace, response


def test_a_real_day_with_full_response():
    """LHZ of IU.ANMO, from its StationXML; obspy's file of 2016 has 46 windows, without the day's last."""
    trace, response = lhz_of_albuquerque()
    with np.load(EXPECTED / "IUANMO_ppsd_fullresponse.npz", allow_pickle=True) as expected:
        bins, got = levels_of(trace.data, 1.0, response)
        np.testing.assert_array_equal(bins.centre_s, expected["_period_binning"][2])
        assert_as_agreed(got[:46], expected["_binned_psds"])


def test_a_real_day_as_obspy_makes_it_today():
    trace, response = lhz_of_albuquerque()
    ppsd = PPSD(trace.stats, obspy.read_inventory(str(EXPECTED / "IUANMO.xml")))
    ppsd.add(trace)
    _, got = levels_of(trace.data, 1.0, response)
    assert_as_agreed(got, np.array(ppsd.psd_values))


def test_the_mean_and_the_mode_that_obspys_tests_expect():
    with gzip.open(EXPECTED / "BW.KW1._.EHZ.D.2011.090_downsampled.asc.gz") as lines:
        samples = np.loadtxt(lines)
    velocity = Analogue(zeros=(0j, 0j), poles=POLES, gain=60077000.0 * 2516778400.0)
    bins, got = levels_of(samples, 100.0, lambda f: velocity(f) / (2j * np.pi * f))
    assert got.shape[0] == 4
    with np.load(EXPECTED / "BW.KW1._.EHZ.D.2011.090_downsampled__ppsd_mixed.npz") as expected:
        np.testing.assert_array_equal(bins.centre_s, expected["period_bins"])
        edges = expected["spec_bins"]
    # Their bins are half a dB wide and take in their upper edges.
    centres = (edges[:-1] + edges[1:]) / 2
    number = np.clip(np.searchsorted(edges, got, side="left") - 1, 0, centres.size - 1)
    expected_counts = np.load(EXPECTED / "BW.KW1._.EHZ.D.2011.090_downsampled__ppsd_hist_stack.npy")
    counts = np.stack([np.bincount(column, minlength=centres.size) for column in number.T])
    np.testing.assert_array_equal(counts, expected_counts)


def test_real_counts_at_100_hz(data_folder):
    """CX.PB01, with the full response of a Californian broadband station, since its own is not known."""
    continuous = data_folder / "continuous"
    trace = obspy.read(
        continuous / "chile-12h" / "2014" / "CX" / "PB01" / "HHZ.D" / "CX.PB01..HHZ.D.2014.121"
    )[0]
    trace.data = trace.data[: 100 * 3 * 3600]
    document = continuous / "california-3min" / "stations.xml"
    stations = read_stations(document.read_bytes())
    channel = next(one for one in stations.channels if str(one).endswith("HHZ"))
    inventory = obspy.read_inventory(str(document)).select(channel="HHZ", station=channel.station)
    time_ns = obspy.UTCDateTime(2020, 10, 1).ns
    ppsd = PPSD(trace.stats, inventory.get_response(str(channel), obspy.UTCDateTime(ns=time_ns)))
    ppsd.add(trace)
    _, got = levels_of(
        trace.data,
        100.0,
        lambda f: stations.frequency_response(channel, time_ns, f, output="acceleration"),
    )
    assert_as_agreed(got, np.array(ppsd.psd_values))


@pytest.mark.parametrize("options", [{"ppsd_length": 600, "overlap": 0.25}, {"period_limits": (0.1, 50.0)}])
def test_other_lengths_and_limits(options):
    record = np.cumsum(np.random.default_rng(1).normal(size=20 * 3600))
    trace = obspy.Trace(record, {"sampling_rate": 20.0})
    ppsd = PPSD(trace.stats, {"poles": [], "zeros": [], "gain": 1.0, "sensitivity": 1.0}, **options)
    ppsd.add(trace)
    windows = SpectralWindows(
        samples_per_day=20 * 86400,
        window_s=options.get("ppsd_length", 3600),
        overlap=options.get("overlap", 0.5),
    )
    bins = period_bins(windows.frequencies_hz, limits_s=options.get("period_limits"))
    counts = window_levels(record, first=0, windows=windows, bins=bins)
    frequencies = windows.frequencies_hz
    got = counts.level_db - response_db(bins, 1 / (2j * np.pi * frequencies))
    assert_as_agreed(got, np.array(ppsd.psd_values))

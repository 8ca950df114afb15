"""Figures of waveforms: what is drawn is what there is."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from pipeline.figures.waveforms import (
    PHASE_COLOURS,
    Mark,
    Wave,
    helicorder,
    panels,
    record_section,
    spectrogram,
)

NS = 1_000_000_000
START_NS = 1_583_086_800 * NS  # 2020-03-01 18:20:00


def sine(frequency_hz: float, *, seconds: float = 600.0, rate_hz: float = 50.0) -> Wave:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return Wave("XX.A..HHZ", np.sin(2 * np.pi * frequency_hz * time_s), START_NS, rate_hz)


def lines(figure: Figure, axes: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.asarray(x), np.asarray(y)) for x, y in (line.get_data() for line in figure.axes[axes].lines)]


def test_a_section_puts_each_wave_at_its_distance_and_each_mark_at_its_time() -> None:
    near, far = sine(0.5, seconds=20), sine(1.0, seconds=20)
    marks = [[Mark("P", START_NS + 3 * NS)], [Mark("P", START_NS + 5 * NS), Mark("S", START_NS + 9 * NS)]]
    figure = record_section([near, far], [10.0, 30.0], marks, origin_ns=START_NS, title="M 2")
    drawn = lines(figure)
    waves = [line for line in drawn if len(line[0]) > 2]
    assert [round(float(y.mean()), 6) for _, y in waves] == [10.0, 30.0]
    ticks = [(x[0], round(float(np.mean(y)))) for x, y in drawn if len(x) == 2]
    assert ticks == [(3.0, 10), (5.0, 30), (9.0, 30)]
    colours = [line.get_color() for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert colours == [PHASE_COLOURS["P"], PHASE_COLOURS["P"], PHASE_COLOURS["S"]]


def test_a_section_of_one_dead_wave_is_a_flat_line() -> None:
    dead = Wave("XX.A..HHZ", np.zeros(100), START_NS, 10.0)
    ((_, y),) = lines(record_section([dead], [5.0], [[]], origin_ns=START_NS, title="dead"))
    assert np.all(y == 5.0)


def test_a_drum_begins_its_lines_at_round_times() -> None:
    wave = Wave("XX.A..HHZ", np.zeros(3000), START_NS + 600 * NS, 1.0)
    figure = helicorder(wave, title="drum", minutes=30, full_scale=1.0, unit="m/s")
    drawn = [x for x, _ in lines(figure)]
    assert [x[0] for x in drawn] == [0.0, 0.0]  # 18:30 and 19:00
    assert [len(x) for x in drawn] == [1800, 1200]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["03-01 18:30", "03-01 19:00"]


def test_long_waves_keep_every_peak() -> None:
    samples = np.zeros(1_000_000)
    samples[[123_456, 765_432]] = 7.0, -8.0
    figure = panels([Wave("gravity", samples, START_NS, 1.0)], ["nm/s²"], title="G01")
    ((x, y),) = lines(figure)
    assert len(x) <= 20_000
    assert (y.max(), y.min()) == (7.0, -8.0)
    assert x[0] == START_NS / 86_400e9


def test_a_spectrogram_is_brightest_at_the_frequency_of_a_tone() -> None:
    figure = spectrogram(sine(4.0), title="tone", quantity="velocity", unit="m/s", window_s=20.0, low_hz=0.2)
    mesh = figure.axes[1].collections[0]
    power, edges = np.asarray(mesh.get_array()), np.asarray(mesh.get_coordinates())[:, 0, 1]
    assert edges[power.mean(axis=1).argmax()] == pytest.approx(4.0, abs=0.05)
    # A sine of amplitude 1 has the power 1/2, in a Hann or Tukey window's few bins.
    assert power.max() == pytest.approx(10 * np.log10(0.5 * 20 / 1.2), abs=1.5)
    assert figure.axes[2].get_ylabel() == "Power (dB re 1 (m/s)²/Hz)"


def test_a_wave_of_a_dataset_has_gaps_where_samples_are_missing() -> None:
    counts = xr.DataArray(
        np.array([[10, -5, 20]], dtype=np.int32), dims=("component", "time"), attrs={"missing": -5}
    )
    time = np.array([START_NS, START_NS + NS // 2, START_NS + NS], dtype="datetime64[ns]")
    coordinates = {"component": ["Z"], "time": time}
    dataset = xr.Dataset({"counts": counts}, coordinates, {"sampling_rate_hz": 2.0})
    wave = Wave.of(dataset, "Z", label="a", gain=10.0)
    np.testing.assert_array_equal(wave.samples, [1.0, np.nan, 2.0])
    assert (wave.start_ns, wave.rate_hz) == (START_NS, 2.0)

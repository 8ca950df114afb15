"""
Waveforms as seismologists look at them: record sections, helicorders, spectrograms, panels over time.

All take `Wave`: samples in any unit, NaN where there are none. Amplitudes stand as they are; what is scaled
to its own peak says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.figures.palettes import CATEGORICAL, INK, sequential
from pipeline.figures.theme import SMALL_PT, axis_label, figure_mm, theme, utc_axis

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PHASE_COLOURS", "Mark", "Wave", "helicorder", "panels", "record_section", "spectrogram"]

PHASE_COLOURS: Final[Mapping[str, str]] = {"P": CATEGORICAL[0], "S": CATEGORICAL[1]}
"""Of the marks of phases, in every figure."""

_WIDTH_MM: Final = 180.0
_MOST_POINTS: Final = 20_000  # of a line; beyond, each pixel shows its least and its greatest sample


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """
    Evenly spaced samples of one channel.

    Parameters
    ----------
    label : str
    samples : ndarray, shape (n,)
        NaN where there are none.
    start_ns : int
        Time of the first one since 1970.
    rate_hz : float
    """

    label: str
    samples: NDArray[np.floating[Any]]
    start_ns: int
    rate_hz: float

    @classmethod
    def of(cls, dataset: xr.Dataset, component: str, *, label: str, gain: float = 1.0) -> Wave:
        """
        Take one component of a dataset as `Archive.sel` gives it, and read it.

        Parameters
        ----------
        dataset : Dataset
            One sample or more.
        component : str
        label : str
        gain : float
            Counts per unit.
        """
        counts = dataset["counts"].sel(component=component)
        samples = np.where(counts == counts.attrs["missing"], np.nan, counts / gain)
        start_ns = int(dataset["time"][0].astype("datetime64[ns]").astype(np.int64))
        return cls(label, samples, start_ns, float(dataset.attrs["sampling_rate_hz"]))

    def seconds(self, zero_ns: int) -> NDArray[np.float64]:
        """Return the times of all samples, in seconds since an instant."""
        return (self.start_ns - zero_ns) / 1e9 + np.arange(len(self.samples)) / self.rate_hz


@dataclass(frozen=True, slots=True)
class Mark:
    """A phase at a time."""

    phase: str
    time_ns: int


def record_section(
    waves: Sequence[Wave],
    distances_km: Sequence[float],
    marks: Sequence[Sequence[Mark]],
    *,
    origin_ns: int,
    title: str,
) -> Figure:
    """
    Draw waves by distance, each scaled to its own peak, with the marks of each.

    Parameters
    ----------
    waves : sequence of Wave
    distances_km : sequence of float
    marks : sequence of sequence of Mark
        Of each wave.
    origin_ns : int
        Time zero.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> wave = Wave("SY.S01 Z", np.sin(np.arange(500.0)), start_ns=0, rate_hz=100.0)
    >>> figure = record_section([wave], [12.0], [[Mark("P", 2 * 10**9)]], origin_ns=0, title="M 1")
    >>> figure.axes[0].get_ylabel()
    'Distance (km)'
    """
    reach = (max(distances_km) - min(distances_km)) or 1.0
    height = 0.6 * reach / max(len(waves), 2)
    with theme():
        figure = figure_mm(_WIDTH_MM, min(60 + 9.0 * len(waves), 240))
        axes = figure.add_subplot()
        for wave, distance, own in zip(waves, distances_km, marks, strict=True):
            _draw_wave(axes, wave, origin_ns, at=distance, half_height=height)
            for mark in own:
                x = (mark.time_ns - origin_ns) / 1e9
                colour = PHASE_COLOURS.get(mark.phase, CATEGORICAL[2])
                axes.plot([x, x], [distance - 0.7 * height, distance + 0.7 * height], color=colour, lw=1.2)
            axes.annotate(
                wave.label,
                (1.005, distance),
                xycoords=("axes fraction", "data"),
                fontsize=SMALL_PT,
                va="center",
                annotation_clip=False,
            )
        _phase_legend(axes, {mark.phase for own in marks for mark in own})
        axes.margins(x=0)
        axes.set_title(title)
        axes.set_xlabel(f"{axis_label('time since the origin', 's')}; each trace to its own peak")
        axes.set_ylabel(axis_label("distance", "km"))
        figure.subplots_adjust(left=0.08, right=0.87, top=0.9, bottom=0.1)
    return figure


def helicorder(
    wave: Wave, *, title: str, minutes: int = 30, full_scale: float, unit: str, marks: Sequence[Mark] = ()
) -> Figure:
    """
    Draw a long wave as a drum does: line below line.

    Parameters
    ----------
    wave : Wave
    title : str
    minutes : int
        Of a line.
    full_scale : float
        What reaches the next line; greater amplitudes are cut off a little beyond.
    unit : str
    marks : sequence of Mark
        Drawn as dots on their lines.
    """
    per_line_ns = minutes * 60 * 10**9
    first = wave.start_ns // per_line_ns
    end_ns = wave.start_ns + round(len(wave.samples) * 1e9 / wave.rate_hz)
    lines = -(-end_ns // per_line_ns) - first
    with theme():
        figure = figure_mm(_WIDTH_MM, min(30 + 5.0 * lines, 240))
        axes = figure.add_subplot()
        for line in range(lines):
            part = _between(wave, (first + line) * per_line_ns, (first + line + 1) * per_line_ns)
            x, y = _thinned(part.seconds((first + line) * per_line_ns) / 60, part.samples)
            colour = (INK, CATEGORICAL[0])[line % 2]
            axes.plot(x, line - np.clip(y / full_scale, -1.3, 1.3), color=colour, lw=0.4)
        for mark in marks:
            line, into = divmod(mark.time_ns - first * per_line_ns, per_line_ns)
            axes.plot(into / 6e10, line, ".", color=CATEGORICAL[1], ms=5, mec="w", mew=0.3, zorder=3)
        axes.set(xlim=(0, minutes), ylim=(lines - 0.3, -0.9))
        shown = range(0, lines, max(1, -(-lines // 24)))
        axes.set_yticks(list(shown), [f"{_utc((first + line) * per_line_ns):%m-%d %H:%M}" for line in shown])
        axes.grid(axis="y", visible=False)
        axes.set_title(title)
        axes.set_xlabel(f"{axis_label('time', 'min')}; a line is {full_scale:.3g} {unit} high")
        axes.set_ylabel("Start of line (UTC)")
        figure.tight_layout()
    return figure


def spectrogram(
    wave: Wave,
    *,
    title: str,
    quantity: str,
    unit: str,
    window_s: float,
    low_hz: float,
    marks: Sequence[Mark] = (),
) -> Figure:
    """
    Draw a wave and, below it, its power in time and frequency.

    Parameters
    ----------
    wave : Wave
    title, quantity, unit : str
        As ``"velocity"`` and ``"m/s"``.
    window_s : float
        Of a spectrum; they overlap by half.
    low_hz : float
        Lower end of the axis, which is logarithmic up to the Nyquist frequency.
    marks : sequence of Mark
    """
    from scipy.signal import spectrogram as spectra

    length = min(round(window_s * wave.rate_hz), len(wave.samples))
    frequency, centre, power = spectra(
        wave.samples, wave.rate_hz, nperseg=length, noverlap=length // 2, detrend="linear"
    )
    level = 10 * np.log10(np.maximum(power[1:], 1e-40))
    with theme():
        figure = figure_mm(_WIDTH_MM, 120)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2.4])
        zero = wave.start_ns / 86_400e9
        x, y = _thinned(zero + wave.seconds(wave.start_ns) / 86_400, wave.samples)
        upper.plot(x, y, color=INK, lw=0.4)
        upper.set_ylabel(axis_label(quantity, unit))
        upper.set_title(title)
        low, high = np.percentile(level, [2, 99.7])
        image = lower.pcolormesh(
            zero + centre / 86_400,
            frequency[1:],
            level,
            vmin=low,
            vmax=high,
            cmap=sequential(),
            rasterized=True,
        )
        for mark in marks:
            colour = PHASE_COLOURS.get(mark.phase, CATEGORICAL[1])
            upper.axvline(mark.time_ns / 86_400e9, color=colour, lw=0.8)
        lower.set(yscale="log", ylim=(max(low_hz, frequency[1]), wave.rate_hz / 2), xlim=(x[0], x[-1]))
        lower.set_ylabel(axis_label("frequency", "Hz"))
        lower.grid(visible=False)
        utc_axis(lower.xaxis)
        figure.tight_layout()
        figure.subplots_adjust(right=0.88)
        box = lower.get_position()
        bar = figure.add_axes((0.9, box.y0, 0.018, box.height))
        figure.colorbar(image, cax=bar, label=f"Power (dB re 1 ({unit})²/Hz)")
        bar.grid(visible=False)
    return figure


def panels(waves: Sequence[Wave], units: Sequence[str], *, title: str, height_mm: float = 28.0) -> Figure:
    """
    Draw waves below each other over one axis of time, each with its own unit.

    Examples
    --------
    >>> wave = Wave("pressure", np.full(100, 840.0), start_ns=0, rate_hz=1.0)
    >>> panels([wave], ["hPa"], title="G01").axes[0].get_ylabel()
    'Pressure (hPa)'
    """
    with theme():
        figure = figure_mm(_WIDTH_MM, 22 + height_mm * len(waves))
        rows = figure.subplots(len(waves), 1, sharex=True, squeeze=False)[:, 0]
        for number, (axes, wave, unit) in enumerate(zip(rows, waves, units, strict=True)):
            x, y = _thinned(wave.start_ns / 86_400e9 + wave.seconds(wave.start_ns) / 86_400, wave.samples)
            axes.plot(x, y, color=CATEGORICAL[number % len(CATEGORICAL)], lw=0.6)
            axes.set_ylabel(axis_label(wave.label, unit))
            axes.margins(x=0)
        rows[0].set_title(title)
        utc_axis(rows[-1].xaxis)
        figure.align_ylabels()
        figure.tight_layout()
    return figure


def _draw_wave(axes: Axes, wave: Wave, zero_ns: int, *, at: float, half_height: float) -> None:
    x, y = _thinned(wave.seconds(zero_ns), wave.samples - np.nanmean(wave.samples))
    peak = np.nanmax(np.abs(y)) or 1.0
    axes.plot(x, at + half_height * y / peak, color=INK, lw=0.45)


def _phase_legend(axes: Axes, phases: set[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=PHASE_COLOURS.get(phase, CATEGORICAL[2]), lw=1.4, label=phase)
        for phase in sorted(phases)
    ]
    axes.legend(
        handles=handles, ncols=len(handles), loc="lower right", bbox_to_anchor=(1.0, 1.0), borderpad=0
    )


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the least and the greatest sample of each of many short spans: what a pixel can show."""
    values = np.asarray(y, dtype=np.float64)
    span = -(-len(values) // (_MOST_POINTS // 2))
    if span <= 2:
        return x, values
    whole = len(values) // span * span
    spans = values[:whole].reshape(-1, span)
    ends = np.stack([spans.min(axis=1), spans.max(axis=1)], axis=1).ravel()
    return np.repeat(x[:whole:span], 2), ends


def _between(wave: Wave, start_ns: int, end_ns: int) -> Wave:
    first, stop = (
        min(max(round((time - wave.start_ns) * wave.rate_hz / 1e9), 0), len(wave.samples))
        for time in (start_ns, end_ns)
    )
    start = wave.start_ns + round(first * 1e9 / wave.rate_hz)
    return Wave(wave.label, wave.samples[first:stop], start, wave.rate_hz)


def _utc(time_ns: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_ns // 1000)

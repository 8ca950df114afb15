"""Spectra of gravimeters: quiet days and their mean, noise models, and the bands of magnitudes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import numpy as np

from pipeline.errors import ConfigError
from pipeline.figures.palettes import CATEGORICAL, INK, PAPER, QUIET
from pipeline.figures.theme import SMALL_PT, axis_label, text_width_mm, theme
from pipeline.noise.figures.labels import halo, name_lines
from pipeline.noise.figures.panels import (
    HEADING_MM,
    MARGIN_MM,
    blank_sheet,
    draw_empty,
    draw_models,
    frequency_axis,
    period_axis,
)
from pipeline.noise.magnitudes import SNM_BAND_S, SSNM_BAND_S, TNM_BAND_S, Spectrum
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import FloatArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PsdUnit", "SpectrumCurve", "psd_chart"]

PsdUnit: TypeAlias = Literal["(m/s²)²/Hz", "µGal²/Hz"]

# dB of each unit over dB of (nm/s²)²/Hz.
_OFFSETS_DB: Final = MappingProxyType[PsdUnit, float]({"(m/s²)²/Hz": -180.0, "µGal²/Hz": -20.0})
_MODELS_DB: Final = -180.0
_BANDS_S: Final = (("SNM", SNM_BAND_S), ("SSNM", SSNM_BAND_S), ("TNM", TNM_BAND_S))
_BAND_COLOURS: Final = ("#EDEFF2", "#E3E7EC", "#EDEFF2")
_NAMED: Final = len(CATEGORICAL)
_LEFT_MM: Final = 17.0
_WIDE_MM: Final = 128.0
_HIGH_MM: Final = 86.0
_OVER_MM: Final = 10.0
_ROOM_DB: Final = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumCurve:
    """The mean spectrum of a station's quiet days, and if wanted those of the days."""

    label: str
    mean: Spectrum
    days: Sequence[Spectrum] = ()


def psd_chart(
    curves: Sequence[SpectrumCurve],
    *,
    title: str,
    unit: PsdUnit = "(m/s²)²/Hz",
    per_octave: float = 12.0,
    limits_s: tuple[float, float] | None = None,
    limits_db: tuple[float, float] | None = None,
) -> Figure:
    """
    Draw spectra of gravimeters.

    Parameters
    ----------
    curves : sequence of SpectrumCurve
        Up to eight are named; of more the quietest and the loudest by their SNM's band are, and their median.
    title : str
    unit : {"(m/s²)²/Hz", "µGal²/Hz"}
        Of which 1 is 0 dB.
    per_octave : float
        Means of power that are drawn: single frequencies of a day scatter by 4 dB and more.
    limits_s, limits_db : tuple of 2 float, optional
        Of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        Without any curve one that says so.

    Raises
    ------
    ConfigError
        If there is no such unit.

    Examples
    --------
    >>> white = Spectrum(np.arange(1, 2000) / 86_400, np.full(1999, 100.0))
    >>> figure = psd_chart([SpectrumCurve("G01", white)], title="Quiet days", unit="µGal²/Hz")
    >>> figure.axes[0].get_ylabel()
    'Power (dB re 1 µGal²/Hz)'
    """
    if unit not in get_args(PsdUnit):
        raise ConfigError(f"unit should be one of {', '.join(get_args(PsdUnit))}, got {unit!r}")
    check_positive("per_octave", per_octave)
    known = [each for each in curves if np.isfinite(each.mean.psd_nm2_s4_hz).any()]
    if not known:
        return draw_empty(title, f"There is no spectrum of any of {len(curves)} stations.")
    with theme():
        return _draw(known, len(curves), title, unit, per_octave, limits_s, limits_db)


def _draw(
    curves: Sequence[SpectrumCurve],
    asked: int,
    title: str,
    unit: PsdUnit,
    per_octave: float,
    limits_s: tuple[float, float] | None,
    limits_db: tuple[float, float] | None,
) -> Figure:
    offset = _OFFSETS_DB[unit]
    lines = [_thinned(each.mean, per_octave, offset) for each in curves]
    shown_s = limits_s or _limits_s(lines)
    before = "" if len(curves) <= _NAMED else "quietest: "
    label_mm = min(max(text_width_mm(before + each.label, SMALL_PT) for each in curves) + 1.0, 45.0)
    top_mm = HEADING_MM + _OVER_MM
    sheet = blank_sheet(
        _LEFT_MM + _WIDE_MM + label_mm + 5.0 + MARGIN_MM,
        top_mm + _HIGH_MM + 12.0,
        title,
        _subtitle(curves, asked),
    )
    axes = sheet.axes(_LEFT_MM, top_mm, _WIDE_MM, _HIGH_MM)
    axes.set(
        xscale="log",
        xlim=shown_s,
        ylim=limits_db or _limits_db(lines, shown_s, offset - _MODELS_DB),
        ylabel=axis_label("power", f"dB re 1 {unit}"),
    )
    _draw_bands(axes, shown_s)
    draw_models(axes, offset_db=offset - _MODELS_DB, at=0.3)
    if len(curves) <= _NAMED:
        _draw_named(axes, curves, lines, per_octave, offset, label_mm)
    else:
        _draw_many(axes, curves, lines, label_mm)
    axes.grid(which="major", color="#00000014", lw=0.4)
    period_axis(axes.xaxis, shown_s)
    frequency_axis(axes)
    return sheet.figure


def _subtitle(curves: Sequence[SpectrumCurve], asked: int) -> str:
    of = f"{len(curves)} of {asked}" if len(curves) < asked else f"{asked}"
    days = [len(each.days) for each in curves if each.days]
    thin = f" · thin: {min(days)} to {max(days)} days each" if days and min(days) < max(days) else ""
    thin = f" · thin: {days[0]} day{'' if days[0] == 1 else 's'} each" if days and not thin else thin
    return f"{of} station{'' if asked == 1 else 's'}{thin if len(curves) <= _NAMED else ''} · mean power"


def _thinned(found: Spectrum, per_octave: float, offset_db: float) -> tuple[FloatArray, FloatArray]:
    """Return periods, rising, and the dB of mean powers over parts of an octave."""
    there = np.isfinite(found.psd_nm2_s4_hz) & (found.psd_nm2_s4_hz > 0)
    frequency, power = found.frequency_hz[there], found.psd_nm2_s4_hz[there]
    part = np.round(per_octave * np.log2(frequency)).astype(np.int64)
    places, index, count = np.unique(part, return_inverse=True, return_counts=True)
    mean = np.bincount(index, weights=power) / count
    centre = np.exp(np.bincount(index, weights=np.log(frequency)) / count)
    return 1 / centre[::-1], 10 * np.log10(mean[::-1]) + offset_db if places.size else mean


def _limits_s(lines: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    low = min(float(period[0]) for period, _ in lines)
    high = max(float(period[-1]) for period, _ in lines)
    return low, max(high, 1.2 * low)


def _limits_db(
    lines: Sequence[tuple[FloatArray, FloatArray]], limits_s: tuple[float, float], models_db: float
) -> tuple[float, float]:
    period = np.geomspace(*limits_s, 100)
    models = np.concatenate([nlnm_db(period), nhnm_db(period)]) + models_db
    levels = np.concatenate([level for _, level in lines])
    ends = np.concatenate([models[np.isfinite(models)], np.percentile(levels, [0.2, 99.8])])
    return float(10 * np.floor((ends.min() - 3) / 10)), float(10 * np.ceil((ends.max() + _ROOM_DB) / 10))


def _draw_bands(axes: Axes, limits_s: tuple[float, float]) -> None:
    for (name, (low, high)), colour in zip(_BANDS_S, _BAND_COLOURS, strict=True):
        low, high = max(low, limits_s[0]), min(high, limits_s[1])
        if low >= high:
            continue
        axes.axvspan(low, high, color=colour, lw=0, zorder=0)
        room_mm = _WIDE_MM * np.log(high / low) / np.log(limits_s[1] / limits_s[0])
        if text_width_mm(name, SMALL_PT, weight="bold") < room_mm:
            style: dict[str, Any] = {
                "transform": axes.get_xaxis_transform(),
                "ha": "center",
                "va": "top",
                "weight": "bold",
            }
            axes.text(np.sqrt(low * high), 0.985, name, size=SMALL_PT, color="#5D636B", zorder=6, **style)


def _draw_named(
    axes: Axes,
    curves: Sequence[SpectrumCurve],
    lines: Sequence[tuple[FloatArray, FloatArray]],
    per_octave: float,
    offset_db: float,
    label_mm: float,
) -> None:
    low, high = axes.get_xlim()
    ends = []
    for curve, (period, level), colour in zip(curves, lines, CATEGORICAL, strict=False):
        for day in curve.days:
            axes.plot(*_thinned(day, per_octave, offset_db), color=colour, lw=0.4, alpha=0.5, zorder=3)
        axes.plot(period, level, color=PAPER, lw=2.4, zorder=4)
        axes.plot(period, level, color=colour, lw=1.3, zorder=4.5)
        inside = np.flatnonzero((period >= low) & (period <= high))
        last = inside[-1] if inside.size else -1
        ends.append((float(period[last]), float(np.clip(level[last], *axes.get_ylim()))))
    names = [each.label for each in curves]
    name_lines(axes, names, ends, CATEGORICAL[: len(curves)], size_mm=(_WIDE_MM, _HIGH_MM), label_mm=label_mm)


def _draw_many(
    axes: Axes,
    curves: Sequence[SpectrumCurve],
    lines: Sequence[tuple[FloatArray, FloatArray]],
    label_mm: float,
) -> None:
    """Draw many curves quietly, and name those at both ends and the median of all."""
    grid = np.geomspace(*axes.get_xlim(), 300)
    levels = np.array([np.interp(grid, *line, left=np.nan, right=np.nan) for line in lines])
    band = (grid >= SNM_BAND_S[0]) & (grid <= SNM_BAND_S[1])
    band = band if np.isfinite(levels[:, band]).any(axis=1).all() else np.isfinite(levels).all(axis=0)
    mean = np.nanmean(levels[:, band], axis=1) if band.any() else levels[:, 0]
    rank = np.argsort(mean, kind="stable")
    for period, level in lines:
        axes.plot(period, level, color=QUIET, lw=0.5, alpha=0.6, zorder=3)
    known = np.isfinite(levels).any(axis=0)
    median = np.full(grid.size, np.nan)
    median[known] = np.nanmedian(levels[:, known], axis=0)
    chosen = [
        (f"quietest: {curves[rank[0]].label}", *lines[rank[0]], CATEGORICAL[0]),
        (f"loudest: {curves[rank[-1]].label}", *lines[rank[-1]], CATEGORICAL[1]),
        ("median", grid[known], median[known], INK),
    ]
    ends = []
    for _, period, level, colour in chosen:
        axes.plot(period, level, color=colour, lw=1.3, zorder=4.5, path_effects=halo())
        ends.append((float(period[-1]), float(np.clip(level[-1], *axes.get_ylim()))))
    names, colours = [each[0] for each in chosen], [each[3] for each in chosen]
    name_lines(axes, names, ends, colours, size_mm=(_WIDE_MM, _HIGH_MM), label_mm=label_mm)

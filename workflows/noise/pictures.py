"""Pictures of a noise product, of any selection of its windows; each is a function in `KINDS`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from pipeline.archive.grid import DAY_NS, day_number
from pipeline.archive.layouts import Wanted
from pipeline.errors import ConfigError
from pipeline.noise.histograms import DbBins, count_levels, mean_db, mode_db, percentile_db
from pipeline.noise.magnitudes import Spectrum, mean_spectrum
from pipeline.noise.occasions import SEASONS, Occasions
from pipeline.noise.trends import Trend
from pipeline.signal.precision import FloatArray, IndexArray
from workflows.noise.product import MeasuredStream, NoiseProduct
from workflows.noise.refusals import refuse_days
from workflows.noise.streams import is_gravimeter
from workflows.noise.times import days_of

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.figure import Figure

    from pipeline.noise.figures.labels import DateMark

__all__ = ["KINDS", "Choice", "curves", "draw", "selected_windows"]

_MAGNITUDE_SPANS: Final = ("day", "month", "year")
_POLYNOMIAL_LIMITS_S: Final = (50.0, 21_600.0)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """
    What to draw.

    Parameters
    ----------
    streams : tuple of str
        Patterns; empty for all.
    start, end : date or None
        Both included.
    hours, weekdays, weeks, months, season
        See `Occasions`; of pictures of windows.
    component : str
        Of pictures that show one of three.
    band : str
    magnitude : {"snm", "ssnm", "tnm"}
    span : str
        Of levels and magnitudes: day, week, month, year.
    marks : tuple of (date, str)
        Dates to be marked.
    relative : bool
        To the low noise model.
    """

    streams: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None
    hours: tuple[float, float] | None = None
    weekdays: tuple[int, ...] | None = None
    weeks: tuple[int, ...] | None = None
    months: tuple[int, ...] | None = None
    season: str | None = None
    component: str = "Z"
    band: str = "200-600s"
    magnitude: str = "snm"
    span: str = "week"
    marks: tuple[tuple[dt.date, str], ...] = ()
    relative: bool = False

    @property
    def occasions(self) -> Occasions:
        """Which windows belong."""
        months = SEASONS[self.season] if self.season else self.months
        return Occasions(
            start_ns=None if self.start is None else day_number(self.start) * DAY_NS,
            end_ns=None if self.end is None else (day_number(self.end) + 1) * DAY_NS,
            hours=self.hours,
            weekdays=self.weekdays,
            weeks=self.weeks,
            months=months,
        )

    def holds(self, day: IndexArray) -> Any:
        """Say which days lie in the span."""
        first = -(2**31) if self.start is None else day_number(self.start)
        last = 2**31 if self.end is None else day_number(self.end)
        return (day >= first) & (day <= last)


def draw(product: NoiseProduct, kind: str, choice: Choice) -> Figure:
    """
    Draw one of `KINDS`.

    Raises
    ------
    ConfigError
        If no stream fits the choice, or it has nothing of this kind.
    """
    return KINDS[kind](product, choice)


def _streams(product: NoiseProduct, choice: Choice) -> list[MeasuredStream]:
    every = product.streams()
    wanted = Wanted(streams=choice.streams)
    found = [each for each in every if wanted.wants(each.stream) or each.group in choice.streams]
    if not found:
        known = ", ".join(str(each.stream) for each in every[:5]) or "none"
        raise ConfigError(f"{product.url}: --stream {' '.join(choice.streams)} fits none of {known}")
    return found


def _one(product: NoiseProduct, choice: Choice) -> MeasuredStream:
    found = _streams(product, choice)
    if len(found) > 1:
        names = ", ".join(each.group for each in found[:5])
        raise ConfigError(
            f"{product.url}: this picture is of one stream; --stream should name one of {names}"
        )
    return found[0]


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a stream in a span: levels (components, windows, periods), starts, what is chosen."""

    level_db: FloatArray
    start_ns: IndexArray
    chosen: Any
    step_s: float
    window_s: float


def selected_windows(product: NoiseProduct, stream: MeasuredStream, choice: Choice) -> Windows:
    """Read the windows of the blocks of a stream that reach into the span, and say which are chosen."""
    arrays = product.arrays_of(stream)
    first, last = stream.days(product.block_days)
    first, last = max(first, choice.start or first), min(last, choice.end or last)
    if last < first:
        raise ConfigError(f"{product.url}: {stream.group} has no day from {choice.start} to {choice.end}")
    level_db = product.read(stream, arrays.level_db, first, last)
    day, last_day = arrays.window_days(day_number(first), level_db.shape[1])
    refusals = refuse_days(product, stream, arrays, level_db, day)
    for slot in range(len(level_db)):
        level_db[slot, refusals.windows(slot, day, last_day)] = np.nan
    step_ns = round(arrays.window_config.step_s * 1e9)
    start_ns = day_number(first) * DAY_NS + np.arange(level_db.shape[1], dtype=np.int64) * step_ns
    # Blocks begin before the first sample, and end after the last one.
    there = np.flatnonzero(np.isfinite(level_db).any(axis=(0, 2)))
    at = slice(there[0], there[-1] + 1) if len(there) else slice(0, 0)
    return Windows(
        level_db[:, at],
        start_ns[at],
        choice.occasions.chosen(start_ns[at]),
        arrays.window_config.step_s,
        arrays.window_config.window_s,
    )


def _ppsd(product: NoiseProduct, choice: Choice) -> Figure:
    from pipeline.noise.figures.ppsd import ppsd_chart

    stream = _one(product, choice)
    found = selected_windows(product, stream, choice)
    bins = DbBins()
    there = [slot for slot, own in enumerate(found.level_db) if np.isfinite(own).any()] or [0]
    chosen = found.level_db[there][:, found.chosen]
    return ppsd_chart(
        np.stack([count_levels(own, bins) for own in chosen]),
        product.arrays_of(stream).bins.centre_s,
        bins,
        components=[stream.stream.components[slot] for slot in there],
        start_ns=found.start_ns[found.chosen],
        used=np.isfinite(chosen).any(axis=-1),
        title=_title(stream, choice),
        window_s=found.window_s,
        step_s=found.step_s,
    )


def curves(product: NoiseProduct, choice: Choice) -> str:
    """Return percentiles, mean and mode of the chosen windows of a stream by period, as CSV."""
    stream = _one(product, choice)
    found = selected_windows(product, stream, choice)
    bins = DbBins(low_db=-230.0, high_db=-50.0)
    lines = ["component,period_s,windows,p05_db,p50_db,p95_db,mean_db,mode_db"]
    for slot, component in enumerate(stream.stream.components):
        counts = count_levels(found.level_db[slot][found.chosen], bins)
        columns = [percentile_db(counts, share, bins) for share in (5, 50, 95)]
        columns += [mean_db(counts, bins), mode_db(counts, bins)]
        for row, period_s in enumerate(product.arrays_of(stream).bins.centre_s):
            windows = int(counts[row].sum())
            if windows:
                values = ",".join(f"{column[row]:.2f}" for column in columns)
                lines.append(f"{component},{period_s:.6g},{windows},{values}")
    return "\n".join(lines) + "\n"


def _spectrogram(product: NoiseProduct, choice: Choice) -> Figure:
    from pipeline.noise.figures.spectrogram import level_spectrogram

    stream = _one(product, choice)
    found = selected_windows(product, stream, choice)
    components = stream.stream.components
    slot = components.index(choice.component) if choice.component in components else 0
    level_db = np.where(found.chosen[:, np.newaxis], found.level_db[slot], np.nan)
    return level_spectrogram(
        level_db,
        product.arrays_of(stream).bins.centre_s,
        found.start_ns,
        title=f"{_title(stream, choice)}, {components[slot]}",
        step_s=found.step_s,
        relative=choice.relative,
        marks=_marks(choice),
    )


def _levels(product: NoiseProduct, choice: Choice) -> Figure:
    from pipeline.noise.figures.band_series import BandSeries, band_chart

    names = [each.group for each in product.one_rate_each(_streams(product, choice))]
    own = product.table("noise_levels", names, where={"span": choice.span, "band": choice.band})
    trends = {
        (row["stream"], row["component"]): row
        for row in product.table("trends", names).to_pylist()
        if row["band"] == choice.band
    }
    rows = own.to_pandas()
    series = []
    for (stream, component), each in rows.groupby(["stream", "component"], sort=True):
        if component not in (choice.component, stream.rpartition(".")[2]):
            continue
        each = each.sort_values("period_start")
        days = each.period_start.to_numpy().astype("M8[D]").astype(np.int64)
        held = choice.holds(days)
        series.append(
            BandSeries(
                label=stream,
                day=days[held] + each.period_days.to_numpy()[held] / 2,
                level_db=each.p50.to_numpy()[held],
                low_db=each.p05.to_numpy()[held],
                high_db=each.p95.to_numpy()[held],
                trend=_daily(trends.get((stream, component))),
            )
        )
    if not series:
        table = product.table("noise_levels", names, where={"span": "year"})
        bands = ", ".join(sorted(set(table["band"].to_pylist()))) or "none"
        raise ConfigError(f"{product.url}: no level in {choice.band}; bands are {bands}")
    return band_chart(series, title=choice.band, statistic=f"median per {choice.span}", marks=_marks(choice))


def _daily(row: Mapping[str, Any] | None) -> Trend | None:
    """Turn a row of the table of trends, which are per year, into a trend per day."""
    if row is None:
        return None
    names = ("slope_db_per_year", "slope_low_db_per_year", "slope_high_db_per_year")
    slope, low, high = (row[name] / 365.25 for name in names)
    memory = row["autocorrelation"] if row["autocorrelation"] is not None else float("nan")
    return Trend(slope, low, high, row["p_value"], memory, row["levels"])


def _magnitudes(product: NoiseProduct, choice: Choice) -> Figure:
    from pipeline.noise.figures.magnitude_series import MagnitudeSeries, magnitude_chart

    if choice.span not in _MAGNITUDE_SPANS:
        spans = ", ".join(_MAGNITUDE_SPANS)
        raise ConfigError(f"magnitudes are of each {spans} and not of a {choice.span}: --span should be one")
    chosen = [e for e in product.one_rate_each(_streams(product, choice)) if is_gravimeter(e.stream)]
    names = [str(each.stream) for each in chosen]
    groups = [each.group for each in chosen]
    table = product.table("noise_magnitudes", groups) if groups else None
    if table is None or not table.num_rows:
        raise ConfigError(f"{product.url}: no wanted stream is a gravimeter's with magnitudes")
    quiet = table.filter(pc.equal(table["span"], "year")).to_pylist()
    series = []
    for name in names:
        own = table.filter(pc.and_(pc.equal(table["span"], choice.span), pc.equal(table["stream"], name)))
        days = days_of(own["period_start"])
        held = choice.holds(days)
        value = np.array([np.nan if v is None else v for v in own[choice.magnitude].to_pylist()])
        texts = [day for row in quiet if row["stream"] == name for day in row["quiet"]]
        quiet_day = np.array([day_number(dt.date.fromisoformat(text)) for text in texts], dtype=np.int64)
        length = own["period_days"].to_numpy()
        series.append(
            MagnitudeSeries(
                label=name,
                day=days[held] + length[held] / 2,
                magnitude=value[held],
                quiet_day=quiet_day[choice.holds(quiet_day)] + 0.5,
            )
        )
    quantity = choice.magnitude.upper()
    title = f"{quantity} per {choice.span}, the quietest days of each year marked"
    return magnitude_chart(series, title=title, quantity=quantity, marks=_marks(choice))


def _spectra(product: NoiseProduct, choice: Choice) -> Figure:
    from pipeline.noise.figures.psd_curves import SpectrumCurve, psd_chart

    table = product.table("noise_magnitudes")
    rows = table.filter(pc.equal(table["span"], "all")).to_pylist()
    quiet = {row["stream"]: [dt.date.fromisoformat(text) for text in row["quiet"]] for row in rows}
    curves = []
    for stream in _streams(product, choice):
        days = quiet.get(str(stream.stream), [])
        if days:
            found = [_day_spectrum(product, stream, each) for each in days]
            curves.append(SpectrumCurve(str(stream.stream), mean_spectrum(found), found))
    if not curves:
        raise ConfigError(f"{product.url}: no wanted stream is a gravimeter's with quiet days")
    # The polynomial of a day takes what is slower.
    return psd_chart(curves, title="Spectra of the quietest days", limits_s=_POLYNOMIAL_LIMITS_S)


def _day_spectrum(product: NoiseProduct, stream: MeasuredStream, day: dt.date) -> Spectrum:
    array = product.arrays_of(stream).gravity["day_psd"]
    psd = np.asarray(product.read(stream, array, day, day)[0], dtype=np.float64)
    return Spectrum(np.array(array.after[0].values, dtype=np.float64), psd)


KINDS: Final = MappingProxyType[str, Callable[[NoiseProduct, Choice], "Figure"]](
    {
        "ppsd": _ppsd,
        "spectrogram": _spectrogram,
        "levels": _levels,
        "magnitudes": _magnitudes,
        "spectra": _spectra,
    }
)
"""Pictures by name."""


def _title(stream: MeasuredStream, choice: Choice) -> str:
    said = []
    if choice.hours:
        said.append(f"{choice.hours[0]:g} to {choice.hours[1]:g} h UTC")
    if choice.weekdays:
        said.append(f"weekdays {', '.join(map(str, choice.weekdays))}")
    if choice.weeks:
        said.append(f"weeks {', '.join(map(str, choice.weeks))}")
    if choice.season or choice.months:
        said.append(choice.season or f"months {', '.join(map(str, choice.months or ()))}")
    return ", ".join([str(stream.stream), *said])


def _marks(choice: Choice) -> Sequence[DateMark]:
    from pipeline.noise.figures.labels import DateMark

    return [DateMark(day_number(date) * DAY_NS, text or f"{date}") for date, text in choice.marks]

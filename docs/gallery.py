"""
Draw the figures of docs/synthetic-figures.md and of noise from what `stationday demo` made.

    stationday demo demo
    python docs/gallery.py demo

Everything is read as a user would read it: samples from the archive, truth from its tables, gains from the
StationXML.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import obspy
import pandas as pd
import scipy.signal
from PIL import Image

from pipeline.archive import open_archive
from pipeline.figures import CATEGORICAL, axis_label, figure_mm, render, sequential, theme, utc_axis
from pipeline.figures.palettes import INK, QUIET
from pipeline.figures.theme import DPI
from pipeline.figures.waveforms import (
    PHASE_COLOURS,
    Mark,
    Wave,
    helicorder,
    panels,
    record_section,
    spectrogram,
)
from pipeline.maps.fields import map_field
from pipeline.maps.figures import field_figure
from pipeline.synthetic.ground.spectra import nhnm_db, nlnm_db
from workflows.maps.levels import Level, observe
from workflows.noise import find_product
from workflows.noise.pictures import Choice, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUT = Path(__file__).parent / "figures"
WEB_DPI = 120
SECOND = 10**9


class Gallery:
    """The demo's archive and truth."""

    def __init__(self, demo: Path) -> None:
        self.folder = demo
        self.archive = open_archive(str(demo / "archive.zarr"))
        self.inventory = obspy.read_inventory(demo / "synthetic" / "stations.xml")
        self.truth = demo / "synthetic" / "truth"
        self.events = self.table("events")
        self.arrivals = self.table("arrivals")

    def table(self, name: str) -> Any:
        """Read a table of the truth."""
        return pd.read_parquet(self.truth / f"{name}.parquet")

    def wave(self, stream: str, component: str, start: Any = None, end: Any = None, label: str = "") -> Wave:
        """Read a component in µm/s, nm/s² or hPa."""
        network, station, location, code = stream.split(".")
        channel = code + component if len(code) == 2 else code
        (found,) = self.inventory.select(network, station, location, channel)[0][0].channels
        gain = found.response.instrument_sensitivity.value * {"H": 1e-6, "G": 1e-9, "D": 100.0}[code[1]]
        return Wave.of(self.archive.sel(stream, start, end), component, label=label or stream, gain=gain)

    def marks(self, event_id: str, stream: str) -> list[Mark]:
        """Return the true onsets of an event at a stream."""
        own = self.arrivals[(self.arrivals.event_id == event_id) & (self.arrivals.stream == stream)]
        return [Mark(each.phase, each.pick_time.value) for each in own.itertuples()]

    def largest(self, low: float, high: float) -> Any:
        """Return the largest event of a range of ML that no other one larger than 1 disturbs."""
        events = self.events.dropna(subset=["magnitude"])
        for event in events[events.magnitude.between(low, high)].sort_values("magnitude")[::-1].itertuples():
            apart_s = (events.time - event.time).abs().dt.total_seconds()
            if not ((apart_s < 60) & (apart_s > 0) & (events.magnitude > event.magnitude - 2)).any():
                return event
        raise ValueError(f"no event alone between ML {low} and {high}")


def highpassed(wave: Wave, corner_hz: float) -> Wave:
    """Take away what is slower."""
    samples = np.nan_to_num(wave.samples - np.nanmean(wave.samples))
    sections = scipy.signal.butter(4, corner_hz, "highpass", fs=wave.rate_hz, output="sos")
    return Wave(wave.label, scipy.signal.sosfilt(sections, samples), wave.start_ns, wave.rate_hz)


def plan_view(gallery: Gallery) -> Figure:
    """Stations and earthquakes on a map, and at depth."""
    events = gallery.events
    with theme():
        figure = figure_mm(180, 130)
        plan, depth = figure.subplots(1, 2, width_ratios=[2.2, 1])
        size = 1.5 * 2.2 ** events.mw.clip(-0.5)
        days = (events.time - events.time.min()).dt.total_seconds() / 86_400
        plan.scatter(events.longitude, events.latitude, s=size, c=days, cmap=sequential(), lw=0.2, ec=INK)
        stations = [station for network in gallery.inventory if network.code == "SY" for station in network]
        plan.plot([s.longitude for s in stations], [s.latitude for s in stations], "^", color=CATEGORICAL[1])
        for station in stations:
            place = station.longitude, station.latitude
            plan.annotate(
                station.code, place, (4, 4), textcoords="offset points", fontsize=7, color=CATEGORICAL[1]
            )
        plan.set_aspect(1 / np.cos(np.radians(events.latitude.mean())), anchor="N")
        plan.set_xlabel(axis_label("longitude", "°E"))
        plan.set_ylabel(axis_label("latitude", "°N"))
        plan.set_title("Stations and true hypocentres")
        drawn = depth.scatter(
            events.latitude, events.depth_km, s=size, c=days, cmap=sequential(), lw=0.2, ec=INK
        )
        depth.invert_yaxis()
        depth.set_xlabel(axis_label("latitude", "°N"))
        depth.set_ylabel(axis_label("depth", "km"))
        figure.colorbar(drawn, ax=depth, label="Day", shrink=0.6)
        figure.tight_layout()
    return figure


def sequence(gallery: Gallery) -> Figure:
    """Magnitudes in time, and the rate after the mainshock."""
    events = gallery.events.sort_values("time")
    main = events.loc[events.mw.idxmax()]
    after_s = np.sort((events.time - main.time).dt.total_seconds())
    after_s = after_s[after_s > 60]
    with theme():
        figure = figure_mm(180, 90)
        left, right = figure.subplots(1, 2, width_ratios=[1.6, 1])
        left.plot(events.time, events.mw, ".", color=CATEGORICAL[0], ms=3, mec="none")
        left.set_ylabel("Mw")
        left.set_title("Swarm, mainshock, aftershocks")
        utc_axis(left.xaxis)
        edges = np.geomspace(60, after_s.max(), 14)
        count, _ = np.histogram(after_s, edges)
        middle = np.sqrt(edges[1:] * edges[:-1])
        right.loglog(middle / 3600, count / np.diff(edges) * 3600, "o-", color=CATEGORICAL[0], ms=3)
        law = count[6] / np.diff(edges)[6] * 3600 * middle[6] / middle
        right.loglog(middle / 3600, law, "--", color=QUIET, lw=1)
        right.annotate("1/t", (middle[-4] / 3600, 1.3 * law[-4]), color=QUIET, fontsize=7)
        right.set_xlabel(axis_label("time after the mainshock", "h"))
        right.set_ylabel("Earthquakes per hour")
        right.set_title("Their rate")
        figure.tight_layout()
    return figure


def magnitudes(gallery: Gallery) -> Figure:
    """Numbers above a magnitude, and ML against Mw."""
    events = gallery.events.dropna(subset=["magnitude"])
    with theme():
        figure = figure_mm(180, 90)
        left, right = figure.subplots(1, 2)
        for column, label, colour in (("mw", "Mw", CATEGORICAL[0]), ("magnitude", "ML", CATEGORICAL[1])):
            ordered = np.sort(events[column])[::-1]
            left.semilogy(ordered, np.arange(1, len(ordered) + 1), color=colour, label=label)
        left.set_xlabel("Magnitude")
        left.set_ylabel("Earthquakes at or above")
        left.legend()
        left.set_title("How many")
        right.plot(events.mw, events.magnitude, ".", color=CATEGORICAL[0], ms=2.5, mec="none")
        ends = np.array([events.mw.min(), events.mw.max()])
        right.plot(ends, ends, color=QUIET, lw=0.8)
        right.annotate(
            "ML = Mw", (ends[1], ends[1]), (-45, -4), textcoords="offset points", color=QUIET, fontsize=7
        )
        right.set_xlabel("Mw")
        right.set_ylabel("ML")
        right.set_title("ML against Mw")
        figure.tight_layout()
    return figure


def section(gallery: Gallery) -> Figure:
    """A small earthquake at all stations, above 1 Hz."""
    event = gallery.largest(2.0, 3.0)
    own = gallery.arrivals[gallery.arrivals.event_id == event.event_id].sort_values("distance_km")
    waves, distances, marks = [], [], []
    for stream, onsets in own.groupby("stream", sort=False):
        span = event.time - pd.Timedelta(seconds=4), event.time + pd.Timedelta(seconds=36)
        wave = gallery.wave(stream, "Z", *span)
        if not np.isnan(wave.samples).all():
            waves.append(highpassed(wave, 1.0))
            distances.append(onsets.distance_km.iloc[0])
            marks.append(gallery.marks(event.event_id, stream))
    title = f"ML {event.magnitude:.1f}, depth {event.depth_km:.0f} km, vertical above 1 Hz"
    return record_section(waves, distances, marks, origin_ns=event.time.value, title=title)


def components(gallery: Gallery) -> Figure:
    """Three components of one small earthquake, near and far."""
    event = gallery.largest(2.0, 3.0)
    own = gallery.arrivals[gallery.arrivals.event_id == event.event_id].sort_values("distance_km")
    streams = list(own.stream.unique())
    with theme():
        figure = figure_mm(180, 150)
        axes = figure.subplots(6, 1, sharex=True)
        for number, (stream, component) in enumerate(
            (stream, component) for stream in (streams[0], streams[-1]) for component in "ZNE"
        ):
            span = event.time - pd.Timedelta(seconds=3), event.time + pd.Timedelta(seconds=30)
            wave = highpassed(gallery.wave(stream, component, *span), 1.0)
            axes[number].plot(wave.seconds(event.time.value), wave.samples, color=INK, lw=0.5)
            for mark in gallery.marks(event.event_id, stream):
                axes[number].axvline((mark.time_ns - event.time.value) / 1e9, color=PHASE_COLOURS[mark.phase])
            distance = own[own.stream == stream].distance_km.iloc[0]
            axes[number].set_ylabel(f"{component} (µm/s)")
            axes[number].margins(x=0)
            axes[number].set_title(f"{stream}, {distance:.0f} km" if component == "Z" else "", fontsize=8)
        axes[-1].set_xlabel(axis_label("time since the origin", "s"))
        figure.suptitle(
            f"ML {event.magnitude:.1f}: true P (blue) and S (orange)", x=0.02, ha="left", weight="bold"
        )
        figure.align_ylabels()
        figure.tight_layout()
    return figure


def swarm(gallery: Gallery) -> Figure:
    """The busiest quarter of an hour of a swarm, at the station that sees most of it."""
    length = pd.Timedelta(minutes=15)
    before = gallery.arrivals.pick_time < gallery.events.loc[gallery.events.mw.idxmax()].time
    seen = gallery.arrivals[before & (gallery.arrivals.snr > 5)]
    counts = seen.groupby(["stream", seen.pick_time.dt.floor(length)]).size()
    stream, start = counts.idxmax()
    wave = highpassed(gallery.wave(stream, "Z", start, start + length), 2.0)
    own = seen[(seen.stream == stream) & seen.pick_time.between(start, start + length)]
    marks = [Mark(each.phase, each.pick_time.value) for each in own.itertuples()]
    scale = float(12 * np.median(np.abs(wave.samples)))
    return helicorder(
        wave, title=f"{stream}Z above 2 Hz: a swarm; dots are true P and S", minutes=1,
        full_scale=scale, unit="µm/s", marks=marks,
    )  # fmt: skip


def quiet_day(gallery: Gallery) -> Figure:
    """A day of noise."""
    wave = gallery.wave("SY.S01..HH", "Z", "2020-03-02", "2020-03-03")
    return spectrogram(
        wave, title="SY.S01..HHZ, a Monday", quantity="velocity", unit="µm/s", window_s=120, low_hz=0.02
    )


def spectra(gallery: Gallery) -> Figure:
    """The quietest hours of all stations, against Peterson's models."""
    with theme():
        figure = figure_mm(140, 100)
        axes = figure.add_subplot()
        period = np.geomspace(0.025, 180, 400)
        for model, label in ((nlnm_db, "NLNM"), (nhnm_db, "NHNM")):
            known = period[period >= 0.1]
            axes.semilogx(known, model(known), color=INK, lw=1.4)
            axes.annotate(
                label, (known[-1], model(known)[-1]), (3, 0), textcoords="offset points", fontsize=7
            )
        streams = [str(stream) for stream in gallery.archive.streams if stream.network == "SY"]
        for stream in streams:
            wave = gallery.wave(stream, "Z", "2020-03-01", "2020-03-02")
            hours = np.nan_to_num(wave.samples).reshape(24, -1)
            frequency, power = scipy.signal.welch(hours * 1e-6, wave.rate_hz, nperseg=2**16, detrend="linear")
            quiet = np.median(power, axis=0)[1:] * (2 * np.pi * frequency[1:]) ** 2
            edges = np.geomspace(1 / 180, 49, 120)
            mean = [quiet[(frequency[1:] >= a) & (frequency[1:] < b)] for a, b in itertools.pairwise(edges)]
            level = [10 * np.log10(part.mean()) if len(part) else np.nan for part in mean]
            axes.semilogx(1 / np.sqrt(edges[1:] * edges[:-1]), level, color=CATEGORICAL[0], lw=0.7, alpha=0.7)
        axes.set_xlabel(axis_label("period", "s"))
        axes.set_ylabel("Power (dB re 1 (m/s²)²/Hz)")
        axes.set_title(f"Median of the hours of a day, {len(streams)} verticals")
        figure.tight_layout()
    return figure


def landslide(gallery: Gallery) -> Figure:
    """The last ten hours before a slope fails."""
    wave = gallery.wave("SY.S04..HH", "Z", "2020-03-02T11:30", "2020-03-02T22:00")
    sections = scipy.signal.butter(4, [2, 8], "bandpass", fs=wave.rate_hz, output="sos")
    samples = scipy.signal.sosfilt(sections, wave.samples - wave.samples.mean())
    filtered = Wave(wave.label, samples, wave.start_ns, wave.rate_hz)
    scale = float(8 * np.median(np.abs(samples)))
    return helicorder(
        filtered,
        title="SY.S04..HHZ, 2 to 8 Hz, before a landslide",
        minutes=15,
        full_scale=scale,
        unit="µm/s",
    )


def failure(gallery: Gallery) -> Figure:
    """The landslide itself."""
    wave = gallery.wave("SY.S04..HH", "Z", "2020-03-02T21:15", "2020-03-02T21:45")
    return spectrogram(
        wave, title="SY.S04..HHZ: a slope fails", quantity="velocity", unit="µm/s", window_s=4, low_hz=0.25
    )


def gravity_month(gallery: Gallery) -> Figure:
    """A gravimeter's month, and its pressure."""
    span = "2020-02-05", "2020-03-06"
    gravity = gallery.wave("GY.G01..LGZ", "LGZ", *span, label="gravity")
    pressure = gallery.wave("GY.G01..LDI", "LDI", *span, label="pressure")
    fast = Wave("above 1 mHz", highpassed(gravity, 0.001).samples, gravity.start_ns, gravity.rate_hz)
    level = Wave("gravity", gravity.samples - gravity.samples.mean(), gravity.start_ns, gravity.rate_hz)
    return panels([level, fast, pressure], ["nm/s²", "nm/s²", "hPa"], title="GY.G01: a month", height_mm=36)


def great_earthquake(gallery: Gallery) -> Figure:
    """Two days after a great earthquake at a gravimeter, in time and frequency."""
    quietest = gallery.table("noise_magnitudes").groupby("stream").snm.mean().idxmin()
    wave = gallery.wave(quietest, "LGZ", "2020-02-20T04:00", "2020-02-22T04:00")
    with theme():
        figure = figure_mm(180, 110)
        upper, lower = figure.subplots(2, 1)
        first = highpassed(wave, 0.002)
        shown = first.seconds(wave.start_ns) < 6 * 3600
        hours = first.seconds(wave.start_ns)[shown] / 3600
        upper.plot(hours, first.samples[shown], color=INK, lw=0.4)
        upper.set(xlabel="Hours since 2020-02-20 04:00 UTC", ylabel="Above 2 mHz (nm/s²)")
        upper.set_title(f"{quietest} after a great earthquake (Mw 8.2)")
        upper.margins(x=0)
        late = scipy.signal.detrend(highpassed(wave, 0.0002).samples[4 * 3600 :])
        spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late)), 4 * len(late))) / len(late) * 4
        frequency = np.fft.rfftfreq(4 * len(late))
        band = (frequency > 0.0002) & (frequency < 0.005)
        lower.plot(frequency[band] * 1e3, spectrum[band], color=CATEGORICAL[0], lw=0.7)
        for name, mhz in (("₀S₂", 0.309), ("₀S₃", 0.469), ("₀S₄", 0.647), ("₀S₀", 0.814), ("₀S₆", 1.038)):
            lower.axvline(mhz, color=QUIET, lw=0.5)
            lower.annotate(
                name, (mhz, 1.0), xycoords=("data", "axes fraction"), fontsize=7, ha="center", va="bottom"
            )
        lower.set(xlabel="Frequency (mHz)", ylabel="Amplitude (nm/s²)", ylim=(0, None))
        lower.margins(x=0)
        figure.tight_layout()
    return figure


FIGURES: dict[str, Callable[[Gallery], Figure]] = {
    "01-map": plan_view,
    "02-sequence": sequence,
    "03-magnitudes": magnitudes,
    "04-section": section,
    "05-components": components,
    "06-swarm": swarm,
    "07-day": quiet_day,
    "08-spectra": spectra,
    "09-landslide": landslide,
    "10-failure": failure,
    "11-gravity": gravity_month,
    "12-great-earthquake": great_earthquake,
}


def _noise(kind: str, choice: Choice) -> Callable[[Gallery], Figure]:
    """Draw a picture of the noise product that the demo made."""
    return lambda gallery: draw(find_product(str(gallery.folder / "archive.zarr")), kind, choice)


def rise_map(gallery: Gallery) -> Figure:
    """Where noise rose before the end of the designed rise."""
    product = find_product(str(gallery.folder / "archive.zarr"))
    level = Level(name="snm", rise_before=dt.date(2020, 5, 9), weeks=4)
    made = map_field(observe(product, level), quantity=level.short, unit=level.unit)
    return field_figure(made, caption=f"{level.title[0].upper()}{level.title[1:]}.", centred=True)


_RISE = ((dt.date(2020, 5, 9), "rise ends"),)
NOISE_FIGURES: dict[str, Callable[[Gallery], Figure]] = {
    "1-ppsd": _noise("ppsd", Choice(streams=("SY.S01..HH",))),
    "2-spectrogram": _noise("spectrogram", Choice(streams=("GY.G03..LGZ",), marks=_RISE)),
    "3-snm": _noise("magnitudes", Choice(span="day", marks=_RISE)),
    "4-quiet-days": _noise("spectra", Choice()),
    "5-rise": rise_map,
}
"""Of docs/noise.md and docs/gravity-network.md, in ``docs/figures/noise``."""


def main() -> None:
    """Draw all figures, or those named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("demo", type=Path, help="the folder that `stationday demo` made")
    parser.add_argument("names", nargs="*", metavar="FIGURE", help="as 09-landslide; all by default")
    args = parser.parse_args()
    gallery = Gallery(args.demo)
    for folder, figures in (("synthetic", FIGURES), ("noise", NOISE_FIGURES)):
        for name, drawn in figures.items():
            if not args.names or name in args.names:
                target = OUT / folder / f"{name}.png"
                _save_small(drawn(gallery), target)
                print(target)


def _save_small(figure: Figure, target: Path) -> None:
    """Write a figure for a page: fewer pixels and colours."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(render(figure, "png"))).convert("RGB")
    width, height = (round(length * WEB_DPI / DPI) for length in picture.size)
    picture.resize((width, height), Image.Resampling.LANCZOS).quantize(256, kmeans=2).save(
        target, optimize=True
    )


if __name__ == "__main__":
    main()

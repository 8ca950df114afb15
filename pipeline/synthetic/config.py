"""
What a synthetic archive is made of, as it stands in ``CONFIG.toml``.

Three are given by name: ``small``, ``medium`` and ``large`` (`SIZES`). Times are UTC.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.synthetic.earthquakes.seismicity import Mainshock
from pipeline.synthetic.earthquakes.triggering import Aftershocks, GutenbergRichter, Swarm
from pipeline.synthetic.faults.fault_kinds import Fault, FaultKind
from pipeline.synthetic.gravity.gravity_files import GravityFormat
from pipeline.synthetic.ground.transient_shapes import KINDS
from pipeline.synthetic.instruments import InstrumentName
from pipeline.synthetic.layout import Region
from pipeline.synthetic.times import to_ns

__all__ = [
    "SIZES",
    "EarthquakeConfig",
    "FaultConfig",
    "GravityConfig",
    "GreatEarthquakeConfig",
    "LandslideConfig",
    "NetworkConfig",
    "NewSensorConfig",
    "NoiseConfig",
    "RiseConfig",
    "SynthConfig",
    "read_config",
    "to_ns",
]

# What 100 Hz, at which noise is made, can be decimated to and still hold local earthquakes.
_RATES_HZ = (20, 25, 50, 100)
_FOLDER = Path(__file__).with_name("sizes")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """
    Broadband stations of three components.

    Parameters
    ----------
    stations : int
    rate_hz : float
        Sampling rate: 20, 25, 50 or 100.
    spacing_km : float
        Least distance between two.
    orientation_error_deg : float
        Standard deviation of what stated orientations are off.
    """

    stations: int = 6
    rate_hz: float = 100.0
    spacing_km: float = 4.0
    orientation_error_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.stations < 1:
            raise ConfigError(f"stations = {self.stations}: should be at least 1")
        if self.rate_hz not in _RATES_HZ:
            raise ConfigError(f"rate_hz = {self.rate_hz}: should be one of {', '.join(map(str, _RATES_HZ))}")


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """
    What there is beside earthquakes.

    Parameters
    ----------
    storms_per_day, night_db : float
        Storms that begin; how far culture falls at night on a working day.
    transients_per_day : mapping of str to float
        How many of a kind, where not as usual; see `pipeline.synthetic.ground.transient_shapes`.
    loudness : float
        Factor of the peaks of transients.
    restless_db : float
        Standard deviation of the level above 0.5 Hz over half a minute to five.
    """

    storms_per_day: float = 0.3
    night_db: float = 20.0
    transients_per_day: Mapping[str, float] = field(default_factory=dict, hash=False)
    loudness: float = 1.0
    restless_db: float = 3.0

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.transients_per_day) - set(KINDS)):
            raise ConfigError(f"transients_per_day knows {', '.join(KINDS)}, not {', '.join(unknown)}")


@dataclass(frozen=True, kw_only=True)
class LandslideConfig:
    """
    A slope that fails, announced by small repeating signals.

    Parameters
    ----------
    time : datetime
        Of the failure.
    latitude, longitude : float
    station : str
        Where the peak of a repeater is on average ``peak_snr`` times the RMS of the vertical's noise at its
        time, 2 to 8 Hz.
    repeaters : int
    hours, peak_snr, collapse_snr : float
    """

    time: dt.datetime
    latitude: float
    longitude: float
    station: str
    repeaters: int = 100
    hours: float = 9.0
    peak_snr: float = 0.8
    collapse_snr: float = 300.0


@dataclass(frozen=True, kw_only=True)
class EarthquakeConfig:
    """
    Which earthquakes there are.

    Parameters
    ----------
    per_day : float
        Of the background, of all magnitudes.
    fault_planes : int
        On which most of them lie.
    depth_km : (float, float)
        Range.
    magnitudes, aftershocks
        Laws; see `pipeline.synthetic.earthquakes.triggering`.
    mainshocks, swarms
        On top of the background; see `pipeline.synthetic.earthquakes`.
    """

    per_day: float = 60.0
    fault_planes: int = 4
    depth_km: tuple[float, float] = (2.0, 16.0)
    magnitudes: GutenbergRichter = field(default_factory=GutenbergRichter)
    aftershocks: Aftershocks = field(default_factory=Aftershocks)
    mainshocks: tuple[Mainshock, ...] = ()
    swarms: tuple[Swarm, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GreatEarthquakeConfig:
    """A great earthquake far away, of which gravimeters see the surface waves and the modes."""

    time: dt.datetime
    latitude: float
    longitude: float
    mw: float


@dataclass(frozen=True, kw_only=True)
class RiseConfig:
    """
    A rise of a gravimeter's noise, as before an event.

    Parameters
    ----------
    station : str
        As ``G03``; every one where it is empty.
    time : datetime
        When it begins. It grows for the first half of its days.
    days, gain_db : float
    low_hz, high_hz : float
        Its band.
    """

    time: dt.datetime
    days: float
    gain_db: float
    station: str = ""
    low_hz: float = 1 / 600
    high_hz: float = 1 / 200


@dataclass(frozen=True, kw_only=True)
class GravityConfig:
    """
    Gravimeters with pressure, once a second, over a region and a span of their own.

    Parameters
    ----------
    stations : int
    start : datetime, optional
        That of the whole unless told otherwise.
    days : float
    region : Region
    snm, reddening : (float, float)
        Ranges from which each instrument's designed SNM is drawn, and by how much its SSNM lies above.
    microseism_nm_s2 : float
    earthquakes, rises
        What happens.
    formats : tuple of {"mseed", "ggp", "tsf"}
        As which files the same samples are written. Text is 12 (ggp) and 15 (tsf) times as large.
    """

    stations: int
    days: float
    region: Region
    start: dt.datetime | None = None
    snm: tuple[float, float] = (0.5, 2.5)
    reddening: tuple[float, float] = (0.4, 2.2)
    microseism_nm_s2: float = 50.0
    earthquakes: tuple[GreatEarthquakeConfig, ...] = ()
    rises: tuple[RiseConfig, ...] = ()
    formats: tuple[GravityFormat, ...] = ("mseed",)

    def __post_init__(self) -> None:
        if not self.formats or len(set(self.formats)) < len(self.formats):
            raise ConfigError(f"formats = {list(self.formats)}: should name at least one, and none twice")


@dataclass(frozen=True, kw_only=True)
class NewSensorConfig:
    """
    The sensor that takes over.

    Parameters
    ----------
    instrument : str
        One of `pipeline.synthetic.instruments.INSTRUMENTS`.
    azimuth_deg : float
        Stated direction of its first horizontal; other than 0, its channels are named 1 and 2.
    """

    instrument: InstrumentName
    azimuth_deg: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FaultConfig:
    """
    One thing that goes wrong.

    Parameters
    ----------
    kind, stream, components, size
        See `pipeline.synthetic.faults.fault_kinds`.
    time : datetime
        From when. Of a leap second the midnight after it, which is all that a TOML file can say.
    hours : float, optional
        How long; to the end of the stream where it is left out.
    sensor : NewSensorConfig, optional
        Of a change of sensor.
    """

    kind: FaultKind
    stream: str
    time: dt.datetime
    hours: float | None = None
    components: str = ""
    size: float = 0.0
    sensor: NewSensorConfig | None = None

    def __post_init__(self) -> None:
        lasts = self.kind not in ("leap_second", "sensor_change")
        if self.hours is not None and not (lasts and 0 < self.hours < math.inf):
            wanted = "above 0, or left out for all that follows" if lasts else f"left out of a {self.kind}"
            raise ConfigError(f"hours = {self.hours}: should be {wanted}")
        if (self.sensor is None) == (self.kind == "sensor_change"):
            wanted = "needs" if self.sensor is None else "takes no"
            raise ConfigError(f"a fault of the kind {self.kind} {wanted} [faults.sensor]")
        self.fault(self.start_ns + 1)

    @property
    def start_ns(self) -> int:
        """The time in nanoseconds since 1970."""
        return to_ns(self.time)

    def fault(self, stop_ns: int) -> Fault:
        """Return the same in nanoseconds, for a stream that stops at a time."""
        start_ns = self.start_ns
        end_ns = stop_ns if self.hours is None else start_ns + round(self.hours * 3.6e12)
        return Fault(
            kind=self.kind,
            stream=self.stream,
            start_ns=start_ns,
            end_ns=start_ns + 10**9 if self.kind == "leap_second" else end_ns,
            components=self.components,
            size=self.size,
        )


@dataclass(frozen=True, kw_only=True)
class SynthConfig:
    """
    A synthetic archive.

    Parameters
    ----------
    seed : int
        Everything that is drawn depends on it.
    start : datetime
    hours : float
        How long it lasts.
    region : Region
        Stations stand in it; earthquakes also a little beyond.
    network, earthquakes, noise, landslides, faults, gravity
        Its parts.
    """

    seed: int
    start: dt.datetime
    hours: float
    region: Region
    network: NetworkConfig = field(default_factory=NetworkConfig)
    earthquakes: EarthquakeConfig = field(default_factory=EarthquakeConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    landslides: tuple[LandslideConfig, ...] = ()
    faults: tuple[FaultConfig, ...] = ()
    gravity: GravityConfig | None = None

    def __post_init__(self) -> None:
        if not 0 < self.hours <= 100 * 366 * 24:
            raise ConfigError(f"hours = {self.hours}: should be above 0, and at most a century")

    @property
    def start_ns(self) -> int:
        """First instant, in nanoseconds since 1970."""
        return to_ns(self.start)

    @property
    def stop_ns(self) -> int:
        """The instant after the last."""
        return self.start_ns + round(self.hours * 3.6e12)


SIZES: Final = MappingProxyType(
    {
        "small": "6 stations for two hours, 2 gravimeters for a day: for tests",
        "medium": "12 stations for two days with a mainshock, 8 gravimeters for 120 days: for the demo",
        "large": "30 stations, ten days",
    }
)
"""Configs that are given by name."""


def read_config(source: str) -> SynthConfig:
    """
    Read a config by its path, or one of `SIZES` by its name.

    Raises
    ------
    ConfigError
        If there is none, or it says what it should not.

    Examples
    --------
    >>> read_config("small").network.stations
    6
    """
    path = _FOLDER / f"{source}.toml" if source in SIZES else Path(source)
    if not path.is_file():
        raise ConfigError(f"{source}: no such config; give a path, or {', '.join(SIZES)}")
    return load(SynthConfig, path)

"""
Layout: a network with a known truth, which its StationXML tells in part only.

==============================  =====================  ==========================================
of a station                    in its StationXML      used to make its records
==============================  =====================  ==========================================
place, elevation, response      yes                    yes
stated orientation              yes                    no
true orientation                no                     yes
kappa, amplification, delays    no                     yes
==============================  =====================  ==========================================

Stations are placed one after another, each as far as it can be from those before (best of many candidates:
Mitchell 1991), so that the first ones stay where they are when there are more.

What makes a site soft makes it late, loud and dull at once: one hidden number per station drives its delays,
its amplification and its kappa.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.keys import Channel, Stream
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.faulting import kilometres_between, move
from pipeline.synthetic.instruments import Instrument, Sensor, barometer, broadband, gravimeter

__all__ = [
    "Region",
    "SiteTerms",
    "Station",
    "draw_elevations_m",
    "draw_points",
    "draw_site_terms",
    "gravity_network",
    "seismic_network",
]

FloatArray: TypeAlias = NDArray[np.float64]

_CANDIDATES, _MOST_CANDIDATES = 64, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """
    A rectangle on the ground.

    Parameters
    ----------
    latitude, longitude : float
        Centre.
    width_km, height_km : float
        From west to east and from south to north.
    """

    latitude: float
    longitude: float
    width_km: float
    height_km: float

    def __post_init__(self) -> None:
        if not (self.width_km > 0 and self.height_km > 0):
            raise ConfigError(f"a region should be wider and higher than 0 km, got {self}")
        if not abs(self.latitude) <= 85:
            raise ConfigError(f"a region should lie within 85 degrees of latitude, got {self.latitude}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTerms:
    """
    What the ground below a station does, which no metadata tell.

    Parameters
    ----------
    kappa_s : float
        Spectra fall as ``exp(-pi kappa f)``.
    amplification_hz, amplification : tuple of float
        Frequencies, rising, and factors there.
    delay_p_s, delay_s_s : float
        Of all P and of all S.
    """

    kappa_s: float
    amplification_hz: tuple[float, ...]
    amplification: tuple[float, ...]
    delay_p_s: float
    delay_s_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """
    A place with its ground and its sensors.

    Parameters
    ----------
    network, name : str
        Codes.
    latitude, longitude, elevation_m : float
    site : SiteTerms
    sensors : tuple of Sensor
        Those of one stream follow each other in time.
    """

    network: str
    name: str
    latitude: float
    longitude: float
    elevation_m: float
    site: SiteTerms
    sensors: tuple[Sensor, ...]

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of its sensors; one that followed another shares its stream."""
        channels = (
            Channel(self.network, self.name, sensor.location, sensor.channels[0][0])
            for sensor in self.sensors
        )
        return tuple(dict.fromkeys(channel.stream for channel in channels))


def draw_points(
    region: Region, count: int, *, seed: int, purpose: str, spacing_km: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """
    Spread points over a region: irregular, but without holes and heaps.

    Parameters
    ----------
    region : Region
    count : int
        The first ones stay where they are when there are more.
    seed : int
    purpose : str
        Other words give other points.
    spacing_km : float
        Least distance between two.

    Returns
    -------
    latitude, longitude : array, shape (count,)

    Raises
    ------
    ConfigError
        Where there is no room for another point.

    Examples
    --------
    >>> region = Region(latitude=50.0, longitude=8.0, width_km=100.0, height_km=60.0)
    >>> latitude, longitude = draw_points(region, 12, seed=1, purpose="broadband", spacing_km=10.0)
    >>> latitude.shape, bool((abs(latitude - 50) < 0.27).all())
    ((12,), True)
    """
    size_km = np.array([region.width_km, region.height_km])
    placed = np.empty((0, 2))
    for number in range(count):
        random = generator(seed, "point", purpose, number)
        # More candidates for each further point, or the spread becomes that of random points.
        tries = min(_CANDIDATES * (number + 1), _MOST_CANDIDATES)
        candidates = random.uniform(-0.5, 0.5, (tries, 2)) * size_km
        apart_km = np.linalg.norm(candidates[:, np.newaxis] - placed, axis=2).min(axis=1, initial=np.inf)
        best = int(np.argmax(apart_km))
        if apart_km[best] < spacing_km:
            raise ConfigError(
                f"there should be room for {count} points {spacing_km} km apart: after {number} of them the"
                f" best place left is {apart_km[best]:.1f} km from another; widen the region or lower spacing"
            )
        placed = np.vstack([placed, candidates[best]])
    return move(region.latitude, region.longitude, placed[:, 1], placed[:, 0])


def draw_elevations_m(
    region: Region,
    latitude: ArrayLike,
    longitude: ArrayLike,
    *,
    seed: int,
    mean_m: float = 600.0,
    relief_m: float = 350.0,
) -> FloatArray:
    """
    Give points the elevations of one smooth landscape.

    Parameters
    ----------
    region : Region
    latitude, longitude : array_like, shape (n,)
    seed : int
    mean_m, relief_m : float
        Mean, and standard deviation about it. Nothing lies below the sea.

    Returns
    -------
    array of float64, shape (n,)
        Whole metres.

    Examples
    --------
    >>> region = Region(latitude=50.0, longitude=8.0, width_km=100.0, height_km=60.0)
    >>> near = draw_elevations_m(region, [50.0, 50.0001], [8.0, 8.0], seed=1)
    >>> bool(abs(near[1] - near[0]) <= 2)
    True
    """
    random = generator(seed, "landscape")
    north_km, east_km = kilometres_between(region.latitude, region.longitude, latitude, longitude)
    lengths_km = np.geomspace(120, 8, 20)
    direction, phase = random.uniform(0, 2 * np.pi, (2, len(lengths_km)))
    weight = lengths_km * random.standard_normal(len(lengths_km))
    weight *= np.sqrt(2) / np.linalg.norm(weight)
    along = np.multiply.outer(north_km, np.cos(direction)) + np.multiply.outer(east_km, np.sin(direction))
    height = (np.cos(2 * np.pi * along / lengths_km + phase) * weight).sum(axis=-1)
    return np.asarray(np.rint(np.maximum(mean_m + relief_m * height, 0)))


def draw_site_terms(name: str, *, seed: int, delay_p_s: float = 0.06) -> SiteTerms:
    """
    Draw what the ground below a station does.

    Parameters
    ----------
    name : str
        Of the station.
    seed : int
    delay_p_s : float
        Standard deviation of the delay of P. S is later by a factor of about 2.

    Returns
    -------
    SiteTerms

    Examples
    --------
    >>> site = draw_site_terms("S01", seed=1)
    >>> 0.005 < site.kappa_s < 0.1, len(site.amplification)
    (True, 32)
    """
    random = generator(seed, "site", name)
    soft = float(np.clip(random.standard_normal(), -2, 2.5))
    # Rock sites have kappas of 0.01 to 0.04 s, soft ones up to 0.06 (Anderson & Hough 1984).
    kappa_s = 0.022 * np.exp(0.35 * soft + 0.15 * random.standard_normal())
    delay = delay_p_s * (0.8 * soft + 0.6 * random.standard_normal())
    ratio = random.normal(2.0, 0.2)
    frequencies_hz = np.geomspace(0.1, 50, 32)
    # From one at long periods to about two at short ones, as velocity falls towards the surface (Boore &
    # Joyner 1997), and a resonance: deep and weak below hard sites, shallow and strong below soft ones.
    rise = 1 + (0.7 + 0.3 * soft / 2) / (1 + (2.0 / frequencies_hz) ** 2)
    peak_hz = float(np.exp(random.uniform(np.log(1.5), np.log(12))))
    peak = max(0.1, 0.6 + 0.5 * soft) * np.exp(-(np.log(frequencies_hz / peak_hz) ** 2) / (2 * 0.3**2))
    return SiteTerms(
        kappa_s=float(kappa_s),
        amplification_hz=tuple(frequencies_hz.tolist()),
        amplification=tuple((rise + peak).tolist()),
        delay_p_s=float(delay),
        delay_s_s=float(ratio * delay),
    )


def seismic_network(
    region: Region,
    count: int,
    *,
    seed: int,
    start_ns: int,
    end_ns: int | None = None,
    network: str = "SY",
    prefix: str = "S",
    rate_hz: float = 100.0,
    spacing_km: float = 4.0,
    orientation_error_deg: float = 0.0,
    instrument: Instrument | None = None,
) -> tuple[Station, ...]:
    """
    Lay out broadband stations.

    Parameters
    ----------
    region : Region
    count : int
        The first ones stay as they are when there are more.
    seed : int
    start_ns, end_ns : int, int or None
        Epoch of all.
    network, prefix : str
        Stations are named by the prefix and a number.
    rate_hz, spacing_km : float
    orientation_error_deg : float
        Standard deviation of what the stated orientations are off.
    instrument : Instrument, optional
        `broadband` unless told otherwise.

    Returns
    -------
    tuple of Station

    Examples
    --------
    >>> region = Region(latitude=50.0, longitude=8.0, width_km=100.0, height_km=60.0)
    >>> [station.name for station in seismic_network(region, 3, seed=1, start_ns=0)]
    ['S01', 'S02', 'S03']
    """
    stations = _stations(region, count, seed, network, prefix, spacing_km)
    sensor = Sensor(
        code="HH",
        rate_hz=rate_hz,
        instrument=instrument or broadband(),
        start_ns=start_ns,
        end_ns=end_ns,
    )
    errors_deg = [
        orientation_error_deg * generator(seed, "orientation", network, station.name).standard_normal()
        for station in stations
    ]
    return tuple(
        replace(station, sensors=(replace(sensor, orientation_error_deg=round(float(error_deg), 2)),))
        for station, error_deg in zip(stations, errors_deg, strict=True)
    )


def gravity_network(
    region: Region,
    count: int,
    *,
    seed: int,
    start_ns: int,
    end_ns: int | None = None,
    network: str = "GY",
    prefix: str = "G",
    rate_hz: float = 1.0,
    spacing_km: float = 10.0,
    codes: tuple[str, str] = ("LGZ", "LDI"),
) -> tuple[Station, ...]:
    """
    Lay out gravimeters, each with a barometer beside it.

    Parameters
    ----------
    region, count, seed, start_ns, end_ns, network, prefix, rate_hz, spacing_km
        As in `seismic_network`.
    codes : (str, str)
        Channels of gravity and pressure.

    Returns
    -------
    tuple of Station

    Examples
    --------
    >>> region = Region(latitude=50.0, longitude=8.0, width_km=900.0, height_km=600.0)
    >>> station, = gravity_network(region, 1, seed=1, start_ns=0)
    >>> [sensor.code for sensor in station.sensors]
    ['LGZ', 'LDI']
    """
    stations = _stations(region, count, seed, network, prefix, spacing_km)
    sensors = tuple(
        Sensor(code=code, rate_hz=rate_hz, instrument=instrument, start_ns=start_ns, end_ns=end_ns)
        for code, instrument in zip(codes, (gravimeter(), barometer()), strict=True)
    )
    return tuple(replace(station, sensors=sensors) for station in stations)


def _stations(
    region: Region, count: int, seed: int, network: str, prefix: str, spacing_km: float
) -> tuple[Station, ...]:
    """Place stations and draw their ground; they have no sensors yet."""
    purpose = f"{network}.{prefix}"
    latitude, longitude = draw_points(region, count, seed=seed, purpose=purpose, spacing_km=spacing_km)
    # As metadata have them: a metre, not a nanometre.
    latitude, longitude = latitude.round(5), longitude.round(5)
    elevation_m = draw_elevations_m(region, latitude, longitude, seed=seed)
    names = [f"{prefix}{number:02d}" for number in range(1, count + 1)]
    return tuple(
        Station(
            network=network,
            name=name,
            latitude=float(latitude[index]),
            longitude=float(longitude[index]),
            elevation_m=float(elevation_m[index]),
            site=draw_site_terms(f"{network}.{name}", seed=seed),
            sensors=(),
        )
        for index, name in enumerate(names)
    )

"""
Instruments: what turns motion, gravity or pressure into counts, and how it stands at a station.

::

    ground  -->  rotation  -->  poles and zeros  -->  V  -->  digitizer, a gain  -->  counts
                 Sensor         Instrument

An `Instrument` is what a manufacturer sells; the factories make some of them. A `Sensor` is one of those
over an epoch: its codes, its rate, and where it truly points, which is not quite where its metadata say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError

__all__ = [
    "INSTRUMENTS",
    "Instrument",
    "InstrumentName",
    "Quantity",
    "Sensor",
    "barometer",
    "broadband",
    "compact",
    "gravimeter",
    "short_period",
]

FloatArray: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
Quantity = Literal["velocity", "acceleration", "pressure"]

InstrumentName = Literal["broadband", "compact", "short period"]

_COUNTS_PER_VOLT = 2**24 / 40.0  # 24 bits over 40 V peak to peak


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """
    A sensor and its digitizer: an analogue filter and two gains.

    Parameters
    ----------
    name : str
    quantity : {"velocity", "acceleration", "pressure"}
        What it measures: m/s, m/s**2 or Pa.
    sensor_gain : float
        Volts per unit at ``gain_hz``.
    counts_per_volt : float
    gain_hz : float
        Where the filter is normalised to one and the gains hold.
    zeros, poles : tuple of complex
        In rad/s.
    clip_counts : int
        Largest count that the digitizer gives.

    Examples
    --------
    >>> instrument = broadband()
    >>> f"{instrument.sensitivity:.3e}", f"{instrument.clip_counts / instrument.sensitivity:.3f}"
    ('6.291e+08', '0.013')
    >>> abs(instrument.response([0.0, 1 / 120, 1.0]) / instrument.sensitivity).round(3).tolist()
    [0.0, 0.708, 1.0]
    """

    name: str
    quantity: Quantity
    sensor_gain: float
    counts_per_volt: float
    gain_hz: float
    zeros: tuple[complex, ...] = ()
    poles: tuple[complex, ...] = ()
    clip_counts: int = 2**23 - 1

    def __post_init__(self) -> None:
        if not (self.sensor_gain > 0 and self.counts_per_volt > 0 and self.gain_hz > 0):
            raise ConfigError(f"instrument {self.name}: gains and gain_hz should be above 0")

    @property
    def units(self) -> str:
        """What it measures, as StationXML writes units."""
        return {"velocity": "m/s", "acceleration": "m/s**2", "pressure": "Pa"}[self.quantity]

    @property
    def sensitivity(self) -> float:
        """Counts per unit at ``gain_hz``."""
        return self.sensor_gain * self.counts_per_volt

    @property
    def normalisation(self) -> float:
        """The factor that makes poles and zeros one at ``gain_hz``."""
        return float(1 / abs(self._shape(np.array([self.gain_hz]))[0]))

    def _shape(self, frequencies_hz: FloatArray) -> ComplexArray:
        s = 2j * np.pi * frequencies_hz
        value = np.ones(s.shape, dtype=np.complex128)
        for zero in self.zeros:
            value *= s - zero
        for pole in self.poles:
            value /= s - pole
        return value

    def response(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """
        Return counts per unit of what the instrument measures, with phases of ``exp(+2 pi i f t)``.

        Parameters
        ----------
        frequencies_hz : array_like of float

        Returns
        -------
        array of complex128
        """
        frequencies = np.asarray(frequencies_hz, dtype=np.float64)
        return self.sensitivity * self.normalisation * self._shape(frequencies)


def broadband(name: str = "broadband 120 s") -> Instrument:
    """
    Make a broadband seismometer of 120 s with a 24-bit digitizer that clips at 13 mm/s.

    Poles, zeros and gain are those that many networks state for an STS-2 of the first generation; they are
    flat to 2 % from 40 s to 10 Hz.
    """
    return Instrument(
        name=name,
        quantity="velocity",
        sensor_gain=1500.0,
        counts_per_volt=_COUNTS_PER_VOLT,
        gain_hz=1.0,
        zeros=(0j, 0j),
        poles=(
            -0.037004 + 0.037016j,
            -0.037004 - 0.037016j,
            -251.33 + 0j,
            -131.04 + 467.29j,
            -131.04 - 467.29j,
        ),
    )


def compact(name: str = "compact broadband 20 s") -> Instrument:
    """
    Make a small broadband seismometer of 20 s, which clips at 27 mm/s.

    Examples
    --------
    >>> instrument = compact()
    >>> f"{instrument.clip_counts / instrument.sensitivity:.4f}"
    '0.0265'
    >>> (abs(instrument.response([1 / 20, 10.0])) / instrument.sensitivity).round(3).tolist()
    [0.707, 1.0]
    """
    return Instrument(
        name=name,
        quantity="velocity",
        sensor_gain=754.0,
        counts_per_volt=_COUNTS_PER_VOLT,
        gain_hz=1.0,
        zeros=(0j, 0j),
        poles=_pendulum(period_s=20.0, damping=0.707),
    )


def short_period(name: str = "short period 1 s") -> Instrument:
    """
    Make a seismometer of 1 s, whose gain is stated at 5 Hz, on a digitizer of 20 V; it clips at 25 mm/s.

    Examples
    --------
    >>> instrument = short_period()
    >>> (abs(instrument.response([0.1, 1.0, 5.0])) / instrument.sensitivity).round(3).tolist()
    [0.01, 0.714, 1.0]
    """
    return Instrument(
        name=name,
        quantity="velocity",
        sensor_gain=400.0,
        counts_per_volt=2 * _COUNTS_PER_VOLT,
        gain_hz=5.0,
        zeros=(0j, 0j),
        poles=_pendulum(period_s=1.0, damping=0.7),
    )


def _pendulum(*, period_s: float, damping: float) -> tuple[complex, complex]:
    """Return the poles of a mass on a spring, which with two zeros at 0 Hz is flat to velocity above it."""
    omega = 2 * np.pi / period_s
    pole = complex(-damping * omega, omega * np.sqrt(1 - damping**2))
    return pole, pole.conjugate()


INSTRUMENTS: Final[Mapping[InstrumentName, Callable[[], Instrument]]] = MappingProxyType(
    {"broadband": broadband, "compact": compact, "short period": short_period}
)
"""Seismometers by the names that a config has for them."""


def gravimeter(name: str = "gravimeter", *, nm_s2_per_count: float = 0.1) -> Instrument:
    """
    Make a gravimeter that is flat from zero to beyond its Nyquist frequency.

    Its output is a 32-bit number, so that tides of 3000 nm/s^2 and noise of 0.1 fit together. Ground that
    accelerates upwards makes things heavier: a count is positive for that and for more gravity alike.

    Examples
    --------
    >>> gravimeter().sensitivity
    10000000000.0
    """
    return Instrument(
        name=name,
        quantity="acceleration",
        sensor_gain=1.0,
        counts_per_volt=1e9 / nm_s2_per_count,
        gain_hz=0.01,
        clip_counts=2**31 - 1,
    )


def barometer(name: str = "barometer", *, pa_per_count: float = 0.1) -> Instrument:
    """
    Make a barometer that is flat from zero.

    Examples
    --------
    >>> barometer().sensitivity, barometer().units
    (10.0, 'Pa')
    """
    return Instrument(
        name=name,
        quantity="pressure",
        sensor_gain=1.0,
        counts_per_volt=1 / pa_per_count,
        gain_hz=0.01,
        clip_counts=2**31 - 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """
    An instrument as it stands at a station over one epoch.

    Parameters
    ----------
    code : str
        As a stream's: ``HH`` for three components, else the whole channel (``LGZ``).
    rate_hz : float
    instrument : Instrument
    start_ns : int
        Nanoseconds since 1970.
    end_ns : int or None
        The first nanosecond after; None while it runs.
    location : str
    azimuth_deg : float
        Stated direction of the first horizontal, clockwise from north. Components are named Z, 1 and 2 where
        it is not 0.
    orientation_error_deg : float
        True direction minus the stated one.
    stated_start_ns, stated_end_ns : int, optional
        What its metadata have instead of its start and its end, where they are wrong.

    Examples
    --------
    >>> sensor = Sensor(code="HH", rate_hz=100.0, instrument=broadband(), start_ns=0, azimuth_deg=20.0)
    >>> sensor.channels
    (('HHZ', 0.0, -90.0), ('HH1', 20.0, 0.0), ('HH2', 110.0, 0.0))
    """

    code: str
    rate_hz: float
    instrument: Instrument
    start_ns: int
    end_ns: int | None = None
    location: str = ""
    azimuth_deg: float = 0.0
    orientation_error_deg: float = 0.0
    stated_start_ns: int | None = None
    stated_end_ns: int | None = None

    def __post_init__(self) -> None:
        if len(self.code) not in (2, 3):
            raise ConfigError(f"a sensor's code should be as 'HH' or 'LGZ', got {self.code!r}")
        if self.end_ns is not None and self.end_ns <= self.start_ns:
            raise ConfigError(f"sensor {self.code}: its end should come after its start")
        start_ns, end_ns = self.stated_epoch
        if end_ns is not None and end_ns <= start_ns:
            raise ConfigError(f"sensor {self.code}: its stated end should come after its stated start")

    @property
    def stated_epoch(self) -> tuple[int, int | None]:
        """Start and end as the metadata have them."""
        start_ns = self.start_ns if self.stated_start_ns is None else self.stated_start_ns
        return start_ns, self.end_ns if self.stated_end_ns is None else self.stated_end_ns

    @property
    def channels(self) -> tuple[tuple[str, float, float], ...]:
        """Code, stated azimuth and stated dip of each channel."""
        if len(self.code) == 3:
            return ((self.code, 0.0, -90.0 if self.code.endswith("Z") else 0.0),)
        north, east = ("N", "E") if self.azimuth_deg == 0 else ("1", "2")
        return (
            (f"{self.code}Z", 0.0, -90.0),
            (f"{self.code}{north}", self.azimuth_deg % 360, 0.0),
            (f"{self.code}{east}", (self.azimuth_deg + 90) % 360, 0.0),
        )

    @property
    def rotation(self) -> FloatArray:
        """
        The matrix that makes what the sensor sees of true motion, both as (Z, N or 1, E or 2).

        >>> sensor = Sensor(code="HH", rate_hz=100.0, instrument=broadband(), start_ns=0,
        ...                 orientation_error_deg=90.0)
        >>> (sensor.rotation @ [0.0, 0.0, 1.0]).round(6).tolist()  # motion to the east
        [0.0, 1.0, 0.0]
        """
        angle = np.radians(self.azimuth_deg + self.orientation_error_deg)
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])

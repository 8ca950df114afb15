"""What noise is measured of, and how: the config of ``stationday noise``, as it stands in a TOML file."""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.noise.calibration import nm_s2_per_unit
from pipeline.noise.loading import LoadingWave
from pipeline.noise.pressure import ADMITTANCE_NM_S2_HPA

__all__ = [
    "Band",
    "GravimeterConfig",
    "GravityConfig",
    "NoiseConfig",
    "SelfNoise",
    "SummaryConfig",
    "WindowConfig",
    "band_name",
    "read_config",
]

_DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class WindowConfig:
    """
    Windows of power spectra; see `pipeline.noise.spectral_windows` and `pipeline.noise.periods`.

    Parameters
    ----------
    window_s, overlap : float
        The step from one window to the next has to divide a day.
    sub_share, sub_overlap, taper : float
        Of the sub-windows that a window is cut into.
    share : float
        Of its sub-windows that a window with missing samples may lack; with 0 it is left out.
    width_octaves, step_octaves : float
        What a level is averaged over, and from one period to the next.
    """

    window_s: float = 3600.0
    overlap: float = 0.5
    sub_share: float = 0.25
    sub_overlap: float = 0.75
    taper: float = 0.1
    share: float = 0.0
    width_octaves: float = 1.0
    step_octaves: float = 0.125

    def __post_init__(self) -> None:
        if not 0 < self.window_s <= 4 * _DAY_S:
            raise ConfigError(f"window_s = {self.window_s:g}: should be above 0 and at most four days")
        if not 0 <= self.overlap < 1:
            raise ConfigError(f"overlap = {self.overlap:g}: should be from 0 up to, not including, 1")
        if not 0 < self.sub_share <= 1:
            raise ConfigError(f"sub_share = {self.sub_share:g}: should lie above 0 and be at most 1")
        if not 0 <= self.sub_overlap < 1:
            raise ConfigError(f"sub_overlap = {self.sub_overlap:g}: should be from 0 up to, not including, 1")
        if not 0 <= self.taper <= 0.5:
            raise ConfigError(f"taper = {self.taper:g}: should be from 0 to 0.5")
        if not 0 <= self.share < 1:
            raise ConfigError(f"share = {self.share:g}: should be from 0 up to, not including, 1")
        if not self.step_s.is_integer() or _DAY_S % round(self.step_s):
            raise ConfigError(
                f"window_s = {self.window_s:g} with overlap = {self.overlap:g} is a step of"
                f" {self.step_s:g} s, which should be whole seconds that divide a day"
            )

    @property
    def step_s(self) -> float:
        """Seconds from one window to the next."""
        return round(self.window_s * (1 - self.overlap), 6)

    @property
    def per_day(self) -> int:
        """Windows that start on a day."""
        return round(_DAY_S / self.step_s)


@dataclass(frozen=True, kw_only=True)
class GravimeterConfig:
    """
    What the metadata do not say of some gravimeters.

    Parameters
    ----------
    stream : str
        Of the gravimeter; may hold ``*`` and ``?``.
    pressure : str or None
        Stream of its barometer; found at the same station where it is None.
    unit : str or None
        Of the samples, where no response is known.
    tide : {"solid", "none"}
        What is taken out; nothing of a record whose tide is out already.
    admittance : {"fixed", "fitted", "none"} or None
        As in `GravityConfig`.
    loading : tuple of LoadingWave
        Of the ocean.
    """

    stream: str
    pressure: str | None = None
    unit: str | None = None
    tide: Literal["solid", "none"] = "solid"
    admittance: Literal["fixed", "fitted", "none"] | None = None
    loading: tuple[LoadingWave, ...] = ()

    def __post_init__(self) -> None:
        if self.unit is not None:
            nm_s2_per_unit(self.unit)


@dataclass(frozen=True, kw_only=True)
class GravityConfig:
    """
    How gravimeters are treated.

    Parameters
    ----------
    degree : int
        Of the polynomial that is taken out of each day.
    run_days : int
        Days of a run, of which SSNM and TNM are made.
    admittance : {"fixed", "fitted", "none"}
        What pressure does: ``admittance_nm_s2_hpa``, what fits a block best, or left in.
    admittance_nm_s2_hpa : float
    """

    degree: int = 9
    run_days: int = 5
    admittance: Literal["fixed", "fitted", "none"] = "fixed"
    admittance_nm_s2_hpa: float = ADMITTANCE_NM_S2_HPA

    def __post_init__(self) -> None:
        if not 0 <= self.degree <= 50:
            raise ConfigError(f"degree = {self.degree}: should be from 0 to 50")
        if not 2 <= self.run_days <= 31:
            raise ConfigError(f"run_days = {self.run_days}: should be from 2 to 31")
        if not math.isfinite(self.admittance_nm_s2_hpa):
            raise ConfigError(f"admittance_nm_s2_hpa = {self.admittance_nm_s2_hpa}: should be a number")


@dataclass(frozen=True, kw_only=True)
class Band:
    """A band of periods; its name is made of them unless one is given."""

    shortest_s: float
    longest_s: float
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.shortest_s < self.longest_s:
            raise ConfigError(
                f"shortest_s = {self.shortest_s:g} should lie above 0 and below longest_s ="
                f" {self.longest_s:g}"
            )
        if not self.name:
            object.__setattr__(self, "name", band_name(self.shortest_s, self.longest_s))


def band_name(shortest_s: float, longest_s: float) -> str:
    """
    Name a band by its periods.

    >>> band_name(0.5, 1.0), band_name(200.0, 600.0)
    ('0.5-1s', '200-600s')
    """
    return f"{shortest_s:g}-{longest_s:g}s"


_BANDS = (
    Band(shortest_s=0.05, longest_s=0.1),
    Band(shortest_s=0.1, longest_s=0.2),
    Band(shortest_s=0.2, longest_s=0.5),
    Band(shortest_s=0.5, longest_s=1.0),
    Band(shortest_s=1.0, longest_s=2.0),
    Band(shortest_s=2.0, longest_s=5.0),
    Band(shortest_s=5.0, longest_s=10.0),
    Band(shortest_s=10.0, longest_s=20.0),
    Band(shortest_s=20.0, longest_s=50.0),
    Band(shortest_s=50.0, longest_s=100.0),
    Band(shortest_s=200.0, longest_s=600.0),
    Band(shortest_s=3600.0, longest_s=21600.0),
)


@dataclass(frozen=True, kw_only=True)
class SelfNoise:
    """
    What some instruments record without any ground, by points that lie on straight lines over log period.

    Parameters
    ----------
    stream : str
        May hold ``*`` and ``?``.
    period_s, level_db : tuple of float
        Rising periods, dB of (m/s²)²/Hz.
    """

    stream: str
    period_s: tuple[float, ...]
    level_db: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in itertools.pairwise(self.period_s))
        if len(self.period_s) < 2 or self.period_s[0] <= 0 or not rising:
            raise ConfigError(f"period_s = {self.period_s}: should be two or more that rise from above 0")
        if len(self.level_db) != len(self.period_s):
            raise ConfigError(f"{len(self.period_s)} periods need as many level_db, got {len(self.level_db)}")


@dataclass(frozen=True, kw_only=True)
class SummaryConfig:
    """
    What is made of spectra without reading a waveform again.

    Parameters
    ----------
    bands : tuple of Band
        A stream has those that its periods cover.
    quiet_days, quiet_runs : int
        How many of them noise magnitudes are made of.
    rank_below_hz : float
        Days are ranked by what is below this frequency; 0 ranks by the RMS of the residual as recorded.
    least_present : float
        Of a day that may be a quiet one.
    self_noise : tuple of SelfNoise
        Against which ``pct_below_nlnm`` counts, of streams for which it is known.
    """

    bands: tuple[Band, ...] = _BANDS
    quiet_days: int = 5
    quiet_runs: int = 5
    rank_below_hz: float = 0.01
    least_present: float = 0.99
    self_noise: tuple[SelfNoise, ...] = ()

    def __post_init__(self) -> None:
        names = [band.name for band in self.bands]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"bands should be one or more, each with a name of its own, got {names}")
        for name in ("quiet_days", "quiet_runs"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)}: should be 1 or more")
        if not 0 <= self.rank_below_hz < math.inf:
            raise ConfigError(f"rank_below_hz = {self.rank_below_hz}: should be 0 or more")
        if not 0 < self.least_present <= 1:
            raise ConfigError(f"least_present = {self.least_present}: should lie above 0 and be at most 1")


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """
    The whole config.

    Parameters
    ----------
    windows : WindowConfig
        Of seismometers.
    gravity_windows : WindowConfig
        Of gravimeters.
    gravity : GravityConfig
    gravimeters : tuple of GravimeterConfig
    summary : SummaryConfig
    device : str
        Where spectra are made: ``cpu`` or ``cuda``. Both agree within 0.01 dB, not to the last bit.
    """

    windows: WindowConfig = field(default_factory=WindowConfig)
    gravity_windows: WindowConfig = field(default_factory=lambda: WindowConfig(window_s=float(_DAY_S)))
    gravity: GravityConfig = field(default_factory=GravityConfig)
    gravimeters: tuple[GravimeterConfig, ...] = ()
    summary: SummaryConfig = field(default_factory=SummaryConfig)
    device: Literal["cpu", "cuda"] = "cpu"

    def gravimeter(self, stream: str) -> GravimeterConfig:
        """
        Return what is said of a gravimeter: by the first entry that fits.

        >>> NoiseConfig().gravimeter("NG.G01..LGZ").pressure is None
        True
        """
        fits = (each for each in self.gravimeters if fnmatch.fnmatchcase(stream, each.stream))
        return next(fits, GravimeterConfig(stream=stream))

    def map_options(self) -> Mapping[str, object]:
        """Return what the arrays of the product depend on; the rest only counts in its tables."""
        return {
            "windows": self.windows,
            "gravity_windows": self.gravity_windows,
            "gravity": self.gravity,
            "gravimeters": self.gravimeters,
            "device": self.device,
        }


def read_config(path: str | None) -> NoiseConfig:
    """Read a config; the defaults without one."""
    return NoiseConfig() if path is None else load(NoiseConfig, Path(path))

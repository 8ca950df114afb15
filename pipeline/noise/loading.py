"""
What the tide of the oceans does to gravity at a station, from given amplitudes and phases of eleven waves.

Providers of ocean loading give M2, S2, N2, K2, K1, O1, P1, Q1, Mf, Mm and Ssa, as amplitudes and lags at
Greenwich; waves that lie next to each of them in turns of the Moon's node follow in the ratio that they have
in the tide's forcing. Smaller waves are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.noise.ephemeris import doodson_arguments

__all__ = ["LoadingWave", "OceanWave", "ocean_loading"]

OceanWave: TypeAlias = Literal["M2", "S2", "N2", "K2", "K1", "O1", "P1", "Q1", "MF", "MM", "SSA"]

# Multipliers with tau from the Moon's upper transit, and the phase that convention adds (degrees).
_WAVES: Final = MappingProxyType(
    {
        "M2": ((2, 0, 0, 0, 0, 0), 0.0),
        "S2": ((2, 2, -2, 0, 0, 0), 0.0),
        "N2": ((2, -1, 0, 1, 0, 0), 0.0),
        "K2": ((2, 2, 0, 0, 0, 0), 0.0),
        "K1": ((1, 1, 0, 0, 0, 0), -90.0),
        "O1": ((1, -1, 0, 0, 0, 0), 90.0),
        "P1": ((1, 1, -2, 0, 0, 0), 90.0),
        "Q1": ((1, -2, 0, 1, 0, 0), 90.0),
        "MF": ((0, 2, 0, 0, 0, 0), 0.0),
        "MM": ((0, 1, 0, -1, 0, 0), 0.0),
        "SSA": ((0, 0, 2, 0, 0, 0), 0.0),
    }
)
# Turns of the node by which a neighbour differs, and its strength over the wave's.
_NEIGHBOURS: Final = MappingProxyType(
    {
        "M2": ((-1, -0.0373),),
        "N2": ((-1, -0.0371),),
        "K2": ((1, 0.2983), (2, 0.0321)),
        "K1": ((-1, -0.0198), (1, 0.1357), (2, -0.0029)),
        "O1": ((-1, 0.1888), (-2, -0.0059)),
        "P1": ((-1, -0.0112),),
        "Q1": ((-1, 0.1890),),
        "MF": ((1, 0.4145), (2, 0.0387)),
        "MM": ((-1, -0.0657), (1, -0.0651)),
        "SSA": ((1, -0.0248),),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingWave:
    """
    One constituent of ocean loading.

    Parameters
    ----------
    name : {"M2", "S2", "N2", "K2", "K1", "O1", "P1", "Q1", "MF", "MM", "SSA"}
    amplitude_nm_s2 : float
        Positive for gravity that grows. Providers often count it upwards: then give it with the other sign.
    lag_deg : float
        Phase at Greenwich, positive where it comes late.
    """

    name: OceanWave
    amplitude_nm_s2: float
    lag_deg: float

    def __post_init__(self) -> None:
        if self.name not in get_args(OceanWave):
            raise ConfigError(f"{self.name!r} is no wave of ocean loading: {', '.join(get_args(OceanWave))}")
        if not (np.isfinite(self.amplitude_nm_s2) and np.isfinite(self.lag_deg)):
            raise ConfigError(f"amplitude and lag of {self.name} should be finite, got {self}")


def ocean_loading(time_s: NDArray[np.float64], waves: Sequence[LoadingWave]) -> NDArray[np.float64]:
    """
    Return the gravity of ocean loading at given times.

    Parameters
    ----------
    time_s : ndarray, shape (times,)
        Seconds since 1970 UTC.
    waves : sequence of LoadingWave

    Returns
    -------
    ndarray, shape (times,)
        nm/s².

    Examples
    --------
    >>> m2 = LoadingWave(name="M2", amplitude_nm_s2=20.0, lag_deg=30.0)
    >>> month = ocean_loading(np.arange(0, 30 * 86_400.0, 600.0), [m2])
    >>> bool(19 < month.max() < 21)
    True
    """
    arguments = doodson_arguments(np.asarray(time_s, dtype=np.float64))
    total = np.zeros(len(time_s))
    for wave in waves:
        numbers, phase_deg = _WAVES[wave.name]
        angle = np.einsum("k,kt->t", np.array(numbers, dtype=np.float64), arguments)
        angle += np.radians(phase_deg - wave.lag_deg)
        total += wave.amplitude_nm_s2 * np.cos(angle)
        for turns, share in _NEIGHBOURS.get(wave.name, ()):
            total += share * wave.amplitude_nm_s2 * np.cos(angle + turns * arguments[4])
    return total

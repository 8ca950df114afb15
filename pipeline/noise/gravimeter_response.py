"""
What the metadata say of a gravimeter: a factor and a delay at long periods, and the rest of its response.

Gravimeters are flat down to nothing at all. At 0.1 mHz, where tides and noise magnitudes live, a response is
a number; its phase there is the delay of the filters, and its sign the polarity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.archive.responses import Response
from pipeline.errors import ConfigError, ResponseError
from pipeline.noise.calibration import nm_s2_per_count, nm_s2_per_unit
from pipeline.signal.precision import ComplexArray

__all__ = ["GravityResponse", "hpa_per_count"]

_FLAT_HZ = 1e-4
_HPA = {"PA": 0.01, "HPA": 1.0, "MBAR": 1.0, "KPA": 10.0, "BAR": 1000.0}


@dataclass(frozen=True, slots=True)
class GravityResponse:
    """
    A factor, a delay, and what is left of a response.

    Parameters
    ----------
    factor_nm_s2 : float
        Gravity per count; negative where the record falls as gravity grows.
    delay_s : float
        How long after the ground the record follows, at long periods.
    response : Response or None
        None where the factor is all that is known.

    Examples
    --------
    >>> from pipeline.archive.responses import Stage
    >>> flat = Response((Stage(None, -1e10),), -1e10, 0.01, "M/S**2", "COUNTS")
    >>> found = GravityResponse.of(flat)
    >>> found.factor_nm_s2, found.delay_s
    (-0.1, 0.0)
    """

    factor_nm_s2: float
    delay_s: float = 0.0
    response: Response | None = None

    @classmethod
    def of(cls, response: Response) -> GravityResponse:
        """
        Reduce a response.

        Raises
        ------
        ResponseError
            If the channel does not measure acceleration, or its response says nothing of long periods.
        """
        if response.motion != "acceleration":
            raise ResponseError(
                "a gravimeter should measure acceleration, its response says"
                f" {response.input_units or 'nothing'}"
            )
        if not response.stages:
            if not response.sensitivity:
                raise ResponseError("the response has neither stages nor a sensitivity")
            try:
                return cls(nm_s2_per_count(response.sensitivity, response.input_units))
            except ConfigError as error:
                raise ResponseError(str(error)) from error
        value = complex(response.evaluate(np.array([_FLAT_HZ]), output="acceleration")[0])
        if not np.isfinite(value) or value == 0:
            raise ResponseError(f"the response is {abs(value):g} at {_FLAT_HZ} Hz: no gravimeter's")
        sign = -1.0 if value.real < 0 else 1.0
        delay_s = -float(np.angle(value * sign)) / (2 * np.pi * _FLAT_HZ)
        return cls(sign * 1e9 / abs(value), delay_s if abs(delay_s) > 1e-6 else 0.0, response)

    @classmethod
    def of_unit(cls, unit: str) -> GravityResponse:
        """
        Take samples for a unit of acceleration.

        >>> GravityResponse.of_unit("µGal").factor_nm_s2
        10.0
        """
        return cls(nm_s2_per_unit(unit))

    def relative(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """Return the response over its value at long periods."""
        frequencies = np.asarray(frequencies_hz, dtype=np.float64)
        if self.response is None:
            return np.ones(frequencies.shape, dtype=np.complex128)
        return self.response.evaluate(frequencies, output="acceleration") * (self.factor_nm_s2 / 1e9)


def hpa_per_count(response: Response) -> float:
    """
    Return what one count of a barometer is in hPa.

    Raises
    ------
    ResponseError
        If it does not measure pressure, or no sensitivity is stated.

    Examples
    --------
    >>> round(hpa_per_count(Response((), 10.0, 0.0, "PA", "COUNTS")), 6)
    0.001
    """
    if response.input_units not in _HPA:
        raise ResponseError(
            f"a barometer should measure one of {', '.join(_HPA)}, its response says"
            f" {response.input_units or 'nothing'}"
        )
    sensitivity = response.sensitivity
    if not sensitivity and response.stages:
        sensitivity = abs(complex(response.evaluate(np.array([_FLAT_HZ]), output="input")[0]))
    if not sensitivity:
        raise ResponseError("the barometer's response has no sensitivity")
    return _HPA[response.input_units] / sensitivity

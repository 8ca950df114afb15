"""
Responses: from the stages of a StationXML response to complex values at any frequencies.

A `Response` is plain frozen data: it pickles, compares, and has a `digest` that changes when, and only when,
what it says about the instrument does. Its values are counts per metre (or m/s, m/s²) of ground motion,
with phases of ``exp(+2πift)``. Channels that measure something else give counts per SI unit of that.

What stages mean, where StationXML leaves it open, follows the practice that archives are written for
(evalresp's):

- FIR coefficients that are symmetric have zero phase: their delay was corrected for when the samples were
  given their times. Asymmetric ones keep their phase, less the correction that was applied.
- FIR coefficients without a declared symmetry are scaled to a sum of one where they are off by more than 2 %.
- A stage gain holds at its own frequency. Where that is not the frequency of the channel's sensitivity, the
  stage is scaled to have its gain there; else its normalisation factor is believed.
- A stage that takes in another kind of unit than the one before gives out makes a response unusable.
- The overall sensitivity takes part only where a response has a single stage without a gain.
- A polynomial of the first degree is a gain, the inverse of its slope; one of a higher degree, and a list of
  values at frequencies, can't be evaluated, but have a place, epochs and, where it is stated, a sensitivity.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ResponseError
from pipeline.signal.precision import ComplexArray, FloatArray
from pipeline.signal.response import Motion, motion_factor
from pipeline.signal.transfer import Analogue, Digital, Fir, Recursive

__all__ = [
    "Output",
    "Response",
    "Stage",
    "Unusable",
    "convert",
]

Output: TypeAlias = Literal["displacement", "velocity", "acceleration", "input"]
"""Ground motion that a response is a response to; ``input`` is whatever the channel measures."""

_SUM_TOLERANCE = 0.02
Filter: TypeAlias = "Analogue | Digital | Fir | Recursive | Unusable"

_PER_METRE = {"": 1.0, "C": 1e2, "M": 1e3, "U": 1e6, "N": 1e9}
_MOTIONS: dict[str, Motion] = {"M": "displacement", "M/S": "velocity", "M/S**2": "acceleration"}
_UNITS: dict[str, tuple[Motion, float]] = {
    prefix + unit: (motion, scale)
    for unit, motion in _MOTIONS.items()
    for prefix, scale in _PER_METRE.items()
}

_KINDS: dict[str, str] = {units: motion for units, (motion, _) in _UNITS.items()} | {
    "V": "volts",
    "VOLT": "volts",
    "VOLTS": "volts",
    "COUNT": "counts",
    "COUNTS": "counts",
}


@dataclass(frozen=True, slots=True)
class Unusable:
    """A filter that can't be evaluated, and why: whoever needs the response is told, others are not."""

    reason: str

    def __call__(self, frequencies_hz: ArrayLike) -> ComplexArray:  # noqa: ARG002
        """Raise the reason."""
        raise ResponseError(self.reason)


@dataclass(frozen=True, slots=True)
class Stage:
    """
    One stage: a filter, or none, and a gain.

    Parameters
    ----------
    filter : Analogue, Digital, Fir, Recursive, Unusable or None
    gain : float
    unit_at_hz : float or None
        Where the filter is scaled to an amplitude of one; None where it is taken as it is.
    """

    filter: Filter | None
    gain: float
    unit_at_hz: float | None = None

    def evaluate(self, frequencies_hz: FloatArray) -> ComplexArray:
        """Evaluate the filter, scaled, times the gain."""
        if self.filter is None:
            return np.full(frequencies_hz.shape, self.gain, dtype=np.complex128)
        if self.unit_at_hz is None:
            return self.gain * self.filter(frequencies_hz)
        amplitude = abs(self.filter(np.array([self.unit_at_hz]))[0])
        if amplitude == 0:
            raise ResponseError(f"a stage has a gain at {self.unit_at_hz} Hz, where it lets nothing pass")
        return np.asarray(self.gain / amplitude * self.filter(frequencies_hz))


@dataclass(frozen=True, slots=True)
class Response:
    """
    The response of one channel over one epoch.

    Parameters
    ----------
    stages : tuple of Stage
        In the order in which the signal passes them.
    sensitivity : float or None
        Overall, as the metadata state it.
    sensitivity_frequency_hz : float
        Where; the last stage gain's frequency that is not zero where the metadata state none.
    input_units, output_units : str
        As the metadata have them, in capitals.

    Examples
    --------
    >>> import numpy as np
    >>> geophone = Analogue(zeros=(0j, 0j), poles=(-20 + 20j, -20 - 20j))
    >>> response = Response((Stage(geophone, 400.0, unit_at_hz=15.0),), 400.0, 15.0, "M/S", "COUNTS")
    >>> abs(response.evaluate(np.array([0.0, 15.0, 1e4]))).round(1).tolist()
    [0.0, 400.0, 401.6]
    """

    stages: tuple[Stage, ...]
    sensitivity: float | None
    sensitivity_frequency_hz: float
    input_units: str
    output_units: str

    @property
    def motion(self) -> Motion | None:
        """The kind of ground motion that the channel measures, if any."""
        known = _UNITS.get(_plain(self.input_units))
        return known[0] if known else None

    @property
    def digest(self) -> str:
        """
        Return 32 hexadecimal digits of BLAKE2 over all that the response says.

        >>> Response((), None, 0.0, "M/S", "COUNTS").digest
        '01de...'
        """
        return hashlib.blake2b(b"response-1" + _bytes_of(self), digest_size=16).hexdigest()

    def evaluate(self, frequencies_hz: ArrayLike, *, output: Output = "velocity") -> ComplexArray:
        """
        Evaluate all stages.

        Parameters
        ----------
        frequencies_hz : array_like of float
        output : {"displacement", "velocity", "acceleration", "input"}
            The ground motion, in SI units, that the response is a response to; or, with ``input``, whatever
            the channel measures (with multiples of the metre taken as metres).

        Returns
        -------
        array of complex128
            Counts per unit; zero at 0 Hz where that takes an integration.

        Raises
        ------
        ResponseError
            Where a stage can't be evaluated, or the channel does not measure motion.
        """
        frequencies = np.asarray(frequencies_hz, dtype=np.float64)
        motion, scale = _UNITS.get(_plain(self.input_units), (None, 1.0))
        if motion is None and output != "input":
            raise ResponseError(
                f"a channel that measures {self.input_units or 'nothing stated'} has no response to {output};"
                " ask for 'input'"
            )
        if not self.stages:
            raise ResponseError("the response has no stages: a sensitivity alone is no response")
        value = np.full(frequencies.shape, scale, dtype=np.complex128)
        for stage in self.stages:
            value *= stage.evaluate(frequencies)
        if motion is None or output == "input":
            return value
        return value * motion_factor(frequencies, output, motion)


def _plain(units: str) -> str:
    """Write units in one way: ``nm/sec/sec`` and ``NM/(S**2)`` as ``NM/S**2``."""
    plain = units.upper().replace(" ", "").replace("SEC", "S").replace("(S**2)", "S**2")
    return plain.replace("S^2", "S**2").replace("/S/S", "/S**2")


def _bytes_of(value: Any) -> bytes:
    """Write a value without ambiguity: a letter for its type, then its length or its bits."""
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, complex):
        return b"c" + struct.pack("<dd", value.real, value.imag)
    if isinstance(value, str):
        return b"s" + struct.pack("<q", len(value.encode())) + value.encode()
    if isinstance(value, tuple):
        return b"t" + struct.pack("<q", len(value)) + b"".join(map(_bytes_of, value))
    if is_dataclass(value):
        return _bytes_of((type(value).__name__, *(getattr(value, field.name) for field in fields(value))))
    raise TypeError(f"{value!r} has no place in a response")


def convert(described: Any) -> Response | None:
    """
    Turn obspy's response into ours.

    Parameters
    ----------
    described : obspy.core.inventory.Response or None

    Returns
    -------
    Response or None
        None where nothing is described. What can't be evaluated becomes a stage that says so when asked.
    """
    if described is None:
        return None
    polynomial = described.instrument_polynomial
    if not (described.response_stages or described.instrument_sensitivity or polynomial):
        return None
    stages = sorted(described.response_stages, key=lambda stage: stage.stage_sequence_number)
    overall = described.instrument_sensitivity
    sensitivity = None if overall is None or not overall.value else float(overall.value)
    if overall is None and polynomial is not None:
        overall, sensitivity = polynomial, _slope(polynomial)
    if sensitivity is None:
        gain_frequencies = [float(stage.stage_gain_frequency or 0) for stage in stages]
        frequency_hz = next((f for f in reversed(gain_frequencies) if f), 0.0)
    else:
        frequency_hz = float(getattr(overall, "frequency", 0) or 0)
    first, last = stages[:1], stages[-1:]
    return Response(
        stages=_stages(stages, sensitivity, frequency_hz),
        sensitivity=sensitivity,
        sensitivity_frequency_hz=frequency_hz,
        input_units=_first_of(*(stage.input_units for stage in first), overall and overall.input_units),
        output_units=_first_of(*(stage.output_units for stage in last), overall and overall.output_units),
    )


def _first_of(*units: str | None) -> str:
    return next((unit.upper() for unit in units if unit), "")


def _stages(stages: list[Any], sensitivity: float | None, frequency_hz: float) -> tuple[Stage, ...]:
    numbers = [stage.stage_sequence_number for stage in stages]
    if len(set(numbers)) < len(numbers):
        return (Stage(Unusable(f"the numbers of the response's stages repeat: {numbers}"), 1.0),)
    rates = [stage.decimation_input_sample_rate for stage in stages]
    result: list[Stage] = []
    rate_hz = next((float(rate) for rate in rates if rate), None)
    units = ""
    for stage, rate in zip(stages, rates, strict=True):
        rate_hz = float(rate) if rate else rate_hz
        result.append(_stage(stage, rate_hz, frequency_hz, sensitivity if len(stages) == 1 else None))
        if type(stage).__name__ != "ResponseStage":  # a gain alone says little about units
            takes = stage.input_units or ""
            if not _fit(units, takes):
                why = (
                    f"stage {stage.stage_sequence_number} takes in {takes} where {units} comes out before it"
                )
                return (Stage(Unusable(why), 1.0),)
            units = stage.output_units or ""
        rate_hz = rate_hz / (stage.decimation_factor or 1) if rate_hz else None
    return tuple(result)


def _fit(given: str, taken: str) -> bool:
    """Whether units may be the same: anything may that is not known."""
    given, taken = (_KINDS.get(_plain(units), "") for units in (given, taken))
    return not (given and taken) or given == taken


def _stage(stage: Any, rate_hz: float | None, frequency_hz: float, instead: float | None) -> Stage:
    """Convert a stage; ``frequency_hz`` is the sensitivity's, ``instead`` stands for a gain not given."""
    number, kind = stage.stage_sequence_number, type(stage).__name__
    gain = instead if stage.stage_gain is None else float(stage.stage_gain)
    if kind == "PolynomialResponseStage":
        gain = _slope(stage)
    filter_: Filter | None
    try:
        filter_ = _CONVERTERS[kind](stage, rate_hz)
    except KeyError:
        what = _NOT_EVALUATED.get(kind, f"a {kind}")
        filter_ = Unusable(f"stage {number} is {what}, which can't be evaluated: give poles and zeros or FIR")
    except ResponseError as error:
        filter_ = Unusable(f"stage {number} {error}")
    if not gain and not isinstance(filter_, Unusable):
        filter_ = Unusable(f"stage {number} has {'no gain' if gain is None else 'a gain of zero'}")
    return Stage(filter_, gain or 1.0, _unit_at(stage, frequency_hz))


def _unit_at(stage: Any, frequency_hz: float) -> float | None:
    """Say where a filter is to be scaled to one, if its normalisation factor can't be believed."""
    given = stage.stage_gain is not None and stage.stage_gain_frequency is not None
    gain_hz = float(stage.stage_gain_frequency) if given else frequency_hz
    factor = getattr(stage, "normalization_factor", 1.0)
    factor_hz = float(getattr(stage, "normalization_frequency", gain_hz) or 0)
    return None if gain_hz == frequency_hz == factor_hz and factor else gain_hz


def _poles_zeros(stage: Any, rate_hz: float | None) -> Filter | None:
    zeros, poles = (
        tuple(complex(value.real + 0.0, value.imag + 0.0) for value in values)
        for values in (stage.zeros, stage.poles)
    )
    factor, domain = float(stage.normalization_factor or 1), stage.pz_transfer_function_type
    if not domain.startswith("DIGITAL"):
        return Analogue(zeros, poles, factor, in_hz=domain == "LAPLACE (HERTZ)")
    return Digital(zeros, poles, _known(rate_hz), factor) if zeros or poles else None


def _coefficients(stage: Any, rate_hz: float | None) -> Filter | None:
    if stage.cf_transfer_function_type != "DIGITAL":
        raise ResponseError("gives an analogue filter by coefficients, which can't be evaluated")
    numerator, denominator = _floats(stage.numerator), _floats(stage.denominator)
    if denominator:
        return Recursive(numerator, denominator, _known(rate_hz))
    return _fir_of(_summing_to_one(numerator), stage, rate_hz)


def _fir(stage: Any, rate_hz: float | None) -> Filter | None:
    given = _floats(stage.coefficients)
    whole = {"EVEN": given + given[::-1], "ODD": given + given[-2::-1], "NONE": _summing_to_one(given)}
    return _fir_of(whole[stage.symmetry], stage, rate_hz)


def _fir_of(coefficients: tuple[float, ...], stage: Any, rate_hz: float | None) -> Fir | None:
    correction_s = float(stage.decimation_correction or 0)
    return Fir(coefficients, _known(rate_hz), correction_s) if coefficients else None


def _slope(polynomial: Any) -> float | None:
    """Return counts per unit of a polynomial from counts to units; None where that is no constant."""
    coefficients = _floats(polynomial.coefficients)
    is_line = len(coefficients) > 1 and coefficients[1] != 0 and not any(coefficients[2:])
    return 1 / coefficients[1] if is_line else None


def _line_only(stage: Any, rate_hz: float | None) -> Filter | None:  # noqa: ARG001
    slope, gain = _slope(stage), stage.stage_gain
    if slope is None:
        degree = len(stage.coefficients) - 1
        raise ResponseError(f"is a polynomial of degree {degree}, which can't be evaluated: it is no filter")
    if gain is not None and not np.isclose(gain, slope):
        raise ResponseError(f"is a polynomial that means a gain of {slope:g}, and states one of {gain:g}")
    return None


def _gain_only(stage: Any, rate_hz: float | None) -> Filter | None:  # noqa: ARG001
    return None


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) + 0.0 for value in values)


def _known(rate_hz: float | None) -> float:
    if rate_hz is None:
        raise ResponseError("is digital, but nothing says at which rate: give it an input sample rate")
    return rate_hz


def _summing_to_one(coefficients: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(coefficients)
    if total == 0 or abs(total - 1) <= _SUM_TOLERANCE:
        return coefficients
    return tuple(value / total for value in coefficients)


_CONVERTERS: dict[str, Callable[[Any, float | None], Filter | None]] = {
    "ResponseStage": _gain_only,
    "PolesZerosResponseStage": _poles_zeros,
    "CoefficientsTypeResponseStage": _coefficients,
    "FIRResponseStage": _fir,
    "PolynomialResponseStage": _line_only,
}
_NOT_EVALUATED = {"ResponseListResponseStage": "a list of values at frequencies"}

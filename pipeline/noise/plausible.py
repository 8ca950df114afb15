"""
Levels that no ground can have, and gravity that is not the tide's: units, gains and polarity that are wrong.

::

    levels of windows ──► their quietest tenth above the high noise model, by more than any site
    of a day or a week    their median below the low one, by more than any site, with a microseism in it
    gravity ──► regressed on the computed tide ──► factor: 1, -1, 10, 0.1, 0 or another

**Levels.** A wrong gain or unit shifts the whole curve, so that one band decides: 4 to 8 s, where the
microseism is everywhere and people, wind and tilt are not. Peterson (1993) drew his models along the quietest
and the loudest of his stations; MUSTANG calls a channel dead whose median lies 5 dB below the low one in this
band, and Ekström's tables of networks set apart what lies 6 dB below it (10 to 300 s). The bounds are 6 dB
below and 10 dB above. What disturbs a record only raises it: so above, the quietest tenth of windows decides,
which an earthquake with its aftershocks and hours of a storm leave where it is. Below, a channel without a
microseism is dead, not wrong, and nothing is said of it here. At other periods digitisers, geophones below
their corner, tilt and superconducting gravimeters lie beyond the models, and are what they are. In shallow
seas the band is another (Janiszewski et al. 2022, doi:10.1093/gji/ggac450): give wider bounds there.

**Tide.** The factor of recorded gravity to a computed tide is 1 but for the local factor and the ocean, which
is 4 nm/s² of M2 in Lhasa, 23 in Montpellier (6 %) and more on some coasts. How it is found, and its error:
`pipeline.noise.tide_factor`.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.noise.tide_factor import TideFactor, tide_factor
from pipeline.signal.checks import check_at_least, check_positive
from pipeline.signal.precision import FloatArray

__all__ = [
    "FactorKind",
    "FactorVerdict",
    "LevelVerdict",
    "TideFactor",
    "judge_factor",
    "judge_levels",
    "judge_spans",
    "tide_factor",
]

# ---- levels

_BAND_S: Final = (4.0, 8.0)
_SIDES_S: Final = ((1.0, 2.0), (14.0, 22.0))
_QUIET_SHARE: Final = 10.0
_HUMP_DB: Final = 4.0
_UNITS: Final = (("nm", 1e9), ("µm", 1e6), ("mm", 1e3), ("cm", 1e2))


class LevelVerdict(NamedTuple):
    """
    What is said of the levels of a span.

    ``reason`` is empty where they may be the ground's, or where too few windows tell. ``level_db`` and
    ``bound_db`` are means over ``band_s``; ``ratio`` is by how much the stated gain would at least be too
    small (above 1) or too large (below 1). ``known`` says whether there were enough windows.
    """

    reason: str
    level_db: float
    bound_db: float
    ratio: float
    band_s: tuple[float, float]
    windows: int
    known: bool


def judge_levels(
    level_db: ArrayLike,
    period_s: ArrayLike,
    *,
    below_db: float = 6.0,
    above_db: float = 10.0,
    fewest: int = 12,
) -> LevelVerdict:
    """
    Say whether no ground can have the levels of a span.

    Parameters
    ----------
    level_db : array_like, shape (windows, periods)
        Of acceleration, dB of (m/s²)²/Hz, of a day or more; NaN where a window is left out.
    period_s : array_like, shape (periods,)
        Rising.
    below_db, above_db : float
        How far beyond the low and the high noise model, in the mean over 4 to 8 s.
    fewest : int
        Windows to judge by.

    Returns
    -------
    LevelVerdict

    Raises
    ------
    ConfigError
        If levels do not fit the periods.

    Examples
    --------
    >>> period_s = 2.0 ** np.arange(-3, 6, 0.125)
    >>> site = np.tile((nlnm_db(period_s) + nhnm_db(period_s)) / 2, (48, 1))
    >>> judge_levels(site, period_s).reason
    ''
    >>> verdict = judge_levels(site + 60, period_s)
    >>> round(verdict.ratio)
    23
    """
    check_at_least("fewest", fewest, 1)
    period = np.asarray(period_s, dtype=np.float64)
    levels = np.asarray(level_db, dtype=np.float64)
    if levels.ndim != 2 or levels.shape[1:] != period.shape:
        raise ConfigError(
            f"levels should have the shape (windows, {period.size} periods), got {levels.shape}"
        )
    inside = (period >= _BAND_S[0]) & (period <= _BAND_S[1])
    rows = levels[np.isfinite(levels[:, inside]).all(axis=1)] if inside.any() else levels[:0]
    if len(rows) < fewest:
        return LevelVerdict("", np.nan, np.nan, np.nan, _BAND_S, len(rows), known=False)
    mean = rows[:, inside].mean(axis=1)
    low, high = (float(model(period[inside]).mean()) for model in (nlnm_db, nhnm_db))
    quiet, median = float(np.percentile(mean, _QUIET_SHARE)), float(np.median(mean))
    if quiet > high + above_db:
        bound, ratio = high + above_db, 10 ** ((quiet - high - above_db) / 20)
        reason = _loud(quiet, high, above_db, low - below_db, len(rows))
        return LevelVerdict(reason, quiet, bound, ratio, _BAND_S, len(rows), known=True)
    bound, ratio = low - below_db, 10 ** ((median - low + below_db) / 20)
    hump = _hump_db(np.median(rows, axis=0), period) if median < bound else float("nan")
    reason = _quiet(median, low, below_db, ratio, hump, len(rows)) if hump > _HUMP_DB else ""
    return LevelVerdict(reason, median, bound, ratio if reason else 1.0, _BAND_S, len(rows), known=True)


def judge_spans(
    level_db: ArrayLike,
    period_s: ArrayLike,
    span: ArrayLike,
    *,
    below_db: float = 6.0,
    above_db: float = 10.0,
    fewest: int = 12,
) -> dict[int, LevelVerdict]:
    """
    Judge the windows of each span, of a day or a week for instance.

    Parameters
    ----------
    level_db : array_like, shape (windows, periods)
    period_s : array_like, shape (periods,)
    span : array_like of int, shape (windows,)
        The span to which each window belongs, as `pipeline.noise.level_series.spans_of` gives it.
    below_db, above_db, fewest
        See `judge_levels`.

    Returns
    -------
    dict of int to LevelVerdict
        In the order of the spans.

    Examples
    --------
    >>> period_s = 2.0 ** np.arange(-3, 6, 0.125)
    >>> site = np.tile((nlnm_db(period_s) + nhnm_db(period_s)) / 2, (48, 1))
    >>> site[24:] += 120
    >>> verdicts = judge_spans(site, period_s, np.repeat([18_000, 18_001], 24))
    >>> [bool(verdict.reason) for verdict in verdicts.values()]
    [False, True]
    """
    levels, spans = np.asarray(level_db, dtype=np.float64), np.asarray(span, dtype=np.int64)
    if spans.shape != levels.shape[:1]:
        raise ConfigError(f"{levels.shape[0]} windows need a span each, got the shape {spans.shape}")
    return {
        int(each): judge_levels(
            levels[spans == each], period_s, below_db=below_db, above_db=above_db, fewest=fewest
        )
        for each in np.unique(spans)
    }


def _hump_db(curve: FloatArray, period: FloatArray) -> float:
    """Return how far a curve stands above the line from 1 to 2 s to 14 to 22 s; NaN where it lacks either."""
    places = []
    for low, high in (_SIDES_S[0], _BAND_S, _SIDES_S[1]):
        inside = (period >= low) & (period <= high) & np.isfinite(curve)
        if not inside.any():
            return float("nan")
        places.append((float(np.log(period[inside]).mean()), float(curve[inside].mean())))
    (x0, y0), (x, y), (x1, y1) = places
    return y - (y0 + (y1 - y0) * (x - x0) / (x1 - x0))


def _loud(level: float, high: float, above_db: float, lowest: float, windows: int) -> str:
    ratio, most = (10 ** ((level - bound) / 20) for bound in (high + above_db, lowest))
    units = [name for name, factor in _UNITS if ratio <= factor <= most]
    hint = f" ({' or '.join(units)} for m)" if units else ""
    band = f"{_BAND_S[0]:g} to {_BAND_S[1]:g} s"
    times = f"{_times(ratio)} to {_times(most)} times"
    return (
        f"{band}: even the quietest tenth of {windows} windows has {level:.0f} dB"
        f" of (m/s²)²/Hz, {level - high:.0f} dB above the high noise model, where {above_db:g} dB is more"
        f" than any ground has; a gain stated {times} too small would do it{hint}"
    )


def _quiet(level: float, low: float, below_db: float, ratio: float, hump: float, windows: int) -> str:
    band = f"{_BAND_S[0]:g} to {_BAND_S[1]:g} s"
    return (
        f"{band}: the median of {windows} windows is {level:.0f} dB of (m/s²)²/Hz,"
        f" {low - level:.0f} dB below the low noise model, where {below_db:g} dB is less than any ground has,"
        f" and a microseism stands {hump:.0f} dB out of it; a gain stated {_times(1 / ratio)} times too"
        f" large, or more, would do it"
    )


def _times(ratio: float) -> str:
    """
    Write a ratio to two digits.

    >>> _times(1.234), _times(56.7), _times(123456.0)
    ('1.2', '57', '1.2e+05')
    """
    return f"{ratio:.2g}"


# ---- the tide

FactorKind: TypeAlias = Literal["plausible", "unknown", "polarity", "unit", "gain", "absent", "clock"]

_SURE: Final = 3.0
_WIDEST: Final = 0.5
_SCALES: Final = (
    (10.0, "as nm/s² have that are stated as µGal"),
    (0.1, "as µGal have that are stated as nm/s²"),
    (1e3, "as nm/s² have that are stated as µm/s², or µGal as mGal"),
    (1e-3, "as µm/s² have that are stated as nm/s², or mGal as µGal"),
    (1e4, "as nm/s² have that are stated as mGal"),
    (1e-4, "as mGal have that are stated as nm/s²"),
)


class FactorVerdict(NamedTuple):
    """What a factor means; ``reason`` is empty where it is plausible."""

    kind: FactorKind
    reason: str


def judge_factor(found: TideFactor, *, tolerance: float = 0.15) -> FactorVerdict:
    """
    Say what the factor of a gravimeter's tide means.

    Parameters
    ----------
    found : TideFactor
    tolerance : float
        By how much local factors and the ocean may change it; less inland.

    Returns
    -------
    FactorVerdict
        ``"unknown"`` where three standard errors leave it open.

    Examples
    --------
    >>> judge_factor(TideFactor(1.03, 0.01, 0.0, 30.0))
    FactorVerdict(kind='plausible', reason='')
    >>> [judge_factor(TideFactor(factor, 0.01, 0.0, 30.0)).kind for factor in (-1.0, 9.8, 1.3, 0.01)]
    ['polarity', 'unit', 'gain', 'absent']
    >>> judge_factor(TideFactor(1.3, 0.2, 0.0, 0.5)).kind
    'unknown'
    """
    check_positive("tolerance", tolerance)
    factor, error, lag_s, days = found
    reach = _SURE * error
    told = f"gravity has {factor:.3g} ± {error:.1g} of the computed tide over {days:.3g} days"
    if not np.isfinite(reach):
        return FactorVerdict("unknown", f"{days:.3g} days of record do not hold the tide")
    if lag_s:
        late = f"{abs(lag_s) / 3600:.1f} h {'late' if lag_s > 0 else 'early'}"
        return FactorVerdict(
            "clock",
            f"gravity follows the computed tide {late}, with a factor of {factor:.3g}:"
            " its clock, its time zone or its place is wrong",
        )
    if abs(factor - 1) <= tolerance and reach <= tolerance:
        return FactorVerdict("plausible", "")
    if abs(factor - 1) <= tolerance + reach:
        return FactorVerdict("unknown", f"{told}: too unsure to say whether it is 1")
    if abs(factor) - reach <= 0 and abs(factor) + reach < 1 - tolerance:
        return FactorVerdict("absent", f"{told}: there is no tide in it, or it is taken out already")
    return _named(factor, reach, tolerance, told)


def _named(factor: float, reach: float, tolerance: float, told: str) -> FactorVerdict:
    """Name what would make a factor that is not 1."""
    sign = "its polarity is reversed" if factor < 0 else ""
    size, wide = abs(factor), tolerance + reach / abs(factor)
    if wide > _WIDEST:
        return FactorVerdict("unknown", f"{told}: it is not 1, but too unsure to say what it is")
    if abs(size - 1) <= wide:
        return FactorVerdict("polarity", f"{told}: {sign}")
    for scale, meaning in _SCALES:
        if abs(size / scale - 1) <= wide:
            also = f", and {sign}" if sign else ""
            return FactorVerdict("unit", f"{told}, {meaning}{also}")
    also = f", and {sign}" if sign else ""
    return FactorVerdict("gain", f"{told}: its calibration would have to be divided by {size:.3g}{also}")

"""
Verdicts on days: good, suspect or bad, each with its reason.

Bad is what no measurement should be made of; suspect what somebody should look at. The bounds are those that
MUSTANG's users know from its metrics, per day and component.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from pipeline.noise.record_quality import RecordQuality

__all__ = ["Verdict", "judge_day"]

Verdict: TypeAlias = Literal["good", "suspect", "bad"]

_LEAST_COMPLETE: Final = 0.8
_MOST_GAPS: Final = 10
_MOST_SPIKES: Final = 50
_LEAST_TIMING: Final = 60.0
_FLAT_S: Final = 600.0
_DEAD_SHARE: Final = 0.5


def judge_day(quality: RecordQuality, *, timing_quality: float | None = None) -> tuple[Verdict, str | None]:
    """
    Judge a day of one component.

    Parameters
    ----------
    quality : RecordQuality
        Of its samples.
    timing_quality : float, optional
        Lowest that its source states, in percent.

    Returns
    -------
    verdict : {"good", "suspect", "bad"}
    reason : str or None
        The first thing that is wrong, with its figure; None where nothing is.

    Examples
    --------
    >>> quality = RecordQuality(completeness=1.0, gaps=0, longest_gap_s=0.0, spikes=0, clipped=0, flat_s=0.1,
    ...                         mean=2.0, rms=400.0)
    >>> judge_day(quality)
    ('good', None)
    >>> judge_day(quality, timing_quality=0.0)
    ('suspect', 'timing quality 0 %')
    """
    if quality.rms == 0 or quality.flat_s > _DEAD_SHARE * 86_400:
        return "bad", f"one value for {quality.flat_s:,.0f} s"
    for is_wrong, reason in (
        (quality.clipped > 0, f"{quality.clipped:,} clipped samples"),
        (quality.flat_s > _FLAT_S, f"one value for {quality.flat_s:,.0f} s"),
        (quality.spikes > _MOST_SPIKES, f"{quality.spikes:,} spikes"),
        (quality.completeness < _LEAST_COMPLETE, f"{quality.completeness:.0%} of the day"),
        (quality.gaps > _MOST_GAPS, f"{quality.gaps:,} gaps"),
        (
            timing_quality is not None and timing_quality < _LEAST_TIMING,
            f"timing quality {timing_quality or 0:.0f} %",
        ),
    ):
        if is_wrong:
            return "suspect", reason
    return "good", None

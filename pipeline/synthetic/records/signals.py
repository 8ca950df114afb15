"""
Signals that are no earthquakes of the catalog: when each begins at a station, what it is, how large it is.

Transients by their kinds, each repeater of a landslide (``repeater``) and its failure (``landslide``); at
gravimeters great earthquakes far away (``great_earthquake``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.synthetic.gravity.free_oscillations import GreatEarthquake, free_oscillations
from pipeline.synthetic.ground.landslide import COLLAPSE_S, REPEATER_S, repeaters
from pipeline.synthetic.ground.transients import list_transients
from pipeline.synthetic.layout import Station
from pipeline.synthetic.records.gravity_recording import great_earthquakes
from pipeline.synthetic.records.neighbourhood import (
    ambient_at,
    landslides_at,
    repeater_noise_m_s,
    surroundings_at,
)
from pipeline.synthetic.scenario import Scenario

__all__ = ["Signal", "gravimeter_signals", "station_signals"]

_SECOND_NS = 10**9
_DAY_S = 86_400
_OVER = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """
    One signal at one station.

    Parameters
    ----------
    kind : str
        One of `pipeline.synthetic.ground.transient_shapes.KINDS`, or ``repeater``, ``landslide``,
        ``great_earthquake``.
    start_ns, end_ns : int
        Since 1970.
    components : str
        Where it is seen, of Z, N and E; all of them where empty.
    peak_m_s, peak_nm_s2 : float or None
        Of a seismometer's velocity, or a gravimeter's acceleration.
    snr : float or None
        Of landslides: peak over the RMS of the vertical's noise as designed then, from 2 to 8 Hz.
    """

    kind: str
    start_ns: int
    end_ns: int
    components: str = ""
    peak_m_s: float | None = None
    peak_nm_s2: float | None = None
    snr: float | None = None


def station_signals(scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> list[Signal]:
    """
    List the signals of a broadband station that begin in a span.

    Parameters
    ----------
    scenario, station : Scenario, Station
    low_ns, high_ns : int
        Since 1970; half-open. Where the scenario begins, what is under way then belongs to it as well.

    Returns
    -------
    list of Signal
        By time.
    """
    place = surroundings_at(scenario, station)
    found = [
        Signal(
            kind=one.kind,
            start_ns=one.start_ns,
            end_ns=one.end_ns,
            components="" if one.components == "ZNE" else one.components,
            peak_m_s=one.peak_m_s,
        )
        for one in list_transients(place, low_ns, high_ns)
    ]
    found += _landslide_signals(scenario, station, low_ns, high_ns)
    return _of_span(found, low_ns, high_ns, scenario.config.start_ns)


def _of_span(signals: list[Signal], low_ns: int, high_ns: int, start_ns: int) -> list[Signal]:
    """Keep what begins in a span, or is under way where the record starts."""
    kept = [
        one
        for one in signals
        if low_ns <= one.start_ns < high_ns or (one.start_ns < low_ns == start_ns < one.end_ns)
    ]
    return sorted(kept, key=lambda one: (one.start_ns, one.kind))


def _landslide_signals(scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> Iterator[Signal]:
    site, seed = ambient_at(scenario, station), scenario.config.seed
    for slide, seen in landslides_at(scenario, station):
        known = repeaters(slide, seed=seed)
        peaks_m_s = (known.amplitude * seen.repeater_peak_m_s).tolist()
        parts = [
            ("repeater", origin_ns, REPEATER_S, peak_m_s)
            for origin_ns, peak_m_s in zip(known.origin_ns.tolist(), peaks_m_s, strict=True)
        ]
        parts.append(("landslide", slide.failure_ns, COLLAPSE_S, seen.collapse_peak_m_s))
        for kind, origin_ns, lasts_s, peak_m_s in parts:
            start_ns = origin_ns + round(seen.p_delay_s * _SECOND_NS)
            end_ns = start_ns + round(lasts_s * _SECOND_NS)
            if low_ns < end_ns and start_ns < high_ns:
                noise_m_s = repeater_noise_m_s(site, start_ns / _SECOND_NS)
                snr = peak_m_s / noise_m_s
                yield Signal(kind=kind, start_ns=start_ns, end_ns=end_ns, peak_m_s=peak_m_s, snr=snr)


def gravimeter_signals(
    scenario: Scenario, station: Station, low_ns: int, high_ns: int, start_ns: int
) -> list[Signal]:
    """
    List the great earthquakes that begin in a span at a gravimeter.

    Parameters
    ----------
    scenario, station : Scenario, Station
    low_ns, high_ns : int
        Since 1970; half-open.
    start_ns : int
        Where the gravimeter begins; what is under way then belongs to its first span as well.

    Returns
    -------
    list of Signal
        By time, from the origin until the motion stays below a hundredth of its peak, within a day.
    """
    gravity = scenario.config.gravity
    assert gravity is not None
    found = []
    for earthquake in great_earthquakes(gravity):
        origin_ns = earthquake.origin_ns
        if origin_ns < high_ns and low_ns < origin_ns + _DAY_S * _SECOND_NS:
            found.append(_great_earthquake(earthquake, station))
    return _of_span(found, low_ns, high_ns, start_ns)


def _great_earthquake(earthquake: GreatEarthquake, station: Station) -> Signal:
    first_s = earthquake.origin_ns // _SECOND_NS
    motion = np.abs(
        free_oscillations(
            first_s,
            first_s + _DAY_S,
            [earthquake],
            latitude_deg=station.latitude,
            longitude_deg=station.longitude,
        )
    )
    peak_nm_s2 = float(motion.max())
    last = int(np.flatnonzero(motion > _OVER * peak_nm_s2)[-1])
    return Signal(
        kind="great_earthquake",
        start_ns=earthquake.origin_ns,
        end_ns=(first_s + last + 1) * _SECOND_NS,
        peak_nm_s2=peak_nm_s2,
    )

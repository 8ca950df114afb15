"""
Frames: the pieces at fixed absolute times of which endless noise is made, and what filters them.

Frames at 2 Hz are two hours long, and their middle hour is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.draws import white_noise

__all__ = [
    "HOUR_S",
    "SLOW_FRAME",
    "SLOW_HOUR",
    "SLOW_MARGIN",
    "SLOW_RATE_HZ",
    "Record",
    "Spectrum",
    "back",
    "make_filter",
    "slow_transform",
    "slow_white",
]

Record: TypeAlias = NDArray[np.float32]
Spectrum: TypeAlias = NDArray[np.complex64]

HOUR_S: Final = 3600
SLOW_RATE_HZ: Final = 2
SLOW_FRAME: Final = 14_400
SLOW_HOUR: Final = HOUR_S * SLOW_RATE_HZ
SLOW_MARGIN: Final = (SLOW_FRAME - SLOW_HOUR) // 2


def make_filter(response: NDArray[Any], frame: int) -> Spectrum:
    """Make a finite filter of a response at (1 … n) steps from 0 Hz: the transform of its frame."""
    taps = 2 * response.shape[-1]
    half = scipy.fft.irfft(np.concatenate(([0.0], response)), taps)
    half *= np.cos(np.pi * scipy.fft.fftfreq(taps)) ** 2  # Hann, about time 0
    impulse = np.zeros(frame)
    impulse[: taps // 2], impulse[-taps // 2 :] = half[: taps // 2], half[taps // 2 :]
    return np.asarray(scipy.fft.rfft(impulse).astype(np.complex64))


def back(
    now: Spectrum, change: Spectrum | None, frame: int, margin: int, keep: int, begin: float, end: float
) -> Record:
    """Go back to time through both filters; ``begin`` and ``end`` say which part of the hour this is."""
    made: Record = scipy.fft.irfft(now, frame)[margin : margin + keep]
    if change is not None:
        ramp = (begin + (end - begin) / keep * np.arange(keep)).astype(np.float32)
        made = made + ramp * scipy.fft.irfft(change, frame)[margin : margin + keep]
    return made


def slow_white(seed: int, key: Sequence[str | int], hours: range, shift: int = 0) -> Record:
    """Draw the white noise of the slow frames of some hours, some samples late."""
    begin = hours.start * SLOW_HOUR - SLOW_MARGIN - shift
    return white_noise(seed, key, begin, begin + len(hours) * SLOW_HOUR + 2 * SLOW_MARGIN)


def slow_transform(white: Record, column: int) -> Spectrum:
    """Transform the frame of one of those hours."""
    # One by one: a batch may round otherwise, and a piece must not depend on how many hours go with it.
    return np.asarray(scipy.fft.rfft(white[column * SLOW_HOUR :][:SLOW_FRAME].copy()))

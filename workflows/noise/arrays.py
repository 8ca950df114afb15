"""
The arrays of a noise product: what a group of ``noise.zarr`` holds of a stream at one rate.

::

    level_db      component × time × period      of each window, dB re 1 (m/s²)²/Hz
    sub_windows   component × time               how many sub-windows each is made of
    day_psd       day × day_frequency            of gravimeters: residuals of days
    run_psd       day × run_frequency            and of the runs that start on each day
    present, rms_microgal, run_present      of the same days and runs
    tide_factor, tide_factor_std, tide_lag_s, tide_days      recorded over computed tide, of the runs
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.archive.grid import DayGrid
from pipeline.blockarrays import Axis, BlockArray
from pipeline.keys import Stream
from pipeline.noise.gravity_days import HIGHEST_DAY_HZ, HIGHEST_RUN_HZ, frequencies_hz
from pipeline.noise.periods import PeriodBins, period_bins
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.precision import IndexArray
from workflows.noise.config import NoiseConfig, WindowConfig
from workflows.noise.streams import is_gravimeter

__all__ = ["ARRAYS", "DB_UNIT", "StreamArrays"]

ARRAYS = "noise.zarr"
DB_UNIT = "dB re 1 (m/s²)²/Hz"


@dataclass(frozen=True)
class StreamArrays:
    """
    The arrays of one stream at one rate under one config, and the windows and periods that they stand for.

    Examples
    --------
    >>> arrays = StreamArrays(Stream.parse("CI.CCC..HH"), DayGrid.at_rate(100.0), NoiseConfig())
    >>> arrays.group, [array.name for array in arrays.all], arrays.level_db.shape(31)
    ('CI.CCC..HH/100Hz', ['level_db', 'sub_windows'], (3, 1488, 121))
    """

    stream: Stream
    grid: DayGrid
    config: NoiseConfig

    @property
    def group(self) -> str:
        """Name of the group, above its years."""
        return f"{self.stream}/{self.grid.label}"

    @property
    def window_config(self) -> WindowConfig:
        """Of this kind of stream."""
        return self.config.gravity_windows if is_gravimeter(self.stream) else self.config.windows

    @cached_property
    def windows(self) -> SpectralWindows:
        """Where windows begin and how they are cut; refuses those that are too short for the rate."""
        chosen = self.window_config
        return SpectralWindows(
            samples_per_day=self.grid.samples_per_day,
            window_s=chosen.window_s,
            overlap=chosen.overlap,
            sub_share=chosen.sub_share,
            sub_overlap=chosen.sub_overlap,
            taper=chosen.taper,
        )

    def window_days(self, first_day: int, windows: int) -> tuple[IndexArray, IndexArray]:
        """Return the days on which windows begin and end, the first of them at midnight of a day."""
        start_s = np.arange(windows) * round(self.window_config.step_s)
        stop_s = start_s + math.ceil(self.window_config.window_s) - 1
        return first_day + start_s // 86_400, first_day + stop_s // 86_400

    @cached_property
    def bins(self) -> PeriodBins:
        """Periods of the levels."""
        chosen = self.window_config
        return period_bins(
            self.windows.frequencies_hz,
            width_octaves=chosen.width_octaves,
            step_octaves=chosen.step_octaves,
        )

    @cached_property
    def level_db(self) -> BlockArray:
        """Levels of windows."""
        return BlockArray(
            name="level_db",
            time_axis="time",
            per_day=self.window_config.per_day,
            before=(self._components,),
            after=(_numbers("period", self.bins.centre_s, "s", "period"),),
            dtype="int16",
            fill=-32768,
            scale=0.01,
            attributes={"long_name": "power of acceleration per window and period", "units": DB_UNIT},
        )

    @cached_property
    def sub_windows(self) -> BlockArray:
        """How many sub-windows there are in each window."""
        return BlockArray(
            name="sub_windows",
            time_axis="time",
            per_day=self.window_config.per_day,
            before=(self._components,),
            dtype="uint16",
            fill=0,
            attributes={"long_name": "sub-windows in the window; 0 where it is left out", "units": "1"},
        )

    @cached_property
    def gravity(self) -> dict[str, BlockArray]:
        """Of a gravimeter, by name; empty for other streams."""
        if not is_gravimeter(self.stream):
            return {}
        psd_unit = "(nm/s²)²/Hz"
        return {
            "day_psd": _of_days("day_psd", "PSD of the residual of a day", psd_unit, (self._day_axis,)),
            "run_psd": _of_days(
                "run_psd", "PSD of the run of days that starts on a day", psd_unit, (self._run_axis,)
            ),
            "present": _of_days("present", "share of the samples of a day that are there", "1"),
            "rms_microgal": _of_days("rms_microgal", "RMS of the residual of a day", "µGal"),
            "run_present": _of_days("run_present", "share of the samples of a run that are there", "1"),
            "tide_factor": _of_days("tide_factor", "recorded tide over the computed one, of a run", "1"),
            "tide_factor_std": _of_days("tide_factor_std", "standard error of tide_factor", "1"),
            "tide_lag_s": _of_days("tide_lag_s", "by how much the recorded tide comes late", "s"),
            "tide_days": _of_days("tide_days", "days of record that tide_factor is made of", "d"),
        }

    @property
    def all(self) -> tuple[BlockArray, ...]:
        """All arrays."""
        return (self.level_db, self.sub_windows, *self.gravity.values())

    @property
    def _components(self) -> Axis:
        return Axis("component", self.stream.components)

    @property
    def _day_axis(self) -> Axis:
        return self._frequencies("day_frequency", 1, HIGHEST_DAY_HZ)

    @property
    def _run_axis(self) -> Axis:
        return self._frequencies("run_frequency", self.config.gravity.run_days, HIGHEST_RUN_HZ)

    def _frequencies(self, name: str, days: int, highest_hz: float) -> Axis:
        n = self.grid.samples_per_day * days
        return _numbers(name, frequencies_hz(n, self.grid.rate_hz, highest_hz), "Hz", "frequency")


def _numbers(name: str, values: np.ndarray, unit: str, long_name: str) -> Axis:
    return Axis(name, tuple(values.tolist()), (("units", unit), ("long_name", long_name)))


def _of_days(name: str, long_name: str, unit: str, after: tuple[Axis, ...] = ()) -> BlockArray:
    said = {"long_name": long_name, "units": unit}
    return BlockArray(
        name=name,
        time_axis="day",
        per_day=1,
        after=after,
        dtype="float32",
        fill=float("nan"),
        attributes=said,
    )

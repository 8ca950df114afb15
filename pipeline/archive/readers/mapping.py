"""
The map: names, calibrations and delays for sources that do not state them.

A TOML file, given to ``stationday ingest --map`` and kept in the archive::

    [[sources]]
    match = "*/G01/*.ggp"                # against the whole path; * runs over folders

    [[sources.columns]]
    column = "gravity"                   # by name, or by number from 1
    channel = "NG.G01..LGZ"
    unit = "V"                           # what the file must state
    calibration = -784.22                # a value times this is stored: nm/s² per volt
    delay_s = 8.4                        # of the instrument; taken off the times

    [[sources.columns]]
    column = "pressure"
    channel = "NG.G01..LDI"

Of a map only the rule for a file travels on: it is part of the file's `Source`, so that it reaches whoever
opens the file, stands in the scan and in each day's table, and counts in fingerprints. A file whose rule has
changed is a changed file.
"""

from __future__ import annotations

import fnmatch
import math
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline.archive.readers.moments import Moment
from pipeline.config import load, to_toml
from pipeline.errors import ConfigError
from pipeline.keys import Channel

__all__ = ["ColumnRule", "CsvRule", "SourceMap", "SourceRule", "load_map", "parse_rule"]


@dataclass(frozen=True, kw_only=True)
class ColumnRule:
    """
    What one column of a table, or one channel of a seismic format, is.

    Parameters
    ----------
    column : str
        A column's name, the last part of it (``Grav-1`` of ``Site:Instrument:Grav-1``), or its number from 1.
        Of a seismic format the channel as its header has it (``.G01..BHZ``), or a pattern (``*.BHZ``).
    channel : str
        Network, station, location and code.
    calibration : float
        Values times this are stored; samples are kept as they are where it is 1.
    delay_s : float
        By how much the instrument lags: taken off the times.
    unit : str or None
        The unit that the file must state for this column, where it states any.
    """

    column: str
    channel: str
    calibration: float = 1.0
    delay_s: float = 0.0
    unit: str | None = None

    def __post_init__(self) -> None:
        Channel.parse(self.channel).stream  # noqa: B018 (says what is wrong with a name)
        if not self.column:
            raise ConfigError('column is "", but should be the name or the number of a column')
        if not math.isfinite(self.calibration) or self.calibration == 0:
            raise ConfigError(f"calibration is {self.calibration}, but should be a number other than 0")
        if not math.isfinite(self.delay_s):
            raise ConfigError(f"delay_s is {self.delay_s}, but should be a number of seconds")

    def is_for(self, name: str, number: int) -> bool:
        """
        Tell whether this is the rule for a column.

        >>> rule = ColumnRule(column="grav-1", channel="NG.G01..LGZ")
        >>> rule.is_for("Membach:C021:Grav-1", 3), rule.is_for("Membach:C021:Grav-2", 4)
        (True, False)
        >>> ColumnRule(column="*.BHZ", channel="NG.G01..BHZ").is_for(".X..BHZ", 1)
        True
        """
        wanted, name = self.column.casefold(), name.casefold()
        if wanted in (name, name.rpartition(":")[2], str(number)):
            return True
        return any(letter in wanted for letter in "*?") and fnmatch.fnmatchcase(name, wanted)


@dataclass(frozen=True, kw_only=True)
class CsvRule:
    """
    How a table in text is laid out.

    Parameters
    ----------
    time : str
        Layout of the times, of ``%Y %m %d %j %H %M %S %s`` (seconds since 1970) and what stands between; a
        fraction may follow the seconds. Times are UTC. Date and time in columns of their own are one layout
        with the separator in it: ``%Y-%m-%d;%H:%M:%S``.
    separator : str
        One character between columns; "" for any number of blanks.
    header_lines : int
        Lines to leave out; the last of them names the columns, from the first after the time.
    columns_before_time : int
        Columns to leave out at the beginning of each line.
    step_s : float or None
        From sample to sample; found from the times where it is not given.
    """

    time: str = "%Y-%m-%d %H:%M:%S"
    separator: str = ","
    header_lines: int = 0
    columns_before_time: int = 0
    step_s: float | None = None

    def __post_init__(self) -> None:
        Moment.of(self.time)
        if len(self.separator.encode()) > 1 or self.separator in set("+-.0123456789\r\n"):
            shown = repr(self.separator)
            raise ConfigError(f'separator is {shown}, but should be one ASCII character, or "" for blanks')
        for name in ("header_lines", "columns_before_time"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, but should be 0 or more")
        if self.step_s is not None and not 0 < self.step_s < math.inf:
            raise ConfigError(f"step_s is {self.step_s}, but should be more than 0 seconds")


@dataclass(frozen=True, kw_only=True)
class SourceRule:
    """
    What the files are whose path matches a pattern.

    Parameters
    ----------
    match : str
        Against the whole path: ``*``, ``?``, ``[…]``.
    columns : tuple of ColumnRule
        What is read of them; other columns are left out.
    undefined : tuple of float
        Values that stand for none, beside those that the format has.
    csv : CsvRule or None
        The layout, of a table in text that is of no format of its own.
    """

    match: str
    columns: tuple[ColumnRule, ...]
    undefined: tuple[float, ...] = ()
    csv: CsvRule | None = None

    def __post_init__(self) -> None:
        for name in ("column", "channel"):
            values = [getattr(rule, name) for rule in self.columns]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ConfigError(f"{self.match}: {name} {twice[0]!r} stands there twice")
        if not self.columns:
            raise ConfigError(f"{self.match}: columns is empty, but should name one column at least")


@dataclass(frozen=True, kw_only=True)
class SourceMap:
    """Rules for source files; the first that matches a path holds."""

    sources: tuple[SourceRule, ...] = ()
    _patterns: tuple[tuple[re.Pattern[str], str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = tuple((re.compile(fnmatch.translate(r.match)), to_toml(r)) for r in self.sources)
        object.__setattr__(self, "_patterns", compiled)

    def rule_for(self, path: str) -> str:
        """
        Return the rule for a file as TOML, or "" where there is none.

        >>> column = ColumnRule(column="gravity", channel="NG.G01..LGZ")
        >>> mapping = SourceMap(sources=(SourceRule(match="*/G01/*.ggp", columns=(column,)),))
        >>> mapping.rule_for("/data/G01/2020/x.ggp").splitlines()[0], mapping.rule_for("/data/G02/x.ggp")
        ('match = "*/G01/*.ggp"', '')
        """
        return next((text for pattern, text in self._patterns if pattern.match(path)), "")


def load_map(source: str | Path) -> SourceMap:
    """
    Read a map.

    Parameters
    ----------
    source : str or Path
        A ``str`` is the TOML itself, a ``Path`` the file that holds it.

    Raises
    ------
    ConfigError
        Says on one line which key is wrong, and what would be right.
    """
    return load(SourceMap, source)


@cache
def parse_rule(text: str) -> SourceRule | None:
    """Read a rule as `SourceMap.rule_for` wrote it; None for ""."""
    return load(SourceRule, text) if text else None

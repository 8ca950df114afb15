"""
How far a stage has come, and how that is shown.

`Summary` counts; the forms of `Progress` show it: a live bar on a terminal, a sparse line in a log file,
nothing for ``--quiet`` and ``--json``. `progress_on` picks the form.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from workflows.ledger import BlockResult, Status
from workflows.plan import Verdict

__all__ = ["LineProgress", "LiveProgress", "Progress", "SilentProgress", "Summary", "progress_on"]


@dataclass(slots=True)
class Summary:
    """
    What a run of a stage was to do, and what has come of it so far.

    Parameters
    ----------
    stage : str
    planned : mapping of Verdict to int
        What the plan said of all blocks.
    todo : int
        Number of blocks to do.
    counts : Counter of Status
        What came of them.
    days : int
        Station-days in the results.
    nbytes : int
        Bytes written.
    seconds : float
        Wall time so far.
    stopped_by : int or None
        The signal that ended the run early.
    unit : str
        What is counted, in the plural.

    Examples
    --------
    >>> summary = Summary("pick", planned={Verdict.NEW: 2, Verdict.LOST: 1}, todo=2)
    >>> summary.add(BlockResult("CI.CCC..HH/2020.03", "5f0c"))
    >>> summary.undone, summary.lost, summary.exit_status
    (1, 1, 1)
    """

    stage: str
    planned: Mapping[Verdict, int] = field(default_factory=dict)
    todo: int = 0
    counts: Counter[Status] = field(default_factory=Counter)
    days: int = 0
    nbytes: int = 0
    stopped_by: int | None = None
    seconds: float = 0.0
    unit: str = "blocks"

    def add(self, result: BlockResult) -> None:
        """Count a result."""
        self.counts[result.status] += 1
        self.days += len(result.days)
        self.nbytes += result.nbytes

    @property
    def finished(self) -> int:
        """Number of blocks with a result, good or bad."""
        return self.counts.total()

    @property
    def undone(self) -> int:
        """Number of blocks still without a result."""
        return self.todo - self.finished

    @property
    def lost(self) -> int:
        """Number of blocks with losses in the product as it stands, also from earlier runs."""
        return self.counts[Status.LOST] + self.counts[Status.DEFERRED] + self.planned.get(Verdict.LOST, 0)

    @property
    def failed(self) -> int:
        """Number of blocks that failed, also in earlier runs."""
        return self.counts[Status.FAILED] + self.planned.get(Verdict.FAILED, 0)

    @property
    def station_days_per_second(self) -> float:
        """Station-days per second of wall time; 0 at the very start."""
        return self.days / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far, None before the first result."""
        return self.seconds / self.finished * self.undone if self.finished else None

    @property
    def exit_status(self) -> int:
        """
        0 when all is done, 1 when the product lacks something, 128 and the signal after one.

        Losses of earlier runs count: the same command says the same of the same product.
        """
        if self.stopped_by is not None:
            return 128 + self.stopped_by
        return 1 if self.lost or self.failed or self.undone else 0

    def describe(self) -> str:
        """
        Say on one line how far it is.

        Examples
        --------
        >>> counts = Counter({Status.DONE: 20_000, Status.FAILED: 3})
        >>> print(Summary("pick", todo=50_000, counts=counts, days=51_600, seconds=600.0).describe())
        20,003 of 50,000 blocks, 86.0 station-days/s, 0:15:00 left, 3 failed
        """
        parts = ["nothing to do"] if not self.todo else [f"{self.finished:,} of {self.todo:,} {self.unit}"]
        if self.days:
            rate = self.station_days_per_second
            parts.append(f"{rate:,.{0 if rate >= 1000 else 1}f} station-days/s")
        if self.stopped_by is not None:
            parts.append("interrupted; the same command carries on from here")
        elif not self.undone:
            parts += [f"took {_clock(self.seconds)}"] if self.todo else []
        elif self.seconds_left is not None:
            parts.append(f"{_clock(self.seconds_left)} left")
        losses = {"lost something": self.lost, "failed": self.failed}
        return ", ".join(parts + [f"{count:,} {what}" for what, count in losses.items() if count])

    def to_dict(self) -> dict[str, Any]:
        """Return the figures under plain names, for ``--json``."""
        return {
            "stage": self.stage,
            "planned": {str(verdict): count for verdict, count in sorted(self.planned.items())},
            "todo": self.todo,
            "results": {str(status): count for status, count in sorted(self.counts.items())},
            "station_days": self.days,
            "bytes": self.nbytes,
            "seconds": round(self.seconds, 3),
            "exit_status": self.exit_status,
        }


class Progress(Protocol):
    """A way to show how far a stage is, open while it runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, summary: Summary) -> None:
        """Show the figures, which keep changing. This is called about once a second, or more often."""
        ...


class SilentProgress:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, summary: Summary) -> None:
        """See `Progress.show`."""


class LineProgress(SilentProgress):
    """
    Writes a line now and then, and one at the end: for log files.

    Parameters
    ----------
    stream : text file
    every_seconds : float
        Time between lines.
    """

    def __init__(self, stream: TextIO, *, every_seconds: float = 30.0) -> None:
        self._stream = stream
        self._every_seconds = every_seconds
        self._next = time.monotonic() + every_seconds
        self._summary: Summary | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._summary is not None:
            self._write(self._summary)

    def show(self, summary: Summary) -> None:
        """See `Progress.show`."""
        self._summary = summary
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_seconds
            self._write(summary)

    def _write(self, summary: Summary) -> None:
        print(f"{summary.stage}: {summary.describe()}", file=self._stream, flush=True)


class LiveProgress(SilentProgress):
    """
    Keeps a bar and a line of figures at the foot of a terminal.

    Parameters
    ----------
    console : rich.console.Console
    dashboard : str
        Address of Dask's dashboard, shown above the bar if there is one.
    """

    def __init__(self, console: Console, *, dashboard: str = "") -> None:
        self._dashboard = dashboard
        self._live = Live(console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        if self._dashboard:
            self._live.console.print(f"dashboard {self._dashboard}", style="dim", highlight=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, summary: Summary) -> None:
        """See `Progress.show`."""
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(justify="right", no_wrap=True)
        share = summary.finished / summary.todo if summary.todo else 1.0
        bar.add_row(summary.stage, ProgressBar(total=1.0, completed=share), f"{share:4.0%}")
        style = "yellow" if summary.lost or summary.failed else ""
        self._live.update(Group(bar, Text(summary.describe(), style=style)))


def progress_on(stream: TextIO, *, quiet: bool = False, dashboard: str = "") -> Progress:
    """
    Pick the form that suits a stream: a live bar on a terminal, else sparse lines.

    Parameters
    ----------
    stream : text file
        Usually ``sys.stderr``.
    quiet : bool
        Show nothing.
    dashboard : str
        Address of Dask's dashboard, if there is one.
    """
    if quiet:
        return SilentProgress()
    if stream.isatty():
        return LiveProgress(Console(file=stream), dashboard=dashboard)
    if dashboard:
        print(f"dashboard {dashboard}", file=stream, flush=True)
    return LineProgress(stream)


def _clock(seconds: float) -> str:
    return str(dt.timedelta(seconds=round(seconds)))

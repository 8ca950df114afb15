"""When the next request may go out: so many a second, and none while the service wants to be left alone."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Protocol

from pipeline.errors import UnansweredError

__all__ = ["Clock", "Pace", "SystemClock"]


class Clock(Protocol):
    """Time, and waiting for it to pass: tests bring one that does not wait."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def now(self) -> dt.datetime:
        """Return the time in UTC."""
        ...

    def wait(self, seconds: float, until: threading.Event) -> None:
        """Wait, unless an event comes first."""
        ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def now(self) -> dt.datetime:
        """See `Clock.now`."""
        return dt.datetime.now(dt.UTC)

    def wait(self, seconds: float, until: threading.Event) -> None:
        """See `Clock.wait`."""
        until.wait(seconds)


class Pace:
    """
    Gives turns to all threads of a process.

    Parameters
    ----------
    per_second : float
        Turns.
    clock : Clock

    Examples
    --------
    >>> pace = Pace(1000.0, SystemClock())
    >>> pace.take()
    >>> pace.stop()
    >>> pace.take()
    Traceback (most recent call last):
    pipeline.errors.UnansweredError: stopped
    """

    def __init__(self, per_second: float, clock: Clock) -> None:
        self.clock = clock
        self._interval_s = 1.0 / per_second
        self._lock = threading.Lock()
        self._next = self._held_until = clock.monotonic()
        self._stopped = threading.Event()

    def take(self) -> None:
        """Wait for a turn. `UnansweredError` if there will be none."""
        while True:
            with self._lock:
                now = self.clock.monotonic()
                turn = max(now, self._next, self._held_until)
                self._next = turn + self._interval_s
            self.wait(turn - now)
            if turn >= self._held_until:
                return

    def hold(self, seconds: float) -> None:
        """Give no turns for a while."""
        with self._lock:
            self._held_until = max(self._held_until, self.clock.monotonic() + seconds)

    def wait(self, seconds: float) -> None:
        """Wait, without a turn."""
        if seconds > 0 and not self._stopped.is_set():
            self.clock.wait(seconds, self._stopped)
        self.check()

    def stop(self) -> None:
        """Give no turns any more, and end all waiting."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether there are no turns any more."""
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise `UnansweredError` once stopped."""
        if self._stopped.is_set():
            raise UnansweredError("stopped")

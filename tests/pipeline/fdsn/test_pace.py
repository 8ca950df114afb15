"""Turns: so many a second for all threads together, and none while held."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from fdsn_server import FakeClock

from pipeline.fdsn.pace import Pace


def test_so_many_a_second() -> None:
    clock = FakeClock()
    pace = Pace(4.0, clock)
    for _ in range(9):
        pace.take()
    assert clock.monotonic() == 2.0


def test_a_turn_not_taken_is_not_saved_up() -> None:
    clock = FakeClock()
    pace = Pace(4.0, clock)
    pace.wait(100.0)
    for _ in range(5):
        pace.take()
    assert clock.monotonic() == 101.0


def test_threads_share_the_turns() -> None:
    """Eight threads that wait side by side get no more turns than one: the sum of the waits tells."""

    class StandingClock(FakeClock):
        def monotonic(self) -> float:
            return 0.0

    clock = StandingClock()
    pace = Pace(10.0, clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pace.take(), range(21)))
    assert sorted(round(wait, 6) for wait in clock.waits) == [round(n / 10, 6) for n in range(1, 21)]


def test_who_waits_for_a_turn_is_held_too() -> None:
    """A hold that comes while somebody waits for a turn counts for that turn."""

    class Holding(FakeClock):
        def wait(self, seconds: float, until: object) -> None:
            super().wait(seconds, until)  # type: ignore[arg-type]
            if len(self.waits) == 1:
                pace.hold(30.0)

    clock = Holding()
    pace = Pace(1.0, clock)
    pace.take()
    pace.take()
    assert clock.monotonic() == 31.0

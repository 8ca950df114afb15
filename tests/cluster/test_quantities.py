"""Durations and memory: what is written comes back, what is no quantity is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ProfileError
from cluster.quantities import format_walltime, parse_duration, parse_memory


@given(st.integers(1, 400 * 86400))
def test_walltime_round_trip(seconds: int) -> None:
    assert parse_duration(format_walltime(seconds), "walltime") == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:30", 30), ("100:00:00", 360000), ("2-00:00:00", 172800), ("1.5h", 5400), (" 3 d ", 259200)],
)
def test_parse_duration_passes(text: str, seconds: float) -> None:
    assert parse_duration(text, "walltime") == seconds


@pytest.mark.parametrize(
    "value", ["", "4", 4, None, "4 hours", "00:61:00", "00:00:00", "-1 s", "0 min", "1:2"]
)
def test_parse_duration_fails(value: object) -> None:
    with pytest.raises(ProfileError, match=r"^walltime = .* should be a duration such as '04:00:00'"):
        parse_duration(value, "walltime")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1 B", 1),
        ("2kB", 2000),
        ("2 KiB", 2048),
        ("1.5 GB", 1_500_000_000),
        ("3 GiB", 3 << 30),
        ("1TiB", 1 << 40),
    ],
)
def test_parse_memory_passes(text: str, size: int) -> None:
    assert parse_memory(text, "memory") == size


@pytest.mark.parametrize("value", ["", "4", 4, None, "4 gb", "lots", "0 GB", "-1 GB", "4 GB each"])
def test_parse_memory_fails(value: object) -> None:
    with pytest.raises(ProfileError, match=r"^memory = .* should be an amount of memory such as '4 GB'"):
        parse_memory(value, "memory")

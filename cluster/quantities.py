"""Durations and amounts of memory, as people write them in a profile and as SLURM writes them."""

from __future__ import annotations

import re

from cluster.errors import ProfileError

__all__ = ["format_walltime", "parse_duration", "parse_memory"]

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1} | {
    f"{prefix}{unit}": base**power
    for power, prefix in enumerate(("k", "M", "G", "T"), start=1)
    for unit, base in (("B", 1000), ("iB", 1024))
}
_BYTES["KiB"] = _BYTES.pop("kiB")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)")


def parse_duration(text: object, key: str) -> float:
    """
    Read a duration in seconds.

    Parameters
    ----------
    text : object
        ``HH:MM:SS`` or ``D-HH:MM:SS`` as SLURM writes it, or a number with ``s``, ``min``, ``h`` or ``d``.
    key : str
        The key that it stands under, for the message.

    Returns
    -------
    float
        Seconds, more than 0.

    Raises
    ------
    ProfileError
        It is no such text.

    Examples
    --------
    >>> parse_duration("04:00:00", "walltime"), parse_duration("1-12:00:00", "walltime")
    (14400.0, 129600.0)
    >>> parse_duration("2.5 min", "lifetime")
    150.0
    """
    seconds = 0.0
    if isinstance(text, str):
        if clock := _CLOCK.fullmatch(text.strip()):
            days, hours, minutes, rest = (int(part or 0) for part in clock.groups())
            seconds = float(days * 86400 + hours * 3600 + minutes * 60 + rest)
        elif (amount := _AMOUNT.fullmatch(text.strip())) and amount[2] in _SECONDS:
            seconds = float(amount[1]) * _SECONDS[amount[2]]
    if seconds <= 0:
        raise ProfileError(
            f"{key} = {text!r} should be a duration such as '04:00:00', '1-00:00:00' or '30 min'"
        )
    return seconds


def format_walltime(seconds: float) -> str:
    """
    Write seconds as SLURM reads them; part of a second counts as a whole one.

    >>> format_walltime(14400), format_walltime(129600.5)
    ('04:00:00', '1-12:00:01')
    """
    minutes, rest = divmod(-int(-seconds // 1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-" * bool(days) + f"{hours:02d}:{minutes:02d}:{rest:02d}"


def parse_memory(text: object, key: str) -> int:
    """
    Read an amount of memory in bytes.

    Parameters
    ----------
    text : object
        A number with ``B``, ``kB``, ``MB``, ``GB``, ``TB`` (powers of 1000) or ``KiB`` to ``TiB`` (of 1024).
    key : str
        The key that it stands under, for the message.

    Returns
    -------
    int
        Bytes, more than 0.

    Raises
    ------
    ProfileError
        It is no such text.

    Examples
    --------
    >>> parse_memory("4 GB", "memory"), parse_memory("1.5GiB", "memory")
    (4000000000, 1610612736)
    """
    amount = _AMOUNT.fullmatch(text.strip()) if isinstance(text, str) else None
    size = int(float(amount[1]) * _BYTES.get(amount[2], 0)) if amount else 0
    if size <= 0:
        raise ProfileError(f"{key} = {text!r} should be an amount of memory such as '4 GB' or '1.5 GiB'")
    return size

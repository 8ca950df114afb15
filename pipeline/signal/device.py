"""Device: where tensors live and how many threads work on them. torch is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least

__all__ = ["resolve_device", "threads"]


def resolve_device(name: str = "auto") -> str:
    """
    Turn the name of a device into one that is there.

    Parameters
    ----------
    name : str
        ``cpu``, ``cuda``, ``cuda:1``, or ``auto``: the first GPU, else the CPU.

    Returns
    -------
    str
        As torch takes it.

    Raises
    ------
    ConfigError
        Where the name is unknown, or names a GPU that is not there.

    Examples
    --------
    >>> resolve_device("cpu")
    'cpu'
    """
    kind, _, number = name.partition(":")
    if kind not in {"auto", "cpu", "cuda"} or (number and not (kind == "cuda" and number.isdecimal())):
        raise ConfigError(f"device should be auto, cpu, cuda or cuda:NUMBER, got {name!r}")
    if kind == "cpu":
        return "cpu"
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "auto":
        return "cuda" if found else "cpu"
    if int(number or 0) >= found:
        raise ConfigError(
            f"device {name!r} is not there: torch {torch.__version__} sees {found} GPUs here;"
            " choose cpu or auto"
        )
    return name


@contextmanager
def threads(count: int) -> Iterator[None]:
    """
    Let torch use so many threads within a block, then as many as before.

    Parameters
    ----------
    count : int
        At least 1.

    Examples
    --------
    >>> import torch
    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    check_at_least("count", count, 1)
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

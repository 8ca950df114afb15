"""How a line of text states its time: a layout as strptime has it, for the compiled parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["LITERAL", "Moment"]

LITERAL = 0
"""What stands between the numbers; the others are numbered as in `_DIRECTIVES`."""


class _Directive(NamedTuple):
    code: int
    digits: int


_DIRECTIVES = {
    "Y": _Directive(1, 4),
    "m": _Directive(2, 2),
    "d": _Directive(3, 2),
    "H": _Directive(4, 2),
    "M": _Directive(5, 2),
    "S": _Directive(6, 2),
    "L": _Directive(7, 3),  # milliseconds: a column of TSoft's
    "j": _Directive(8, 3),
    "s": _Directive(9, 12),
}
_WHOLE = ({"Y", "m", "d"}, {"Y", "j"}, {"s"})


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A layout of times.

    Parameters
    ----------
    codes, widths : tuple of int
        What comes after what, and of how many digits at most; of a literal its byte.
    fixed : bool
        Whether each number has all its digits, with blanks for leading zeros, as Fortran writes them.
    """

    codes: tuple[int, ...]
    widths: tuple[int, ...]
    fixed: bool = False

    @classmethod
    def of(cls, layout: str, *, fixed: bool = False) -> Moment:
        """
        Read a layout.

        Raises
        ------
        ConfigError
            Where it holds what is not known, or gives no date.

        Examples
        --------
        >>> Moment.of("%Y%m%d %H")
        Moment(codes=(1, 2, 3, 0, 4), widths=(4, 2, 2, 32, 2), fixed=False)
        """
        codes: list[int] = []
        widths: list[int] = []
        seen: list[str] = []
        letters = iter(layout)
        for letter in letters:
            if letter == "%":
                name = next(letters, "")
                if name not in _DIRECTIVES or name in seen:
                    known = ", ".join(f"%{known}" for known in _DIRECTIVES)
                    raise ConfigError(f'time is "{layout}", but should be made of {known}, each once')
                seen.append(name)
                codes.append(_DIRECTIVES[name].code)
                widths.append(_DIRECTIVES[name].digits)
            else:
                codes.append(LITERAL)
                widths.append(_ascii(letter, layout))
        if not any(whole <= set(seen) for whole in _WHOLE):
            raise ConfigError(f'time is "{layout}", but should give a date: %Y %m %d, %Y %j or %s')
        return cls(tuple(codes), tuple(widths), fixed)

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return codes and widths as arrays."""
        return np.array(self.codes, dtype=np.int64), np.array(self.widths, dtype=np.int64)


def _ascii(letter: str, layout: str) -> int:
    if not letter.isascii():
        raise ConfigError(f'time is "{layout}", but should be of ASCII characters')
    return ord(letter)

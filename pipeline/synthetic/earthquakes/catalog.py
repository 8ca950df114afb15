"""
A catalog of earthquakes as columns, with names that come from descent alone.

An event is named by its day and a digest of the seed, of what it comes from and of its number there, so that
it has the same name in every catalog that it is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.faulting import reflect

__all__ = ["Catalog", "Kind", "gather", "nothing"]

FloatArray: TypeAlias = NDArray[np.float64]
Kind = Literal["background", "mainshock", "swarm", "aftershock"]

_ID, _KIND = "U21", "U10"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalog:
    """
    Events as columns, sorted by time.

    Attributes
    ----------
    event_id : ndarray of str, shape (n,)
        Unique: the day, and a digest of seed and descent.
    parent_id : ndarray of str, shape (n,)
        Of the event that triggered it; empty where none did.
    kind : ndarray of str, shape (n,)
        ``background``, ``mainshock``, ``swarm`` or ``aftershock``.
    origin_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970.
    latitude, longitude, depth_km : ndarray of float64, shape (n,)
    mw : ndarray of float64, shape (n,)
    strike_deg, dip_deg, rake_deg : ndarray of float64, shape (n,)
    stress_drop_mpa : ndarray of float64, shape (n,)
    """

    event_id: NDArray[np.str_]
    parent_id: NDArray[np.str_]
    kind: NDArray[np.str_]
    origin_ns: NDArray[np.int64]
    latitude: FloatArray
    longitude: FloatArray
    depth_km: FloatArray
    mw: FloatArray
    strike_deg: FloatArray
    dip_deg: FloatArray
    rake_deg: FloatArray
    stress_drop_mpa: FloatArray

    def __len__(self) -> int:
        return len(self.origin_ns)

    def take(self, which: ArrayLike) -> Catalog:
        """Return some events, by a mask or by indices."""
        return Catalog(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def between(self, start_ns: int, stop_ns: int) -> Catalog:
        """Return the events from a time up to, not including, another."""
        return self.take((self.origin_ns >= start_ns) & (self.origin_ns < stop_ns))

    @classmethod
    def join(cls, catalogs: Iterable[Catalog]) -> Catalog:
        """Return the events of several, sorted by time."""
        parts = tuple(catalogs)
        columns = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)
        }
        return cls(**columns).take(np.lexsort((columns["event_id"], columns["origin_ns"])))


def gather(
    seed: int,
    descent: str,
    kind: Kind,
    origin_ns: NDArray[np.int64],
    places: FloatArray,
    mw: FloatArray,
    mechanisms: FloatArray,
    random: np.random.Generator,
    depth_km: tuple[float, float],
    *,
    parent_id: str = "",
) -> Catalog:
    """
    Put columns together; what is still to be drawn is the stress drop.

    Parameters
    ----------
    seed : int
    descent : str
        What the events come from; with the seed it names them.
    kind : str
    origin_ns : array of int64, shape (n,)
    places : array, shape (3, n)
        Latitude, longitude, depth in km.
    mw : array, shape (n,)
    mechanisms : array, shape (3, n)
        Strike, dip and rake in degrees.
    random : Generator
    depth_km : (float, float)
        Range, at whose ends depths are reflected.
    parent_id : str
    """
    count = len(origin_ns)
    columns: dict[str, Any] = {
        "event_id": _names(seed, descent, origin_ns),
        "parent_id": np.full(count, parent_id, dtype=_ID),
        "kind": np.full(count, kind, dtype=_KIND),
        "origin_ns": origin_ns.astype(np.int64),
        "latitude": places[0],
        "longitude": (places[1] + 180) % 360 - 180,
        "depth_km": reflect(places[2], *depth_km),
        "mw": mw,
        "strike_deg": mechanisms[0],
        "dip_deg": mechanisms[1],
        "rake_deg": mechanisms[2],
        # Crustal earthquakes: medians of 1 to 10 MPa, and a factor of 2 to 3 between them (Allmann &
        # Shearer 2009).
        "stress_drop_mpa": 3.0 * np.exp(0.8 * random.standard_normal(count)),
    }
    return Catalog(**columns)


def nothing() -> Catalog:
    """Return a catalog without events."""
    none = np.empty(0)
    return gather(
        0,
        "",
        "background",
        np.empty(0, np.int64),
        np.empty((3, 0)),
        none,
        np.empty((3, 0)),
        generator(0),
        (0, 1),
    )


def _names(seed: int, descent: str, origin_ns: NDArray[np.int64]) -> NDArray[np.str_]:
    """Name events by day and descent: 48 bits a day stay unique for some million events."""
    days = np.datetime_as_string(origin_ns.astype("datetime64[ns]"), unit="D")
    texts = (f"{seed}\x1f{descent}\x1f{number}" for number in range(len(origin_ns)))
    return np.array(
        [
            f"{day.replace('-', '')}-{blake2b(text.encode(), digest_size=6).hexdigest()}"
            for day, text in zip(days.tolist(), texts, strict=True)
        ],
        dtype=_ID,
    )

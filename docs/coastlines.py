"""
Make pipeline/figures/coastlines.npz: land and borders of Natural Earth, quantised, in one small file.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python docs/coastlines.py package

Natural Earth 4.1.0 is in the public domain (https://www.naturalearthdata.com/about/terms-of-use/), and
world-atlas only holds it as TopoJSON. Land is taken from ``land-*.json``, borders are the lines of
``countries-*.json`` that two countries share. Nothing else of the package is kept. The same input gives the
same bytes.

What is in the file, for each scale (``50m``, ``110m``) and kind (``land``, ``borders``): lines as steps in
thousandths of a degree from their first points. Land rings are stitched over the antimeridian and around the
south pole, have land on their left, and end where they begin. ``inland`` are the shores of the Caspian Sea
and of its islands.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUT = Path(__file__).parents[1] / "pipeline" / "figures" / "coastlines.npz"
SOURCE = "Natural Earth 4.1.0, public domain, by way of world-atlas 2.0.2 (land-*.json, countries-*.json)"
QUANTUM_DEG = 0.001
LONGEST_DEG = 1.0
Line = NDArray[np.float64]


def main() -> None:
    """Read a world-atlas, write the file, and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="folder with land-50m.json and its like")
    package = parser.parse_args().package
    arrays: dict[str, NDArray[Any]] = {"source": np.array(SOURCE), "quantum_deg": np.array(QUANTUM_DEG)}
    for scale in ("50m", "110m"):
        rings, holes = land(json.loads((package / f"land-{scale}.json").read_text()))
        arrays |= packed(f"land_{scale}", rings)
        arrays[f"land_{scale}_inland"] = np.array(
            [
                hole or any(surrounds(rings[i], ring) for i in np.flatnonzero(holes))
                for ring, hole in zip(rings, holes, strict=True)
            ]
        )
        arrays |= packed(
            f"borders_{scale}", borders(json.loads((package / f"countries-{scale}.json").read_text()))
        )
    write(arrays)
    print(f"{OUT.name}: {OUT.stat().st_size} bytes")


def arcs(topology: dict[str, Any]) -> list[Line]:
    """Return the arcs of a TopoJSON in degrees."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    return [np.cumsum(np.array(arc, dtype=np.float64), axis=0) * scale + shift for arc in topology["arcs"]]


def land(topology: dict[str, Any]) -> tuple[list[Line], list[bool]]:
    """Return the rings of all land polygons, and which of them are holes."""
    lines, rings, holes = arcs(topology), [], []
    for shape in topology["objects"]["land"]["geometries"]:
        for polygon in shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]:
            for place, indices in enumerate(polygon):
                pieces = [lines[i] if i >= 0 else lines[~i][::-1] for i in indices]
                ring = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
                if np.ptp(ring[:, 1]) == 0 and abs(ring[0, 1]) > 89:
                    continue  # the pole itself, as a hole, which stitching has left
                rings.append(ring if left_is_inside(ring) != (place > 0) else ring[::-1])
                holes.append(place > 0)
    return rings, holes


def borders(topology: dict[str, Any]) -> list[Line]:
    """Return the arcs that two countries share."""
    uses: Counter[int] = Counter()
    for country in topology["objects"]["countries"]["geometries"]:
        uses.update({i if i >= 0 else ~i for i in flat(country.get("arcs", []))})
    lines = arcs(topology)
    return [lines[i] for i in sorted(uses) if uses[i] == 2]


def flat(nested: Any) -> Iterator[int]:
    """Iterate over the whole numbers in nested lists."""
    if isinstance(nested, int):
        yield nested
    else:
        for each in nested:
            yield from flat(each)


def left_is_inside(ring: Line) -> bool:
    """Tell whether the smaller of the two sides of a ring lies to its left."""
    step = (np.diff(ring[:, 0]) + 180) % 360 - 180
    turn = step.sum()
    if abs(turn) > 180:  # around the south pole, the only one with land: on the left when one goes west
        return bool(turn < 0)
    sine = np.sin(np.radians(ring[:, 1]))
    return bool(np.sum(step * (sine[1:] + sine[:-1])) < 0)


def surrounds(ring: Line, other: Line) -> bool:
    """Tell whether a ring that does not cross the antimeridian goes around the first point of another."""
    x, y = other[0]
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    across = (np.minimum(x0, x1) <= x) & (x < np.maximum(x0, x1))
    north = y0 + (y1 - y0) * (x - x0) / np.where(x1 == x0, 1.0, x1 - x0) > y
    return bool(ring is not other and np.sum(across & north) % 2)


def packed(name: str, lines: list[Line]) -> dict[str, NDArray[Any]]:
    """Return lines as first points, lengths and steps in whole quanta."""
    whole = [quantised(line) for line in lines]
    steps = np.concatenate([np.diff(line, axis=0) for line in whole])
    return {
        f"{name}_first": np.array([line[0] for line in whole], dtype=np.int32),
        f"{name}_points": np.array([len(line) for line in whole], dtype=np.int32),
        f"{name}_steps": np.ascontiguousarray(steps.T.astype(np.int16)),
    }


def quantised(line: Line) -> NDArray[np.int64]:
    """Return a line in whole quanta, continuous in longitude, with steps of up to a degree, none of zero."""
    longitude = np.concatenate([line[:1, 0], line[0, 0] + np.cumsum((np.diff(line[:, 0]) + 180) % 360 - 180)])
    points = [np.array([[longitude[0], line[0, 1]]])]
    for start, end in zip(range(len(line) - 1), range(1, len(line)), strict=True):
        low, high = (np.array([longitude[i], line[i, 1]]) for i in (start, end))
        count = max(1, int(np.ceil(np.abs(high - low).max() / LONGEST_DEG)))
        points.append(low + (high - low) * np.arange(1, count + 1)[:, None] / count)
    whole = np.round(np.concatenate(points) / QUANTUM_DEG).astype(np.int64)
    moves = np.concatenate([[True], np.any(np.diff(whole, axis=0) != 0, axis=1)])
    return np.asarray(whole[moves])


def write(arrays: dict[str, NDArray[Any]]) -> None:
    """Write an npz whose bytes depend on nothing but the arrays."""
    with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            sink = io.BytesIO()
            np.save(sink, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), sink.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main()

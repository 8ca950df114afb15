"""Images as PNG with a palette, for fields that are drawn without a script."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["png_source"]


def png_source(index: NDArray[np.uint8], palette: NDArray[np.uint8]) -> str:
    """
    Return an image as the source of an element, with the first colour transparent.

    Parameters
    ----------
    index : uint8 array, shape (height, width)
        Into the palette, the upper row first.
    palette : uint8 array, shape (colours, 3)
        At most 256.

    Examples
    --------
    >>> png_source(np.zeros((1, 1), np.uint8), np.zeros((1, 3), np.uint8))[:30]
    'data:image/png;base64,iVBORw0K'
    """
    height, width = index.shape
    # Each row begins with the number of its filter: none.
    rows = np.concatenate([np.zeros((height, 1), np.uint8), index.astype(np.uint8)], axis=1)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"tRNS", b"\x00"),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    written = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return "data:image/png;base64," + base64.b64encode(written).decode("ascii")

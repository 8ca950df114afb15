"""
Draw SEN as SVG: ``python docs/sen_diagram.py`` writes ``docs/figures/networks/sen.svg``.

Counts in the boxes are those of the network as it is built here.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.picking.networks import build
from pipeline.picking.networks.counting import count_parameters

OUTPUT: Final = Path(__file__).parent / "figures" / "networks" / "sen.svg"
WIDTH, HEIGHT = 860, 590
BOX_WIDTH, BOX_HEIGHT = 300, 46


class Box(NamedTuple):
    """A step: where its upper left corner lies, its fill, what it does, and what comes out."""

    left: int
    top: int
    fill: str
    what: str
    out: str


def boxes() -> Mapping[str, Box]:
    """Return all steps by name."""
    network = build("sen")

    def size(name: str) -> str:
        return f"{count_parameters(network.get_submodule(name)):,} parameters"

    left, right, middle = 60, 500, 280
    record, spectra, attention, plain = "#dbe9f6", "#fde6cf", "#e4def2", "#eeeeee"
    return {
        "input": Box(middle, 12, plain, "Waveforms, normalised", "3 × 2,048 samples"),
        "record": Box(left, 92, record, "Residual and stride-2 separable convolutions", "64 × 512"),
        "stft": Box(right, 92, spectra, "STFT: 64 samples, every 8; log amplitude", "3 × 33 × 256"),
        "bands": Box(
            right, 164, spectra, "9×1 convolution over frequency, frames twice", "32 × 4 bands × 512"
        ),
        "record_ema": Box(left, 164, attention, f"EMA attention, {size('record.attention')}", "64 × 512"),
        "bands_ema": Box(
            right, 236, attention, f"EMA attention, {size('spectra.attention')}", "32 × 4 × 512"
        ),
        "record_in": Box(left, 272, record, "Stride-2 separable convolution: local features", "96 × 256"),
        "bands_in": Box(right, 308, spectra, "Stride-2 separable convolution: local features", "96 × 256"),
        "record_wide": Box(left, 380, record, "Encoder, window's context, decoder", "96 × 256"),
        "bands_wide": Box(right, 380, spectra, "Encoder, window's context, decoder", "96 × 256"),
        "fusion": Box(middle, 456, plain, "Side by side: both wide, both local", "384 × 256 cells"),
        "classes": Box(left, 530, plain, "Convolution, softmax: P, S, noise", "3 × 256"),
        "offset": Box(right, 530, plain, "Convolution, sigmoid: offset in the cell", "1 × 256"),
    }


ARROWS: Final = (
    ("input", "record"),
    ("input", "stft"),
    ("record", "record_ema"),
    ("stft", "bands"),
    ("bands", "bands_ema"),
    ("record_ema", "record_in"),
    ("bands_ema", "bands_in"),
    ("record_in", "record_wide"),
    ("bands_in", "bands_wide"),
    ("record_wide", "fusion"),
    ("bands_wide", "fusion"),
    ("fusion", "classes"),
    ("fusion", "offset"),
)
AROUND: Final = (("record_in", -1), ("bands_in", 1))
"""Local features that go to the fusion past the encoder, on the left (-1) or right of it."""


def draw(box: Box) -> str:
    """Return a box with its two lines."""
    centre = box.left + BOX_WIDTH / 2
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
        f'fill="{box.fill}" stroke="#555"/><text x="{centre}" y="{box.top + 19}">{escape(box.what)}</text>'
        f'<text x="{centre}" y="{box.top + 36}" class="out">{escape(box.out)}</text>'
    )


def connect(before: Box, after: Box) -> str:
    """Return an arrow from the bottom of a box to the top of the next."""
    start, end = before.left + BOX_WIDTH / 2, after.left + BOX_WIDTH / 2
    bottom, top = before.top + BOX_HEIGHT, after.top
    bend = (bottom + top) / 2
    return f'<path d="M{start} {bottom}V{bend}H{end}V{top - 2}" marker-end="url(#tip)"/>'


def pass_by(before: Box, after: Box, side: int) -> str:
    """Return an arrow around what lies between, into the side of the last."""
    edge = before.left + (BOX_WIDTH if side > 0 else 0)
    far = edge + side * 24
    height = before.top + BOX_HEIGHT / 2
    into = after.left + (BOX_WIDTH if side > 0 else 0)
    level = after.top + BOX_HEIGHT / 2
    return f'<path d="M{edge} {height}H{far}V{level}H{into + side * 2}" marker-end="url(#tip)"/>'


def main() -> None:
    """Write the figure."""
    steps = boxes()
    lines = [connect(steps[before], steps[after]) for before, after in ARROWS]
    lines += [pass_by(steps[before], steps["fusion"], side) for before, side in AROUND]
    drawing = "\n".join((*lines, *(draw(box) for box in steps.values())))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="SEN: two branches and their fusion">\n'
        "<style>text{font:12px sans-serif;text-anchor:middle;fill:#111}.out{font-size:11px;fill:#555}"
        "path{fill:none;stroke:#555;stroke-width:1.3}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#555;stroke:none"/></marker></defs>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{drawing}\n</svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()

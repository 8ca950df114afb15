"""The demo's steps about noise: levels and magnitudes against their design, the designed rise, a map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import open_archive
from pipeline.errors import ConfigError
from pipeline.figures import save
from pipeline.objects import open_objects
from workflows.maps import Level, MapOptions, draw_map
from workflows.noise import NoiseConfig, NoiseProduct, find_product, measure, product_of, summarise
from workflows.noise.pictures import Choice, draw
from workflows.noise.rises import Question, find
from workflows.runners import Runner

__all__ = ["compare", "draw_noise", "map_noise", "measure_noise"]

Truth = Callable[[str], Any]
"""From the name of a table of the truth to the table."""

_SNM_BAND = "200-600s"


def measure_noise(archive_url: str, runner: Runner) -> tuple[int, str]:
    """Measure the noise of an archive; return the exit status and a line."""
    archive = open_archive(archive_url)
    config = NoiseConfig()
    product = product_of(archive.url, archive.store.options.block_days, config, None)
    product.save()
    measured = measure(archive, product.blocks, config, runner, wanted=Wanted())
    tables = summarise(product, runner)
    status = max(measured.summary.exit_status, tables.exit_status)
    return status, f"{measured.summary.finished:,} of {measured.summary.todo:,} blocks"


def compare(archive_url: str, truth: Truth) -> str:
    """Hold magnitudes, levels and rises against their design."""
    product = find_product(archive_url)
    said = [_magnitudes(product, truth), _rise(product, truth)]
    return "; ".join(part for part in said if part)


def _magnitudes(product: NoiseProduct, truth: Truth) -> str:
    designed = truth("noise_magnitudes")
    found = product.table("noise_magnitudes").to_pandas()
    whole = found[found.span == "all"].set_index("stream")
    if designed.empty or whole.empty:
        return ""
    # A rise lies on some days; quiet days are of the others.
    quiet = designed.groupby("stream")[["snm", "ssnm"]].min()
    said = []
    for name in ("snm", "ssnm"):
        off = (whole[name] - quiet[name]).dropna()
        if len(off):
            said.append(
                f"{name.upper()} of {len(off)} gravimeters within {off.abs().max():.3f} of its design"
            )
    return ", ".join(said)


def _rise(product: NoiseProduct, truth: Truth) -> str:
    """Look for the designed rise before its end, as one would for one before an earthquake."""
    rises = truth("rises")
    if rises.empty:
        return ""
    rise = rises.iloc[0]
    days = (rise.until - rise.time).days
    question = Question(
        date=rise.until.date(),
        band=_SNM_BAND,
        weeks_days=7 * max(days // 14, 1),
        before_days=7 * max(days // 14, 1),
    )
    try:
        found = find(product, question)
    except ConfigError as error:
        return f"no rise can be told: {error}"
    rows = found.table.to_pandas()
    there = rows[rows.found].stream.tolist()
    others = [stream for stream in there if stream != rise.stream]
    is_found = "found" if rise.stream in there else "not found"
    return (
        f"the designed rise of {rise.stream} {is_found}, and {len(others)} others"
        f" (by chance {found.chance.expected:.1f})"
    )


def draw_noise(archive_url: str, folder: Path, truth: Truth) -> dict[Path, str]:
    """Draw what there is of a seismometer and of the gravimeters; return the figures and what they are."""
    product = find_product(archive_url)
    made: dict[Path, str] = {}
    streams = [str(each.stream) for each in product.streams()]
    measured = set(product.table("noise_levels")["stream"].to_pylist())
    seismic = [stream for stream in streams if len(stream.rpartition(".")[2]) == 2 and stream in measured]
    if seismic:
        made[folder / "ppsd.png"] = f"power spectra of {seismic[0]}"
        save(draw(product, "ppsd", Choice(streams=(seismic[0],))), folder / "ppsd.png")
    if product.table("noise_magnitudes").num_rows:
        rises = truth("rises")
        marks = tuple((time.date(), "rise ends") for time in rises.until) if not rises.empty else ()
        made[folder / "snm.png"] = "noise magnitudes of the gravimeters, with their quietest days"
        choice = Choice(span="day", marks=marks)
        save(draw(product, "magnitudes", choice), folder / "snm.png")
    return made


def map_noise(archive_url: str, folder: Path) -> tuple[dict[Path, str], str]:
    """Map SNM, or a band of seismometers where there are no gravimeters."""
    product = find_product(archive_url)
    found = product.table("noise_magnitudes")
    level = Level(name="snm" if found.num_rows else "5-10s")
    try:
        made = draw_map(product, level, MapOptions(), open_objects(folder / "map"))
    except ConfigError as error:
        return {}, f"no map: {error}"
    page = {folder / "map" / "map.html": "the map, to look around in: spectra and history of each station"}
    values = made.observations.value
    return page, f"{len(values)} stations, {level.title} from {np.min(values):.2f} to {np.max(values):.2f}"

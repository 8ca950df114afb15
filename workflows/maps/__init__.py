"""``stationday map``: levels of stations (``levels``) to maps, files and a page (``command``, ``page``)."""

from workflows.maps.command import MapOptions, NoiseMap, draw_map, register
from workflows.maps.levels import Level, Span

__all__ = ["Level", "MapOptions", "NoiseMap", "Span", "draw_map", "register"]

"""
``stationday noise``, ``plot-noise`` and ``rises``: the noise of every station-day, from an archive to tables.

``command`` is what a user types; ``job`` measures blocks (``ground`` and ``gravity`` one each), ``summary``
makes the tables of a stream (``health``, ``quiet``, ``changes``), ``product`` says where all of it lies.
"""

from __future__ import annotations

import argparse

from workflows.noise import command, plots, rises
from workflows.noise.config import NoiseConfig, read_config
from workflows.noise.job import measure, preview
from workflows.noise.product import NoiseProduct, find_product, product_of
from workflows.noise.summary import summarise

__all__ = [
    "NoiseConfig",
    "NoiseProduct",
    "find_product",
    "measure",
    "preview",
    "product_of",
    "read_config",
    "register",
    "summarise",
]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add all commands about noise to the command line."""
    for module in (command, plots, rises):
        module.register(subparsers)

"""
``stationday ingest``: source files to an archive.

``command`` is what a user types, ``job`` what is done, ``scans`` what is known of the files.
"""

from workflows.ingest.command import register
from workflows.ingest.job import IngestReport, ingest, preview
from workflows.ingest.scans import Sources

__all__ = ["IngestReport", "Sources", "ingest", "preview", "register"]

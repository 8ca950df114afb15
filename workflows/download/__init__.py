"""
``stationday download``: waveforms and metadata of FDSN web services as files that ``ingest`` takes.

``command`` is what a user types and what leads through a download; ``offers`` is what a service says there
is, ``metadata`` its stations, ``fetching`` the days.
"""

from workflows.download.command import DownloadReport, Manners, download, preview, register

__all__ = ["DownloadReport", "Manners", "download", "preview", "register"]

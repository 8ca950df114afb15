"""
Every error that stationday raises on purpose.

::

    StationdayError
    ├── ConfigError(ValueError)          a config or an argument is wrong: exit status 2
    ├── KeyFormatError(ValueError)       a stream, day or block does not parse
    ├── ArchiveError
    │   ├── NotAnArchiveError(FileNotFoundError)   there is no archive at that URL
    │   ├── NoSuchStreamError(KeyError)  the archive lacks that stream, rate or span
    │   └── FormatError(ValueError)      an archive, a shard or a table can't be read
    ├── SourceError(OSError)             a source file can't be read at all
    ├── ResponseError(ValueError)        no response, or one that can't be used
    ├── LeaseHeldError(RuntimeError)     somebody else writes this product
    └── LeaseLostError(RuntimeError)     somebody else took the lease over while we wrote

What a cluster can't do has a tree of its own in `cluster.errors`, since neither imports the other.

A day that is bad in an expected way is no exception but a recorded result with its reason: see
`workflows.ledger`. All of these pickle, since they travel between Dask workers.
"""

__all__ = [
    "ArchiveError",
    "ConfigError",
    "FormatError",
    "KeyFormatError",
    "LeaseHeldError",
    "LeaseLostError",
    "NoSuchStreamError",
    "NotAnArchiveError",
    "ResponseError",
    "SourceError",
    "StationdayError",
]


class StationdayError(Exception):
    """Base of all errors that stationday raises on purpose."""

    def __str__(self) -> str:
        # KeyError would print the repr of its message, OSError its errno: one message is enough.
        return str(self.args[0]) if self.args else type(self).__name__


class ConfigError(StationdayError, ValueError):
    """A config file, an option or an argument is wrong."""


class KeyFormatError(StationdayError, ValueError):
    """A stream, station-day or block does not parse."""


class ArchiveError(StationdayError):
    """Something is wrong with an archive."""


class NotAnArchiveError(ArchiveError, FileNotFoundError):
    """There is no stationday archive at that URL."""


class NoSuchStreamError(ArchiveError, KeyError):
    """The archive does not hold that stream, rate or span."""


class FormatError(ArchiveError, ValueError):
    """An archive, a shard or a table can't be read as what it should be."""


class SourceError(StationdayError, OSError):
    """A source file can't be read at all."""


class ResponseError(StationdayError, ValueError):
    """There is no response for that channel and time, or it can't be used."""


class LeaseHeldError(StationdayError, RuntimeError):
    """Somebody else holds the lease on this product."""


class LeaseLostError(StationdayError, RuntimeError):
    """Somebody else took the lease over while we held it."""

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
    ├── ServiceError(OSError)            a web service did not give what it was asked for
    │   ├── DamagedError                 what came is not what was asked for
    │   │   └── CutOffError              it ended too early
    │   ├── DeniedError                  it wants other credentials (401, 403)
    │   ├── RefusedError                 it calls the request wrong (400 and its like)
    │   ├── TooLargeError                it wants smaller requests (413)
    │   └── UnansweredError              no answer, however often it was asked
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
    "CutOffError",
    "DamagedError",
    "DeniedError",
    "FormatError",
    "KeyFormatError",
    "LeaseHeldError",
    "LeaseLostError",
    "NoSuchStreamError",
    "NotAnArchiveError",
    "RefusedError",
    "ResponseError",
    "ServiceError",
    "SourceError",
    "StationdayError",
    "TooLargeError",
    "UnansweredError",
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


class ServiceError(StationdayError, OSError):
    """A web service did not give what it was asked for."""


class DamagedError(ServiceError):
    """What a web service sent is not what it was asked for."""


class CutOffError(DamagedError):
    """What a web service sent ended too early, or came too slowly to wait for."""


class DeniedError(ServiceError):
    """A web service wants credentials, or others than it got."""


class RefusedError(ServiceError):
    """A web service calls the request wrong; asking again would not help."""


class TooLargeError(ServiceError):
    """A web service wants smaller requests, or sends more than fits."""


class UnansweredError(ServiceError):
    """A web service did not answer, however often it was asked."""


class ResponseError(StationdayError, ValueError):
    """There is no response for that channel and time, or it can't be used."""


class LeaseHeldError(StationdayError, RuntimeError):
    """Somebody else holds the lease on this product."""


class LeaseLostError(StationdayError, RuntimeError):
    """Somebody else took the lease over while we held it."""

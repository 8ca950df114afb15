"""
Metadata of stations from a data centre: a request for each, joined into one StationXML document.

A station is asked for all its epochs, so that what one run asked of some days does not undo what another
asked of others; but for the channels of the selection alone, since responses of all channels are large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.archive.documents import merge_stationxml
from pipeline.errors import DamagedError, FormatError
from pipeline.fdsn.client import Client
from pipeline.fdsn.selection import Selection
from pipeline.objects import ObjectStore
from workflows.download.offers import Offer
from workflows.execute import run_stage
from workflows.ledger import BlockResult, Status
from workflows.plan import Task, fingerprint
from workflows.product import Product
from workflows.progress import Progress, Summary
from workflows.runners import Runner

__all__ = ["STATIONS", "fetch_metadata"]

STATIONS = "stations.xml"
VERSION = 1
_CODES_DIGITS = 8


def fetch_metadata(
    client: Client,
    offer: Offer,
    selection: Selection,
    out: ObjectStore,
    runner: Runner,
    *,
    on_result: Callable[[BlockResult], object],
    progress: Progress,
) -> Summary:
    """
    Ask for the metadata of stations that are new, or of which something else is listed than before.

    Parameters
    ----------
    client : Client
    offer : Offer
    selection : Selection
    out : ObjectStore
        Where ``stations.xml`` is to be.
    runner : Runner
    on_result, progress
        See `workflows.execute.execute`.

    Returns
    -------
    Summary
    """
    product = Product(out.child("download/stations"), ".xml")
    summary = run_stage(
        "stations",
        _FetchStation(client, product),
        _tasks(offer, selection, client.service.slug),
        product,
        runner,
        on_result=on_result,
        retries=0,
        retry_failed=True,
        progress=progress,
    )
    _join(out, product, summary)
    return summary


@dataclass(frozen=True, slots=True)
class _FetchStation:
    """Asks for the metadata of one station, with responses."""

    client: Client
    product: Product

    def __call__(self, task: Task) -> BlockResult:
        url = self.client.service.url("station")
        answer = self.client.ask(url, parameters=task.payload, read=_checked)
        if answer is None:
            return task.result(status=Status.FAILED, reason="listed, but without metadata")
        return task.result(nbytes=self.product.write(task, answer))


def _checked(document: bytes) -> bytes:
    try:
        merge_stationxml([document])
    except FormatError as error:
        raise DamagedError(str(error)) from error
    return document


def _tasks(offer: Offer, selection: Selection, slug: str) -> Iterator[Task]:
    codes = {"location": selection.locations, "channel": selection.channels}
    asked = {name: value for name, value in codes.items() if value != "*"}
    folder = f"{slug}/{fingerprint(codes)[:_CODES_DIGITS]}"
    for name, lines in sorted(offer.stations.items()):
        network, station = name.split(".")
        parameters = {"network": network, "station": station, **asked, "level": "response", "format": "xml"}
        yield Task.of(
            f"{folder}/{name}", parameters, stage=("stations", VERSION), parameters=parameters, listed=lines
        )


def _join(out: ObjectStore, product: Product, summary: Summary) -> None:
    """Join the metadata of all stations, unless they are what they were."""
    is_there = out.exists(STATIONS)
    if not summary.finished and is_there:
        return
    documents = [product.store.read(name) for _, name in sorted(product.files())]
    if summary.failed and is_there:
        documents.append(out.read(STATIONS))  # what could not be asked for now keeps what it had
    if documents:
        out.write(STATIONS, merge_stationxml(documents))

"""``stationday models``: weights of networks in a store, from other people's files and from SeisBench."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError, DamagedError
from workflows.options import add_json, example

if TYPE_CHECKING:
    from pipeline.picking.weights import Card, Store

__all__ = ["register"]

_FOLDER_HELP = "folder of the weights (default: $STATIONDAY_MODELS, or this platform's folder of data)"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models list``, ``show``, ``import`` and ``get`` to the command line."""
    command = subparsers.add_parser(
        "models",
        help="list, show, import and fetch weights of networks",
        description="List, show, import and fetch weights of networks that pick phases.",
        **example(
            "stationday models list", "stationday models import model_95.ckpt.index --name phasenet-original"
        ),
    )
    actions = command.add_subparsers(metavar="ACTION", required=True)
    _add_list(actions)
    _add_show(actions)
    _add_import(actions)
    _add_get(actions)


_Actions = argparse._SubParsersAction  # noqa: SLF001 (argparse names it nowhere else)


def _add_list(actions: _Actions[argparse.ArgumentParser]) -> None:
    listing = actions.add_parser(
        "list",
        help="list what there is",
        description="List the weights of the store, and those that come with stationday.",
        **example("stationday models list", "stationday models list --models /shared/models --json"),
    )
    _finish(listing, _list)


def _add_show(actions: _Actions[argparse.ArgumentParser]) -> None:
    show = actions.add_parser(
        "show",
        help="print a card, and check its weights",
        description="Print the card of weights, after they were compared with its digest.",
        **example("stationday models show phasenet-stead", "stationday models show phasenet-stead@2 --json"),
    )
    show.add_argument("name", metavar="NAME[@VERSION]", help="the highest version unless one is named")
    _finish(show, _show)


def _add_import(actions: _Actions[argparse.ArgumentParser]) -> None:
    importing = actions.add_parser(
        "import",
        help="take weights from a file",
        description=(
            "Take weights from a file: of TensorFlow (.index), Keras (.h5, .keras), PyTorch or SeisBench "
            "(.pt with its .json), or of another store (.safetensors with its card). Nothing is executed."
        ),
        **example(
            "stationday models import phasenet/model_95.ckpt.index --name phasenet-original",
            "stationday models import stead.pt.v2 --name phasenet-stead",
            "stationday models import mine.h5 --name mine --set components=ZNE --set rate_hz=50",
        ),
    )
    importing.add_argument("source", metavar="FILE", type=Path, help="a file, or a folder with one")
    importing.add_argument("--name", default="", help="what to call them (default: the network and the file)")
    importing.add_argument("--version", help="(default: what the file says, or 1)")
    importing.add_argument("--licence", help="what they may be used for, as MIT")
    importing.add_argument("--training-data", metavar="TEXT", help="what they were trained on")
    importing.add_argument("--overlap", type=int, metavar="SAMPLES", help="that windows share")
    importing.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the network that the file does not say, as components=ZNE",
    )
    _add_overwrite(importing)
    _finish(importing, _import)


def _add_get(actions: _Actions[argparse.ArgumentParser]) -> None:
    get = actions.add_parser(
        "get",
        help="fetch SeisBench's published weights",
        description=(
            "Fetch published weights from SeisBench's repository, over https. What comes is compared with "
            "the checksum that the server states, and with --digest."
        ),
        **example("stationday models get phasenet-stead", "stationday models get eqtransformer-ethz@3"),
    )
    get.add_argument(
        "name",
        metavar="NAME[@VERSION]",
        help="network and name, as phasenet-stead; the latest unless one is named",
    )
    get.add_argument("--digest", help="of a card, which the weights must have")
    get.add_argument("--repository", metavar="URL", help="another address than SeisBench's own")
    get.add_argument("--licence", help="what they may be used for")
    _add_overwrite(get)
    _finish(get, _get)


def _add_overwrite(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--overwrite", action="store_true", help="replace other weights of that name and version"
    )


def _finish(command: argparse.ArgumentParser, run: Any) -> None:
    command.add_argument("--models", type=Path, metavar="FOLDER", help=_FOLDER_HELP)
    add_json(command)
    command.set_defaults(run=run)


def _store(args: argparse.Namespace) -> Store:
    from pipeline.picking.weights import Store, default_folder

    return Store((args.models or default_folder()).expanduser())


def _list(args: argparse.Namespace) -> int:
    store = _store(args)
    cards = list(store.cards())
    if args.json:
        print(json.dumps({"folder": str(store.folder), "models": [_plain(card) for card in cards]}, indent=1))
    elif cards:
        _print_table(cards)
    else:
        print(f"{store.folder}: no weights; `stationday models import` and `get` add some")
    return 0


def _print_table(cards: list[Card]) -> None:
    rows = [("name", "network", "rate", "window", "components", "phases", "licence")]
    for card in cards:
        settings = card.settings
        window_s = settings["window"] / settings["rate_hz"]
        rows.append(
            (
                card.key,
                card.architecture,
                f"{settings['rate_hz']:g} Hz",
                f"{window_s:.2f} s",
                settings["components"],
                " ".join(settings["phases"]),
                card.licence or "not known",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _show(args: argparse.Namespace) -> int:
    store = _store(args)
    card = store.find(args.name)
    tensors = store.read(card)
    count = sum(values.size for values in tensors.values())
    if args.json:
        print(json.dumps({**_plain(card), "values": count}, indent=1))
    else:
        _print_card(card)
        print(f"{'values':14}{count:,} in {len(tensors)} tensors, with the digest of the card")
    return 0


def _print_card(card: Card) -> None:
    for name, value in _plain(card).items():
        if name == "settings":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{key} {number:g}" for key, number in value.items())
        print(f"{name.replace('_', ' '):14}{value if value != '' else 'not known'}".rstrip())
    for name, value in card.settings.items():
        print(f"{'  ' + name:22}{' '.join(value) if isinstance(value, list) else value}")


def _plain(card: Card) -> dict[str, Any]:
    from pipeline.picking.weights.cards import card_to_json

    plain: dict[str, Any] = json.loads(card_to_json(card))
    return plain


def _import(args: argparse.Namespace) -> int:
    from pipeline.picking.weights import import_weights

    changes = {
        "version": args.version,
        "licence": args.licence,
        "training_data": args.training_data,
        "overlap": args.overlap,
    }
    stated: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    card, tensors = import_weights(
        args.source, name=args.name, changes={**stated, "settings": dict(map(_setting, args.set))}
    )
    _report(args, _store(args).save(card, tensors, replace=args.overwrite))
    return 0


def _setting(text: str) -> tuple[str, Any]:
    """
    Read ``--set``: a value is JSON where it can be, or else text.

    >>> _setting("rate_hz=50"), _setting("components=ZNE"), _setting('phases=["P"]')
    (('rate_hz', 50), ('components', 'ZNE'), ('phases', ['P']))
    """
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ConfigError(f"--set should be KEY=VALUE, as components=ZNE, got {text!r}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _get(args: argparse.Namespace) -> int:
    from pipeline.picking.weights import digest_of, import_weights
    from pipeline.picking.weights.seisbench_repository import REPOSITORY, fetch_weights

    repository = args.repository or REPOSITORY
    with tempfile.TemporaryDirectory() as folder:
        path, checksum = fetch_weights(args.name, Path(folder), repository=repository)
        card, tensors = import_weights(path, name=args.name.partition("@")[0])
    found = digest_of(tensors)
    if args.digest and found != args.digest:
        raise DamagedError(f"{args.name}: the digest of what came is {found}, it should be {args.digest}")
    card = replace(card, source=f"{repository}/{path.name}", licence=args.licence or card.licence)
    if not (checksum or args.digest) and not args.json:
        print("the server states no checksum; the digest below is that of what came", file=sys.stderr)
    _report(args, _store(args).save(card, tensors, replace=args.overwrite), checksum=checksum)
    return 0


def _report(args: argparse.Namespace, card: Card, **more: str) -> None:
    if args.json:
        print(json.dumps({**_plain(card), **more}, indent=1))
    else:
        print(f"{card.key}: {card.architecture} from {card.source}, digest {card.digest}")

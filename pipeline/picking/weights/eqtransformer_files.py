"""EQTransformer's tensors as Keras and SeisBench have them, and by our names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.picking.weights.foreign import Foreign, seisbench_card, seisbench_settings
from pipeline.picking.weights.keras_files import KerasGraph, KerasLayer

__all__ = ["from_keras", "from_seisbench"]

_CITATION: Final = "Mousavi et al. (2020), doi:10.1038/s41467-020-17591-w"
_Array = NDArray[np.float32]
_Named = Iterator[tuple[str, _Array]]


def from_keras(graph: KerasGraph) -> Foreign:
    """
    Take the tensors of a Keras graph.

    Layers are found by what leads to each output, not by their names, which count up from one model to the
    next in one session of Keras.

    Raises
    ------
    ConfigError
        If the graph is not that of EQTransformer.
    """
    if len(graph.outputs) != 3:
        raise ConfigError(
            f"EQTransformer has outputs for detection, P and S, this graph {len(graph.outputs)}"
        )
    paths = [graph.leading_to(output) for output in graph.outputs]
    shared = [layer for layer in paths[0] if layer in paths[1]]
    branches = [[layer for layer in path if layer not in shared] for path in paths]
    try:
        found = dict(_encoder(shared))
        found.update(_decoder("detection", branches[0]))
        for number, branch in enumerate(branches[1:]):
            recurrence, attention = branch[0], branch[1]
            found.update(_recurrence(f"pickers.{number}.recurrence", recurrence))
            found.update(_attention(f"pickers.{number}.attention", attention))
            found.update(_decoder(f"pickers.{number}.decoder", branch[2:]))
    except (IndexError, KeyError, ValueError) as error:
        raise ConfigError(f"this graph is not that of EQTransformer: {error}") from error
    return Foreign(
        "eqtransformer",
        found,
        settings={
            "components": "ENZ",
            "window": graph.input_shape[1] or 6000,
            "recurrent_blocks": sum(layer.kind == "Bidirectional" for layer in shared),
        },
        card={
            "overlap": 1800,
            "thresholds": {"P": 0.3, "S": 0.3, "detection": 0.5},
            "citation": _CITATION,
        },
    )


def _of(layers: Sequence[KerasLayer], kind: str) -> list[KerasLayer]:
    return [layer for layer in layers if layer.kind == kind]


def _encoder(layers: Sequence[KerasLayer]) -> _Named:
    """Give what the three branches share, which comes in the order of the graph."""
    convolutions, norms = _of(layers, "Conv1D"), _of(layers, "BatchNormalization")
    recurrents = _of(layers, "Bidirectional")
    narrow = len(convolutions) - len(recurrents)  # the last ones are those after recurrent layers
    for number, layer in enumerate(convolutions[:7]):
        yield from _convolution(f"encoder.{number}", layer)
    for number, (norm, layer) in enumerate(zip(norms, convolutions[7:narrow], strict=False)):
        block, which = divmod(number, 2)
        yield from _convolution(f"residuals.{block}.convolutions.{which}", layer)
        yield from _norm(f"residuals.{block}.norms.{which}", norm)
    after = zip(recurrents, convolutions[narrow:], norms[narrow - 7 :], strict=True)
    for number, (recurrent, layer, norm) in enumerate(after):
        yield from _recurrence(f"recurrents.{number}.recurrence", recurrent)
        yield from _convolution(f"recurrents.{number}.convolution", layer)
        yield from _norm(f"recurrents.{number}.norm", norm)
    layer_norms = _of(layers, "LayerNormalization")
    fed = _of(layers, "FeedForward")
    for number, (attention, feed) in enumerate(zip(_of(layers, "SeqSelfAttention"), fed, strict=True)):
        block_name = f"transformers.{number}"
        yield from _attention(f"{block_name}.attention", attention)
        for which, name in enumerate(("widen", "narrow"), start=1):
            yield f"{block_name}.{name}.weight", feed.tensors[f"W{which}"].T
            yield f"{block_name}.{name}.bias", feed.tensors[f"b{which}"]
        for which in range(2):
            norm = layer_norms[2 * number + which]
            yield f"{block_name}.norms.{which}.weight", norm.tensors["gamma"]
            yield f"{block_name}.norms.{which}.bias", norm.tensors["beta"]


def _decoder(name: str, layers: Sequence[KerasLayer]) -> _Named:
    for number, layer in enumerate(layers[:-1]):
        yield from _convolution(f"{name}.convolutions.{number}", layer)
    yield from _convolution(f"{name}.head", layers[-1])


def _convolution(name: str, layer: KerasLayer) -> _Named:
    yield f"{name}.weight", layer.tensors["kernel"].transpose(2, 1, 0)
    yield f"{name}.bias", layer.tensors["bias"]


def _norm(name: str, layer: KerasLayer) -> _Named:
    yield f"{name}.weight", layer.tensors["gamma"]
    yield f"{name}.bias", layer.tensors["beta"]
    yield f"{name}.running_mean", layer.tensors["moving_mean"]
    yield f"{name}.running_var", layer.tensors["moving_variance"]


def _recurrence(name: str, layer: KerasLayer) -> _Named:
    sides = ("forward/", "backward/") if layer.kind == "Bidirectional" else ("",)
    for ours, role in (("input_weight", "kernel"), ("state_weight", "recurrent_kernel"), ("bias", "bias")):
        yield f"{name}.{ours}", np.stack([layer.tensors[f"{side}{role}"] for side in sides])


def _attention(name: str, layer: KerasLayer) -> _Named:
    yield from _attention_of(name, layer.tensors)


def _attention_of(name: str, tensors: Mapping[str, _Array]) -> _Named:
    yield f"{name}.query.weight", tensors["Wt"].T
    yield f"{name}.query.bias", tensors["bh"]
    yield f"{name}.key.weight", tensors["Wx"].T
    yield f"{name}.score.weight", tensors["Wa"].T
    yield f"{name}.score.bias", tensors["ba"]


def from_seisbench(tensors: Mapping[str, _Array], description: Mapping[str, Any]) -> Foreign:
    """
    Take the tensors of SeisBench's EQTransformer.

    Parameters
    ----------
    tensors : mapping of str to ndarray
    description : mapping
        The JSON beside them. Its ``original_compatible`` says which of three arithmetics they want.
    """
    arguments = description.get("model_args", {})
    phases = tuple("".join(arguments.get("phases") or "PS"))
    original = arguments.get("original_compatible", False)
    found: dict[str, _Array] = {}
    for name, values in tensors.items():
        if "lstm" not in name.split(".")[0] or ".conv." in name or ".norm." in name:
            found.update(_plain(name, values))
    blocks = {".".join(name.split(".")[:3]) for name in tensors if name.startswith("bi_lstm_stack.")}
    for block in sorted(name for name in blocks):
        found.update(_lstm(f"recurrents.{block.split('.')[2]}.recurrence", tensors, f"{block}.lstm."))
    for number in range(len(phases)):
        found.update(_lstm(f"pickers.{number}.recurrence", tensors, f"pick_lstms.{number}."))
    for ours, theirs in _attentions(len(phases)):
        parts = {role: tensors[f"{theirs}.{role}"] for role in ("Wt", "Wx", "bh", "Wa", "ba")}
        found.update(_attention_of(ours, parts))
    return Foreign(
        "eqtransformer",
        found,
        settings={
            **seisbench_settings(arguments, common_scale=True),
            "window": int(arguments.get("in_samples", 6000)),
            "taper": 6,
            "phases": list(phases),
            "recurrent_blocks": int(arguments.get("lstm_blocks", 3)),
            "dropout": float(arguments.get("drop_rate", 0.1)),
            "gates": "hard_sigmoid" if original == "conservative" else "sigmoid",
            "attention_epsilon": 1e-7 if original else 1e-5,
            "crop": "both" if original else "last",
        },
        card=seisbench_card(
            description,
            phases,
            overlap=3000,
            thresholds={**dict.fromkeys(phases, 0.1), "detection": 0.3},
            citation=_CITATION,
        ),
    )


def _attentions(phases: int) -> Iterator[tuple[str, str]]:
    for number, name in enumerate(("transformer_d0", "transformer_d")):
        yield f"transformers.{number}.attention", f"{name}.attention"
    for number in range(phases):
        yield f"pickers.{number}.attention", f"pick_attentions.{number}"


def _plain(name: str, values: _Array) -> _Named:
    """Give our name of a tensor that needs no more than that, or a flattening."""
    parts = name.split(".")
    transformers = {"transformer_d0": "transformers.0", "transformer_d": "transformers.1"}
    if parts[0] == "encoder":
        yield f"encoder.{parts[2]}.{parts[3]}", values
    elif parts[0] == "res_cnn_stack":
        kind, which = parts[3][:-1], int(parts[3][-1]) - 1
        ours = {"norm": "norms", "conv": "convolutions"}[kind]
        yield f"residuals.{parts[2]}.{ours}.{which}.{parts[4]}", values
    elif parts[0] == "bi_lstm_stack":
        ours = {"conv": "convolution", "norm": "norm"}[parts[3]]
        yield f"recurrents.{parts[2]}.{ours}.{parts[4]}", values
    elif parts[0] in transformers and parts[1] != "attention":
        if parts[1] == "ff":
            part, role = {"lin1": "widen", "lin2": "narrow"}[parts[2]], parts[3]
        else:
            part, role = f"norms.{int(parts[1][-1]) - 1}", {"gamma": "weight", "beta": "bias"}[parts[2]]
        yield f"{transformers[parts[0]]}.{part}.{role}", values.reshape(-1) if "norms" in part else values
    elif parts[0] == "decoder_d":
        yield f"detection.convolutions.{parts[2]}.{parts[3]}", values
    elif parts[0] == "conv_d":
        yield f"detection.head.{parts[1]}", values
    elif parts[0] == "pick_decoders":
        yield f"pickers.{parts[1]}.decoder.convolutions.{parts[3]}.{parts[4]}", values
    elif parts[0] == "pick_convs":
        yield f"pickers.{parts[1]}.decoder.head.{parts[2]}", values


def _lstm(name: str, tensors: Mapping[str, _Array], prefix: str) -> _Named:
    """Give a recurrent layer, of torch's own or of SeisBench's, with both of its biases in one."""
    own = f"{prefix}weight_ih_l0" in tensors
    sides = ("l0", "l0_reverse") if own else ("cell_f.", "cell_b.")

    def part(what: str, side: str) -> str:
        return f"{prefix}{what}_{side}" if own else f"{prefix}{side}{what}"

    there = [side for side in sides if part("weight_ih", side) in tensors]
    yield f"{name}.input_weight", np.stack([tensors[part("weight_ih", side)].T for side in there])
    yield f"{name}.state_weight", np.stack([tensors[part("weight_hh", side)].T for side in there])
    biases = [tensors[part("bias_ih", side)] + tensors[part("bias_hh", side)] for side in there]
    yield f"{name}.bias", np.stack(biases)

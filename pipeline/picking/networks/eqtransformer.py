"""
EQTransformer (Mousavi et al., 2020, doi:10.1038/s41467-020-17591-w): detection, P and S over a minute.

An encoder halves the samples seven times; residual convolutions, recurrent layers that run both ways and two
blocks of global attention follow. Three decoders double the samples again: the detection's at once, those of
the phases after a recurrent layer and local attention, which looks one step to either side.

Features are (batch, channels, steps) among convolutions and (batch, steps, channels) among attention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError
from pipeline.picking.networks.interface import CurveOutput, Dropout, Network, Settings, apply_in_float32

__all__ = ["AttentionWeights", "EQTransformer", "EQTransformerSettings"]

Gates = Literal["hard_sigmoid", "sigmoid"]
Crop = Literal["both", "last"]

_KERNELS: Final = (11, 9, 7, 7, 5, 5, 3)
_FILTERS: Final = (8, 16, 16, 32, 32, 64, 64)
_RESIDUAL_KERNELS: Final = (3, 3, 3, 3, 2, 3, 2)
_HIDDEN: Final = 16
_HEAD_KERNEL: Final = 11
_NORM_EPSILON: Final = 1e-3
_LAYER_EPSILON: Final = 1e-14


def _hard_sigmoid(values: Tensor) -> Tensor:
    # Of Keras 2, in which it was trained; that of Keras 3 and of torch has the slope 1/6.
    return torch.clamp(0.2 * values + 0.5, 0, 1)


_GATES: Final[Mapping[Gates, Callable[[Tensor], Tensor]]] = {
    "hard_sigmoid": _hard_sigmoid,
    "sigmoid": torch.sigmoid,
}


@dataclass(frozen=True, kw_only=True)
class EQTransformerSettings(Settings):
    """
    Settings of EQTransformer; the defaults are the published network's.

    Attributes
    ----------
    recurrent_blocks : int
        Recurrent layers of the encoder, each with a 1×1 convolution after it.
    dropout : float
        Part of the values that is dropped.
    gates : str
        What opens the gates of recurrent layers: ``hard_sigmoid``, or ``sigmoid``, which weights want that
        were trained in torch.
    attention_epsilon : float
        Added to the sum that attention is divided by.
    crop : str
        Where a decoder takes off what the encoder rounded up: ``both`` ends, or the ``last`` samples.
    """

    window: int = 6000
    recurrent_blocks: int = 3
    dropout: float = 0.1
    gates: Gates = "hard_sigmoid"
    attention_epsilon: float = 1e-7
    crop: Crop = "both"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.recurrent_blocks < 1:
            raise ConfigError(f"recurrent_blocks should be 1 or more, got {self.recurrent_blocks}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout should lie from 0 to below 1, got {self.dropout}")
        if self.attention_epsilon <= 0:
            raise ConfigError(f"attention_epsilon should be above 0, got {self.attention_epsilon}")
        for name, choices in (("gates", get_args(Gates)), ("crop", get_args(Crop))):
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name} should be one of {', '.join(choices)}, got {getattr(self, name)!r}"
                )

    @property
    def classes(self) -> tuple[str, ...]:
        """The phases: each has a probability of its own, and there is no class of noise."""
        return self.phases


class AttentionWeights(NamedTuple):
    """How much each step of the bottleneck looks at each other one; each row adds up to (almost) 1."""

    encoder: Tensor
    """Of the two blocks of global attention, shape (batch, 2, steps, steps)."""
    phases: Tensor
    """Of the phases' local attention, shape (batch, phases, steps, steps)."""


class EQTransformer(Network):
    """
    EQTransformer.

    Parameters
    ----------
    settings : EQTransformerSettings

    Examples
    --------
    >>> network = EQTransformer(EQTransformerSettings()).eval()
    >>> output = network(torch.zeros(2, 3, 6000))
    >>> output.phases.shape, output.detection.shape
    (torch.Size([2, 2, 6000]), torch.Size([2, 6000]))

    Of attention weights there is one per step of the bottleneck, 1.28 s long, and step that it looks at:

    >>> _, weights = network.attend(torch.zeros(2, 3, 6000))
    >>> weights.encoder.shape, weights.phases.shape
    (torch.Size([2, 2, 47, 47]), torch.Size([2, 2, 47, 47]))
    """

    settings_class: ClassVar[type[Settings]] = EQTransformerSettings

    def __init__(self, settings: EQTransformerSettings) -> None:
        super().__init__(settings)
        self.crop = settings.crop
        self.encoder = nn.ModuleList(
            nn.Conv1d(channels_in, channels, kernel, padding=kernel // 2)
            for channels_in, channels, kernel in zip(
                (len(settings.components), *_FILTERS), _FILTERS, _KERNELS, strict=False
            )
        )
        self.residuals = nn.ModuleList(
            ResidualBlock(_FILTERS[-1], kernel, settings.dropout) for kernel in _RESIDUAL_KERNELS
        )
        self.recurrents = nn.ModuleList(
            RecurrentBlock(_HIDDEN if block else _FILTERS[-1], settings)
            for block in range(settings.recurrent_blocks)
        )
        self.transformers = nn.ModuleList(TransformerBlock(settings) for _ in range(2))
        self.detection = Decoder()
        self.pickers = nn.ModuleList(Picker(settings) for _ in settings.phases)
        self.apply(_initialise)

    def forward(self, waveforms: Tensor) -> CurveOutput:
        """
        Give probabilities of an earthquake, and of each phase, at each sample.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples).
        """
        return self.attend(waveforms)[0]

    def attend(self, waveforms: Tensor) -> tuple[CurveOutput, AttentionWeights]:
        """Do what ``forward`` does, and return where it looked, too."""
        features = waveforms
        lengths = []
        for convolution in self.encoder:
            lengths.append(features.shape[-1])
            activated = functional.relu(convolution(features))
            features = functional.max_pool1d(activated, 2, ceil_mode=True)
        for block in (*self.residuals, *self.recurrents):
            features = block(features)
        steps, looked = features.transpose(1, 2), []
        for transformer in self.transformers:
            steps, weights = transformer(steps)
            looked.append(weights)
        lengths.reverse()
        detection = self.detection(steps.transpose(1, 2), lengths, self.crop)
        picked = [picker(steps, lengths, self.crop) for picker in self.pickers]
        curves = torch.stack([curve for curve, _ in picked], dim=1)
        local = torch.stack([weights for _, weights in picked], dim=1)
        return CurveOutput(curves, detection), AttentionWeights(torch.stack(looked, dim=1), local)


class ResidualBlock(nn.Module):
    """Twice batch normalisation, ReLU, dropout of channels and a convolution, added to what came in."""

    def __init__(self, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.padding = ((kernel - 1) // 2, kernel // 2)
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels, eps=_NORM_EPSILON) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, channels, kernel) for _ in range(2))
        self.dropout = Dropout(dropout, spatial=True)

    def forward(self, features: Tensor) -> Tensor:
        """Shape (batch, channels, steps)."""
        changed = features
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            kept = self.dropout(functional.relu(norm(changed)))
            changed = convolution(functional.pad(kept, self.padding))
        return features + changed


class RecurrentBlock(nn.Module):
    """A recurrent layer that runs both ways, and a 1×1 convolution of its channels (network in network)."""

    def __init__(self, channels: int, settings: EQTransformerSettings) -> None:
        super().__init__()
        self.recurrence = Recurrence(channels, settings, directions=2)
        self.convolution = nn.Conv1d(2 * _HIDDEN, _HIDDEN, 1)
        self.norm = nn.BatchNorm1d(_HIDDEN, eps=_NORM_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Shapes (batch, channels, steps) and (batch, 16, steps)."""
        mixed: Tensor = self.norm(self.convolution(self.recurrence(features)))
        return mixed


class Recurrence(nn.Module):
    """
    An LSTM whose gates may open by a hard sigmoid, which torch's own can't.

    Its gates are in the order of Keras and torch: input, forget, cell, output.
    """

    def __init__(self, channels: int, settings: EQTransformerSettings, *, directions: int = 1) -> None:
        super().__init__()
        self.gates = _GATES[settings.gates]
        self.input_dropout = Dropout(settings.dropout, spatial=True, training_only=True)
        self.state_dropout = Dropout(settings.dropout, training_only=True)
        self.input_weight = nn.Parameter(torch.empty(directions, channels, 4 * _HIDDEN))
        self.state_weight = nn.Parameter(torch.empty(directions, _HIDDEN, 4 * _HIDDEN))
        self.bias = nn.Parameter(torch.empty(directions, 4 * _HIDDEN))

    def forward(self, features: Tensor) -> Tensor:
        """Shapes (batch, channels, steps) and (batch, 16 × directions, steps)."""
        inputs = self.input_dropout(features).permute(2, 0, 1).unsqueeze(1)
        # The second direction reads backwards, and is turned round again at the end.
        drive = (inputs @ self.input_weight).float() + self.bias.unsqueeze(1)
        drive = torch.cat([drive[:, :1], drive[:, 1:].flip(0)], dim=1)
        state = cell = drive.new_zeros(*drive.shape[1:3], _HIDDEN)
        mask = self.state_dropout(torch.ones_like(state))
        states = []
        for step in drive.unbind(0):
            gates = step + torch.bmm(state * mask, self.state_weight)
            opened, kept, new, shown = gates.chunk(4, dim=-1)
            cell = self.gates(kept) * cell + self.gates(opened) * torch.tanh(new)
            state = self.gates(shown) * torch.tanh(cell)
            states.append(state)
        stacked = torch.stack(states)
        turned = torch.cat([stacked[:, :1], stacked[:, 1:].flip(0)], dim=1)
        return turned.permute(2, 1, 3, 0).flatten(1, 2)


class Attention(nn.Module):
    """
    Additive attention of each step to all others, or to those within ``width``.

    Scores are taken relative to the largest of all steps, also of those that a width leaves out: the epsilon
    in the sum makes that a difference.
    """

    UNITS: Final = 32

    def __init__(self, settings: EQTransformerSettings, *, width: int | None = None) -> None:
        super().__init__()
        self.epsilon, self.width = settings.attention_epsilon, width
        self.query = nn.Linear(_HIDDEN, self.UNITS)
        self.key = nn.Linear(_HIDDEN, self.UNITS, bias=False)
        self.score = nn.Linear(self.UNITS, 1)

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (batch, steps, 16); returns that, and weights of shape (batch, steps, steps)."""
        pairs = torch.tanh(self.query(steps).unsqueeze(2) + self.key(steps).unsqueeze(1))
        scores = self.score(pairs).squeeze(-1).float()
        strength = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        if self.width is not None:
            at = torch.arange(steps.shape[1], device=steps.device)
            ahead = at.unsqueeze(0) - at.unsqueeze(1) + self.width // 2
            strength = strength * ((ahead >= 0) & (ahead < self.width))
        weights = strength / (strength.sum(dim=-1, keepdim=True) + self.epsilon)
        return weights @ steps, weights


class TransformerBlock(nn.Module):
    """Global attention and two linear layers; each is added to what came in, and the sum normalised."""

    def __init__(self, settings: EQTransformerSettings) -> None:
        super().__init__()
        self.attention = Attention(settings)
        self.widen = nn.Linear(_HIDDEN, 128)
        self.narrow = nn.Linear(128, _HIDDEN)
        self.dropout = Dropout(settings.dropout, training_only=True)
        self.norms = nn.ModuleList(nn.LayerNorm(_HIDDEN, eps=_LAYER_EPSILON) for _ in range(2))

    def forward(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (batch, steps, 16); returns that, and weights of shape (batch, steps, steps)."""
        context, weights = self.attention(steps)
        looked = self.norms[0](steps + context)
        fed = self.narrow(self.dropout(functional.relu(self.widen(looked))))
        return self.norms[1](looked + fed), weights


class Picker(nn.Module):
    """A phase's own layers: a recurrent one, local attention, and a decoder."""

    def __init__(self, settings: EQTransformerSettings) -> None:
        super().__init__()
        self.recurrence = Recurrence(_HIDDEN, settings)
        self.attention = Attention(settings, width=3)
        self.decoder = Decoder()

    def forward(self, steps: Tensor, lengths: list[int], crop: Crop) -> tuple[Tensor, Tensor]:
        """Return probabilities, shape (batch, samples), and weights, shape (batch, steps, steps)."""
        recalled = self.recurrence(steps.transpose(1, 2)).transpose(1, 2)
        context, weights = self.attention(recalled)
        return self.decoder(context.transpose(1, 2), lengths, crop), weights


class Decoder(nn.Module):
    """Seven times: double the samples, take off what the encoder rounded up, and convolve."""

    def __init__(self) -> None:
        super().__init__()
        filters, kernels = _FILTERS[::-1], _KERNELS[::-1]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels_in, channels, kernel, padding=kernel // 2)
            for channels_in, channels, kernel in zip((_HIDDEN, *filters), filters, kernels, strict=False)
        )
        self.head = nn.Conv1d(filters[-1], 1, _HEAD_KERNEL, padding=_HEAD_KERNEL // 2)

    def forward(self, features: Tensor, lengths: list[int], crop: Crop) -> Tensor:
        """Shapes (batch, 16, steps) and (batch, samples); ``lengths`` are the encoder's, shortest first."""
        for level, (convolution, length) in enumerate(zip(self.convolutions, lengths, strict=True)):
            doubled = functional.interpolate(features, scale_factor=2, mode="nearest")
            surplus = doubled.shape[-1] - length
            if crop == "both" and surplus % 2 and level < len(lengths) - 1:
                surplus = 0  # an odd sample more waits for the next level, where it is two
            first = surplus // 2 if crop == "both" else 0
            cut = doubled[..., first : doubled.shape[-1] - surplus + first]
            features = functional.relu(convolution(cut))
        return torch.sigmoid(apply_in_float32(self.head, features)).squeeze(1)


def _initialise(module: nn.Module) -> None:
    """Draw weights as the paper says: Xavier's normal distribution, biases 0; a forget gate begins open."""
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, Recurrence):
        for weight in (*module.input_weight, *module.state_weight):
            nn.init.xavier_normal_(weight)
        nn.init.zeros_(module.bias)
        with torch.no_grad():
            module.bias[:, _HIDDEN : 2 * _HIDDEN] = 1

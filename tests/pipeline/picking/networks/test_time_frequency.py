"""Spectra over time against torch.stft, and against what sines and impulses must give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.errors import ConfigError
from pipeline.picking.networks.time_frequency import MorletTransform, ShortTimeFourierTransform

FLOOR = math.log(1e-6) / 2


def test_short_time_fourier_transform_is_torchs() -> None:
    record = torch.randn(2, 3, 2048, generator=torch.Generator().manual_seed(3))
    taper = torch.hann_window(64)
    padded = torch.nn.functional.pad(record, (28, 28)).reshape(6, -1)
    spectra = torch.stft(padded, 64, hop_length=8, window=taper, center=False, return_complex=True)
    expected = torch.log((spectra / taper.sum()).abs() ** 2 + 1e-6) / 2
    level = ShortTimeFourierTransform(64, hop=8)(record)
    assert level.shape == (2, 3, 33, 256)
    torch.testing.assert_close(level, expected.reshape(2, 3, 33, 256), atol=1e-4, rtol=0)


def _sine(frequency: float, amplitude: float, *, samples: int = 2048) -> Tensor:
    phase = 2 * math.pi * frequency * torch.arange(samples, dtype=torch.float64)
    return (amplitude * torch.sin(phase + 0.3)).to(torch.float32).reshape(1, 1, -1)


@pytest.mark.parametrize("index", [2, 10, 31])
def test_a_sine_has_half_its_amplitude_at_its_frequency(index: int) -> None:
    level = ShortTimeFourierTransform(64, hop=8)(_sine(index / 64, 3.0))
    torch.testing.assert_close(level[0, 0, index, 8:-8], torch.full((240,), math.log(1.5)), atol=1e-4, rtol=0)


def test_a_wavelet_sees_a_sine_as_its_gaussian_says() -> None:
    # Torrence and Compo (1998, table 1): a Morlet wavelet's spectrum is a Gaussian about its frequency, here
    # 5 cycles wide; its counterpart at negative frequencies is e^-50 of it.
    frequencies = np.geomspace(1 / 64, 0.45, 33)
    of_sine = frequencies[17]
    expected = 0.5 * np.exp(-((5 * (of_sine / frequencies - 1)) ** 2) / 2)
    level = MorletTransform(33, lowest=1 / 64, highest=0.45, hop=8)(_sine(of_sine, 1.0))
    amplitude = level[0, 0, :, 128].exp().numpy()
    assert np.argmax(amplitude) == 17
    # Up to the wavelets' cut at three deviations, and the floor of 0.001.
    np.testing.assert_allclose(amplitude, np.hypot(expected, 1e-3), atol=3e-3)


def test_a_constant_is_no_wavelet() -> None:
    level = MorletTransform(33, lowest=1 / 64, highest=0.45, hop=8)(torch.full((1, 1, 2048), 5.0))
    assert level[..., 20:-20].max() < FLOOR + 1e-3


@pytest.mark.parametrize(
    "transform",
    [ShortTimeFourierTransform(64, hop=8), MorletTransform(33, lowest=1 / 64, highest=0.45, hop=8)],
)
@pytest.mark.parametrize("place", [8 * 100 + 1, 8 * 100 + 4, 8 * 100 + 7])
def test_an_impulse_is_in_the_frame_of_its_samples(
    transform: ShortTimeFourierTransform | MorletTransform, place: int
) -> None:
    record = torch.zeros(1, 1, 2048)
    record[..., place] = 100.0
    energy = transform(record).exp()[0, 0].sum(dim=0)
    assert int(energy.argmax()) == 100
    assert energy[20] == pytest.approx(33 * math.exp(FLOOR), rel=1e-5)


@pytest.mark.parametrize(
    "transform",
    [ShortTimeFourierTransform(64, hop=8), MorletTransform(33, lowest=1 / 64, highest=0.45, hop=8)],
)
def test_a_frame_later_for_each_hop(transform: ShortTimeFourierTransform | MorletTransform) -> None:
    record = torch.randn(1, 3, 2064, generator=torch.Generator().manual_seed(5))
    early, late = transform(record[..., 16:]), transform(record[..., :-16])
    reach = transform.length // 16 + 1
    torch.testing.assert_close(
        late[..., reach + 2 : -reach], early[..., reach : -reach - 2], atol=1e-4, rtol=0
    )


def test_float64_and_bfloat16_come_back_as_float32() -> None:
    transform = ShortTimeFourierTransform(64, hop=8)
    record = torch.randn(1, 3, 256, generator=torch.Generator().manual_seed(7))
    with torch.autocast("cpu", torch.bfloat16):
        inside = transform(record)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, transform(record), atol=0, rtol=0)
    torch.testing.assert_close(transform(record.double()), inside, atol=0, rtol=0)


def test_kernels_are_no_weights() -> None:
    assert not ShortTimeFourierTransform(64, hop=8).state_dict()
    assert not list(MorletTransform(9, lowest=0.1, highest=0.4, hop=8).parameters())


@pytest.mark.parametrize("length", [0, 1, 63])
def test_a_window_of_odd_length_fails(length: int) -> None:
    with pytest.raises(ConfigError, match=f"length should be even, 2 or more, got {length}"):
        ShortTimeFourierTransform(length, hop=8)


@pytest.mark.parametrize("hop", [0, 3, 66])
def test_a_hop_that_leaves_frames_between_samples_fails(hop: int) -> None:
    with pytest.raises(ConfigError, match=f"hop should be even, from 2 to 64 samples, got {hop}"):
        ShortTimeFourierTransform(64, hop=hop)


@pytest.mark.parametrize(("frequencies", "lowest", "highest"), [(1, 0.1, 0.2), (9, 0.0, 0.2), (9, 0.1, 0.5)])
def test_frequencies_out_of_range_fail(frequencies: int, lowest: float, highest: float) -> None:
    with pytest.raises(ConfigError, match=f"got {frequencies} from {lowest} to {highest}"):
        MorletTransform(frequencies, lowest=lowest, highest=highest, hop=8)

"""Responses against evalresp, the reference of the field, on every StationXML at hand."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from pipeline.archive.responses import Response, Stage, Unusable, convert
from pipeline.errors import ResponseError
from pipeline.signal.transfer import Analogue, Fir

OUTPUTS = {"displacement": "DISP", "velocity": "VEL", "acceleration": "ACC", "input": "DEF"}


def read(source):
    from obspy import read_inventory

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            (f"{network.code}.{station.code}.{channel.location_code}.{channel.code}", channel)
            for network in read_inventory(source, format="STATIONXML")
            for station in network
            for channel in station
        ]


def evalresp(channel, size, output):
    """Evaluate with the peer; None where it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rate_hz = channel.sample_rate or 100.0
            return channel.response.get_evalresp_response(
                1 / rate_hz, size, output=OUTPUTS[output], hide_sensitivity_mismatch_warning=True
            )
        except Exception:
            return None


def differences(ours, theirs):
    """Largest relative difference in amplitude and difference in phase, where there is a response at all."""
    there = np.abs(theirs) > 1e-10 * np.abs(theirs).max()
    ratio = ours[there] / theirs[there]
    return np.abs(np.abs(ratio) - 1).max(), np.abs(np.angle(ratio)).max()


def assert_agrees(channel, response, outputs=OUTPUTS):
    for output in outputs:
        theirs, frequencies = evalresp(channel, 2048, output)
        amplitude, phase = differences(response.evaluate(frequencies, output=output), theirs)
        assert amplitude < 1e-6, (channel, output)
        assert phase < 1e-6, (channel, output)


def test_all_californian_channels_agree_with_evalresp(data_folder):
    channels = read(data_folder / "continuous" / "california-3min" / "stations.xml")
    assert len(channels) == 48
    for _, channel in channels:
        assert_agrees(channel, convert(channel.response))


def test_the_gravimeter_agrees_with_evalresp(data_folder):
    channels = dict(read(data_folder / "gravity" / "etna-aqg" / "stations.xml"))
    gravity = convert(channels["NG.AQG..MGZ"].response)
    assert gravity.motion == "acceleration"
    assert_agrees(channels["NG.AQG..MGZ"], gravity)
    np.testing.assert_allclose(gravity.evaluate([0.1, 0.5], output="acceleration"), 1e9)  # nm/s² per m/s²
    others = [name for name in channels if name != "NG.AQG..MGZ"]
    assert len(others) == 6
    for name in others:
        response = convert(channels[name].response)
        assert_agrees(channels[name], response, ["input"])
        with pytest.raises(
            ResponseError, match=f"measures {response.input_units} has no response to velocity"
        ):
            response.evaluate([1.0])


def bundled():
    """Every StationXML that obspy ships with its tests."""
    import obspy

    files = sorted(Path(obspy.__file__).parent.glob("*/**/tests/data/**/*.xml"))
    return [file for file in files if b"FDSNStationXML" in file.read_bytes()[:2000]]


def test_obspys_own_stationxml_agrees_or_is_refused_with_a_reason():
    files = bundled()
    if not files:
        pytest.skip("obspy is installed without its test data")
    agreed, refused = 0, set()
    for file in files:
        for name, channel in read(file):
            response = convert(channel.response)
            if response is None:
                continue
            for output in OUTPUTS:
                try:
                    ours = response.evaluate(
                        np.linspace(0, (channel.sample_rate or 100.0) / 2, 1025), output=output
                    )
                except ResponseError as error:
                    refused.add(str(error).partition(", which")[0].partition(" has no response to")[0])
                    continue
                theirs = evalresp(channel, 2048, output)
                if theirs is not None:
                    amplitude, phase = differences(ours, theirs[0])
                    assert amplitude < 1e-6, (file.name, name, output)
                    assert phase < 1e-6, (file.name, name, output)
                    agreed += 1
    assert agreed > 300
    for reason in (
        "stage 1 is a polynomial of degree 9",
        "stage 1 is a polynomial that means a gain of 10, and states one of 98765",
        "stage 1 is a list of values at frequencies",
        "stage 2 takes in M/S where V comes out before it",
        "the response has no stages: a sensitivity alone is no response",
        "a channel that measures PA",
    ):
        assert reason in refused


def made(*stages, sensitivity=None, frequency_hz=1.0, units="M/S"):
    """Build obspy's response from its own stages."""
    from obspy.core.inventory import InstrumentSensitivity
    from obspy.core.inventory import Response as Peer

    overall = sensitivity and InstrumentSensitivity(sensitivity, frequency_hz, units, "COUNTS")
    return Peer(instrument_sensitivity=overall, response_stages=list(stages))


def fir(
    number, symmetry, coefficients, gain=1.0, gain_hz=0.0, rate_hz=200.0, correction_s=0.0, units="COUNTS"
):
    from obspy.core.inventory.response import FIRResponseStage

    return FIRResponseStage(
        number,
        gain,
        gain_hz,
        units,
        "COUNTS",
        coefficients=coefficients,
        symmetry=symmetry,
        decimation_input_sample_rate=rate_hz,
        decimation_factor=2,
        decimation_offset=0,
        decimation_delay=0.05,
        decimation_correction=correction_s,
    )


def poles_zeros(
    number,
    zeros,
    poles,
    gain=400.0,
    gain_hz=1.0,
    factor=1.0,
    factor_hz=1.0,
    domain="LAPLACE (RADIANS/SECOND)",
    units="M/S",
):
    from obspy.core.inventory.response import PolesZerosResponseStage

    return PolesZerosResponseStage(
        number, gain, gain_hz, units, "COUNTS", domain, factor_hz, zeros, poles, factor
    )


HALF = [0.01, -0.02, 0.05, 0.1, 0.36]
LOPSIDED = [0.5, 0.3, 0.1, 0.06, 0.04]
GEOPHONE = ([0j, 0j], [-4 + 4j, -4 - 4j])


class Channel:
    def __init__(self, response):
        self.response, self.sample_rate = response, 100.0


@pytest.mark.parametrize(
    "stages",
    [
        [fir(1, "EVEN", HALF, units="M/S")],
        [fir(1, "ODD", HALF, units="M/S")],
        [fir(1, "NONE", HALF + HALF[::-1], units="M/S")],
        [fir(1, "NONE", LOPSIDED, units="M/S", correction_s=0.013)],
        [fir(1, "NONE", [10 * c for c in LOPSIDED], units="M/S")],  # is scaled to a sum of one
        [fir(1, "NONE", LOPSIDED, gain=7.0, gain_hz=12.0, units="M/S")],
        [poles_zeros(1, *GEOPHONE, factor=1.3)],
        [poles_zeros(1, *GEOPHONE, factor=1.3, gain_hz=5.0)],
        [poles_zeros(1, *GEOPHONE, factor=1.3, factor_hz=3.0)],
        [poles_zeros(1, *GEOPHONE, domain="LAPLACE (HERTZ)", factor=1.1, factor_hz=2.0)],
        [poles_zeros(1, *GEOPHONE, units="NM/S"), fir(2, "EVEN", HALF)],
        [poles_zeros(1, *GEOPHONE, units="M/S**2"), fir(2, "NONE", LOPSIDED, correction_s=0.02)],
        [poles_zeros(1, *GEOPHONE, units="M"), fir(2, "ODD", HALF, gain=3.0)],
    ],
    ids=lambda stages: "+".join(type(stage).__name__[:5] + str(i) for i, stage in enumerate(stages)),
)
@pytest.mark.parametrize("sensitivity", [1234.0, None])
def test_made_stages_agree_with_evalresp(stages, sensitivity):
    channel = Channel(made(*stages, sensitivity=sensitivity, units=stages[0].input_units))
    assert_agrees(channel, convert(channel.response))


def test_a_digital_stage_is_evaluated_at_its_own_rate():
    stage = poles_zeros(1, [0.5 + 0j], [0.9 + 0j], domain="DIGITAL (Z-TRANSFORM)", gain=1.0, factor_hz=2.0)
    stage.decimation_input_sample_rate, stage.decimation_factor = 50.0, 1
    stage.decimation_offset = stage.decimation_delay = stage.decimation_correction = 0
    channel = Channel(made(stage, sensitivity=1.0))
    assert_agrees(channel, convert(channel.response))
    response = convert(channel.response)
    z = np.exp(2j * np.pi * np.array([1.0, 7.0]) / 50.0)
    shape = np.abs((z - 0.5) / (z - 0.9))
    np.testing.assert_allclose(np.abs(response.evaluate([1.0, 7.0])), shape / shape[0])


def test_a_velocity_sensors_response_to_displacement_is_analytic():
    response = Response((Stage(Analogue((0j, 0j), (-4 + 4j, -4 - 4j)), 400.0),), None, 1.0, "NM/S", "COUNTS")
    frequencies = np.array([0.0, 0.5, 3.0])
    s = 2j * np.pi * frequencies
    expected = 1e9 * 400 * s**2 / (s**2 + 8 * s + 32)
    np.testing.assert_allclose(response.evaluate(frequencies), expected)
    np.testing.assert_allclose(response.evaluate(frequencies, output="displacement"), expected * s)
    np.testing.assert_allclose(response.evaluate(frequencies, output="input"), expected)
    acceleration = response.evaluate(frequencies, output="acceleration")
    assert acceleration[0] == 0
    np.testing.assert_allclose(acceleration[1:], expected[1:] / s[1:])


@pytest.mark.parametrize(
    ("units", "motion"),
    [
        ("m/s", "velocity"),
        ("nm/sec", "velocity"),
        ("M/S/S", "acceleration"),
        ("M/(SEC**2)", "acceleration"),
        ("cm/s^2", "acceleration"),
        ("MM", "displacement"),
        ("M/M", None),
        ("V", None),
        ("", None),
    ],
)
def test_units_are_read_however_they_are_written(units, motion):
    assert Response((), None, 1.0, units, "").motion == motion


def test_what_can_not_be_evaluated_says_so_when_asked():
    stage = fir(2, "EVEN", HALF, gain=None)
    no_gain = convert(made(poles_zeros(1, *GEOPHONE), stage, sensitivity=1.0))
    twice = convert(made(poles_zeros(1, *GEOPHONE), poles_zeros(1, *GEOPHONE), sensitivity=1.0))
    zero = convert(made(poles_zeros(1, *GEOPHONE, gain=0.0), sensitivity=1.0))
    no_rate = convert(made(fir(1, "EVEN", HALF, rate_hz=None, units="M/S"), sensitivity=1.0))
    dead = convert(made(poles_zeros(1, *GEOPHONE, gain_hz=0.0), sensitivity=1.0))
    for response, match in [
        (no_gain, "stage 2 has no gain"),
        (twice, r"numbers of the response's stages repeat: \[1, 1\]"),
        (zero, "stage 1 has a gain of zero"),
        (no_rate, "stage 1 is digital, but nothing says at which rate"),
        (dead, "a stage has a gain at 0.0 Hz, where it lets nothing pass"),
    ]:
        with pytest.raises(ResponseError, match=match):
            response.evaluate([1.0])
        assert len(response.digest) == 32


def polynomial(coefficients, number=1, units="PA"):
    from obspy.core.inventory.response import PolynomialResponseStage

    bounds = {"frequency_lower_bound": 0.0, "frequency_upper_bound": 0.5}
    bounds |= {"approximation_lower_bound": 0.0, "approximation_upper_bound": 1.0, "maximum_error": 0.0}
    return PolynomialResponseStage(number, None, None, units, "COUNTS", **bounds, coefficients=coefficients)


def test_a_line_is_a_gain_and_a_curve_is_none():
    line = convert(made(polynomial([80000.0, 0.02]), sensitivity=50.0, units="PA"))
    np.testing.assert_allclose(line.evaluate([0.0, 0.1], output="input"), 50.0)
    curve = convert(made(polynomial([1.0, 2.0, 3.0]), sensitivity=50.0, units="PA"))
    assert (curve.sensitivity, curve.input_units) == (50.0, "PA")
    with pytest.raises(
        ResponseError, match=r"^stage 1 is a polynomial of degree 2, which can't be evaluated"
    ):
        curve.evaluate([0.1], output="input")


@pytest.mark.parametrize(("coefficients", "sensitivity"), [([8e4, 0.02], 50.0), ([8e4, 0.02, 1.0], None)])
def test_an_overall_polynomial_is_a_sensitivity_where_it_is_a_line(coefficients, sensitivity):
    from obspy.core.inventory import Response as Peer
    from obspy.core.inventory.response import InstrumentPolynomial

    overall = InstrumentPolynomial(
        input_units="PA",
        output_units="COUNTS",
        frequency_lower_bound=0.0,
        frequency_upper_bound=0.5,
        approximation_lower_bound=0.0,
        approximation_upper_bound=1.0,
        maximum_error=0.0,
        coefficients=coefficients,
    )
    response = convert(Peer(instrument_polynomial=overall))
    assert (response.sensitivity, response.input_units) == (sensitivity, "PA")


def test_a_single_stage_may_leave_its_gain_to_the_sensitivity():
    channel = Channel(made(poles_zeros(1, *GEOPHONE, gain=None, factor_hz=5.0), sensitivity=250.0))
    response = convert(channel.response)
    assert abs(response.evaluate([1.0])[0]) == pytest.approx(250.0)
    assert_agrees(channel, response)


def test_nothing_described_is_no_response():
    assert convert(None) is None
    assert convert(made()) is None


def test_the_digest_follows_the_content(data_folder):
    channels = read(data_folder / "continuous" / "california-3min" / "stations.xml")
    responses = [convert(channel.response) for _, channel in channels]
    digests = {response.digest for response in responses}
    assert len(digests) == len(set(responses)) > 10
    assert {convert(channel.response).digest for _, channel in channels} == digests


def test_the_digest_is_the_same_in_every_process_and_tells_small_changes():
    def response(gain=400.0, coefficients=(0.25, 0.5, 0.25), units="M/S"):
        return Response((Stage(Fir(coefficients, 100.0), gain, None),), 1e9, 1.0, units, "COUNTS")

    # another value would make every fingerprint that depends on a response stale
    assert response().digest == "8beac23070746c40bc9f6c84bc1cee9c"
    others = [response(gain=400.0000001), response(coefficients=(0.25, 0.5)), response(units="M")]
    assert len({response().digest, *(other.digest for other in others)}) == 4
    assert Response((Stage(Unusable("a"), 1.0),), None, 0.0, "", "").digest != response().digest


def test_a_response_pickles():
    response = convert(made(poles_zeros(1, *GEOPHONE), fir(2, "EVEN", HALF), sensitivity=1.0))
    again = pickle.loads(pickle.dumps(response))
    assert again == response
    assert again.digest == response.digest
    np.testing.assert_array_equal(again.evaluate([1.0, 2.0]), response.evaluate([1.0, 2.0]))

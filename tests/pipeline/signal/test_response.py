import numpy as np
import pytest
import scipy.integrate

from pipeline.errors import ConfigError
from pipeline.signal import response as sr
from pipeline.signal.detrend import constant
from pipeline.signal.tapers import cosine, taper
from pipeline.signal.transfer import Analogue

RATE = 100.0
# a 120 s velocity sensor with 1500 V/(m/s) into 400,000 counts/V
SENSOR = Analogue(zeros=(0j, 0j), poles=(-0.037 + 0.037j, -0.037 - 0.037j), gain=6e8)


def band_limited(seed, count=40_000, low_hz=0.1, high_hz=20.0):
    """Noise with nothing outside a band, and nothing at the ends of the record."""
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    rng = np.random.default_rng(seed)
    spectrum = rng.standard_normal(frequencies.size) * np.exp(2j * np.pi * rng.random(frequencies.size))
    spectrum *= (frequencies > low_hz) & (frequencies < high_hz)
    return np.fft.irfft(spectrum, count) * cosine(count, 0.4)


@pytest.mark.parametrize("motion", ["displacement", "velocity", "acceleration"])
def test_removing_undoes_applying(motion):
    ground = band_limited(0)
    counts = sr.apply_response(ground, RATE, SENSOR, given=motion)
    again = sr.remove_response(counts, RATE, SENSOR, wanted=motion, pre_filter_hz=(0.005, 0.02, 40.0, 49.0))
    # the instrument rings past the end of the record, which only its last second feels
    inside = slice(100, -100)
    np.testing.assert_allclose(again[inside], ground[inside], atol=1e-5 * np.abs(ground).max())


def test_a_response_may_come_as_values_on_the_grid():
    ground = band_limited(1, 5000)
    _, frequencies = sr.transform_grid(5000, RATE, padding=700)
    by_call = sr.apply_response(ground, RATE, SENSOR, padding=700)
    by_value = sr.apply_response(ground, RATE, SENSOR(frequencies), padding=700)
    np.testing.assert_array_equal(by_call, by_value)
    with pytest.raises(ConfigError, match=r"shape \(9,\) should have a last axis of"):
        sr.apply_response(ground, RATE, SENSOR(frequencies[:9]))


def test_each_component_may_have_its_own_response():
    ground = np.stack([band_limited(2, 4000), band_limited(3, 4000)])
    _, frequencies = sr.transform_grid(4000, RATE)
    both = np.stack([SENSOR(frequencies), 2 * SENSOR(frequencies)])
    counts = sr.apply_response(ground, RATE, both)
    np.testing.assert_allclose(counts[1], 2 * sr.apply_response(ground[1], RATE, SENSOR), rtol=1e-9)


def test_padding_keeps_the_end_out_of_the_beginning():
    ground = np.zeros(2000)
    ground[-1] = 1.0
    ringing = Analogue((), (-2 + 30j, -2 - 30j), 1000.0)
    wrapped = sr.apply_response(ground, RATE, ringing, padding=0)
    padded = sr.apply_response(ground, RATE, ringing, padding=2000)
    assert np.abs(wrapped[:100]).max() > 0.1
    assert np.abs(padded[:1000]).max() < 1e-3 * np.abs(wrapped[:100]).max()


def test_water_level_is_a_floor_at_the_responses_own_phase():
    values = SENSOR(np.geomspace(1e-4, 50, 500))
    inverse = sr.stable_inverse(values, water_level_db=60.0)
    level = np.abs(values).max() / 1000
    np.testing.assert_allclose(np.abs(inverse), 1 / np.maximum(np.abs(values), level))
    np.testing.assert_allclose(np.angle(inverse * values), 0.0, atol=1e-12)
    np.testing.assert_allclose(sr.stable_inverse(values) * values, 1.0)


def test_pre_filter_is_obspys():
    from obspy.signal.invsim import cosine_sac_taper

    frequencies = np.linspace(0, 50, 4001)
    corners_hz = (0.5, 1.0, 20.0, 30.0)
    expected = cosine_sac_taper(frequencies, flimit=corners_hz)
    np.testing.assert_allclose(sr.pre_filter(frequencies, corners_hz), expected, atol=1e-12)
    with pytest.raises(ConfigError, match="pre-filter corners should rise"):
        sr.pre_filter(frequencies, (1.0, 0.5, 20.0, 30.0))


class TestWoodAnderson:
    def test_is_the_analytic_pendulum(self):
        # x'' + 2 h w0 x' + w0² x = -gain u''  ->  |X/U| = gain w² / sqrt((w0² - w²)² + (2 h w0 w)²)
        frequencies = np.geomspace(0.01, 50, 200)
        w, w0, h = 2 * np.pi * frequencies, 2 * np.pi / 0.8, 0.7
        amplitude = 2080 * w**2 / np.hypot(w0**2 - w**2, 2 * h * w0 * w)
        found = sr.WOOD_ANDERSON(frequencies)
        np.testing.assert_allclose(np.abs(found), amplitude, rtol=1e-12)
        assert abs(sr.WOOD_ANDERSON([1 / 0.8])[0]) == pytest.approx(2080 / 1.4)
        assert np.angle(sr.WOOD_ANDERSON([1 / 0.8])[0]) == pytest.approx(np.pi / 2)

    @pytest.mark.parametrize("frequency_hz", [0.5, 1.25, 8.0])
    def test_a_known_sine_of_ground_becomes_a_known_trace(self, frequency_hz):
        # 1 µm of ground as counts of the sensor, through its exact steady state
        time = np.arange(20_000) / RATE
        window = cosine(time.size, 0.3)
        phasor = 1e-6 * (2j * np.pi * frequency_hz) * SENSOR([frequency_hz])[0]
        counts = window * np.real(phasor * np.exp(2j * np.pi * frequency_hz * time))
        trace = sr.remove_response(
            counts,
            RATE,
            SENSOR,
            wanted="displacement",
            simulate=sr.WOOD_ANDERSON,
            pre_filter_hz=(0.02, 0.05, 40.0, 48.0),
        )
        w, w0, h = 2 * np.pi * frequency_hz, 2 * np.pi / 0.8, 0.7
        amplitude = 1e-6 * 2080 * w**2 / np.hypot(w0**2 - w**2, 2 * h * w0 * w)
        middle = slice(9000, 11_000)
        steady = 1e-6 * sr.WOOD_ANDERSON([frequency_hz])[0] * np.exp(2j * np.pi * frequency_hz * time)
        np.testing.assert_allclose(trace[middle], steady.real[middle], atol=1e-4 * amplitude)
        assert np.abs(trace[middle]).max() == pytest.approx(amplitude, rel=1e-2)

    def test_agrees_with_the_equation_of_motion(self):
        # ground: a Gaussian of 1 mm and 0.2 s; the pendulum integrated in time
        def ground_acceleration(t):
            x = (t - 5.0) / 0.2
            return 1e-3 * (x**2 - 1) * np.exp(-(x**2) / 2) / 0.04

        w0, h = 2 * np.pi / 0.8, 0.7
        time = np.arange(2000) / RATE
        # the trace follows the ground above the period: x'' + 2 h w0 x' + w0² x = +gain u''
        solved = scipy.integrate.solve_ivp(
            lambda t, y: [y[1], 2080 * ground_acceleration(t) - 2 * h * w0 * y[1] - w0**2 * y[0]],
            (0, 20),
            [0.0, 0.0],
            t_eval=time,
            rtol=1e-10,
            atol=1e-12,
            max_step=0.02,
        )
        ground = 1e-3 * np.exp(-(((time - 5.0) / 0.2) ** 2) / 2)
        trace = sr.apply_response(
            ground, RATE, sr.WOOD_ANDERSON, given="displacement", response_of="displacement"
        )
        np.testing.assert_allclose(trace, solved.y[0], atol=1e-6 * np.abs(trace).max())


def test_motions_differ_by_powers_of_the_angular_frequency():
    s = 2j * np.pi * np.array([0.5, 3.0])
    frequencies = [0.5, 3.0]
    np.testing.assert_allclose(sr.motion_factor(frequencies, "displacement", "acceleration"), s**2)
    np.testing.assert_allclose(sr.motion_factor(frequencies, "acceleration", "displacement"), s**-2)
    np.testing.assert_allclose(sr.motion_factor(frequencies, "velocity", "velocity"), 1.0)
    with pytest.raises(ConfigError, match=r"motion should be one of displacement, .* got 'jerk'"):
        sr.motion_factor(frequencies, "jerk", "velocity")


def test_integrals_and_derivatives_of_a_wave_packet():
    time = (np.arange(20_000) - 10_000) / RATE
    packet = np.exp(-((time / 5) ** 2)) * np.cos(2 * np.pi * 2.0 * time)
    slope = -2 * time / 25 * packet - 4 * np.pi * np.exp(-((time / 5) ** 2)) * np.sin(4 * np.pi * time)
    np.testing.assert_allclose(sr.differentiate(packet, RATE), slope, atol=1e-10)
    np.testing.assert_allclose(sr.integrate(slope, RATE), packet, atol=1e-10)
    np.testing.assert_allclose(
        sr.integrate(sr.differentiate(packet, RATE, times=2), RATE, times=2), packet, atol=1e-9
    )
    np.testing.assert_allclose(sr.integrate(packet, RATE, times=0), packet, atol=1e-12)


@pytest.mark.parametrize("output", ["displacement", "velocity", "acceleration"])
def test_removal_agrees_with_obspy_on_a_real_record(data_folder, output):
    import obspy
    from obspy.signal.invsim import cosine_taper
    from obspy.signal.util import _npts2nfft

    folder = data_folder / "continuous" / "california-3min"
    trace = obspy.read(folder / "CI.WMD.2020-10-01T00:00.mseed").select(channel="HHN")[0]
    metadata = obspy.read_inventory(folder / "stations.xml").get_response(trace.id, trace.stats.starttime)
    corners_hz = (0.05, 0.1, 35.0, 45.0)
    counts, rate_hz = trace.data.copy(), trace.stats.sampling_rate
    name = {"displacement": "DISP", "velocity": "VEL", "acceleration": "ACC"}[output]
    trace.remove_response(
        inventory=obspy.read_inventory(folder / "stations.xml"),
        output=name,
        pre_filt=corners_hz,
        water_level=60,
        taper_fraction=0.05,
    )
    size = _npts2nfft(len(counts))
    window = cosine_taper(len(counts), 0.05, sactaper=True, halfcosine=False)
    padding = size - len(counts)
    assert sr.transform_grid(len(counts), rate_hz, padding=padding)[0] == size
    response, _ = metadata.get_evalresp_response(1 / rate_hz, size, output="VEL")
    ours = sr.remove_response(
        constant(counts) * window,
        rate_hz,
        response,
        wanted=output,
        pre_filter_hz=corners_hz,
        water_level_db=60.0,
        padding=padding,
    )
    np.testing.assert_allclose(ours, trace.data, atol=1e-7 * np.abs(trace.data).max())
    # and with our own tapers and padding, away from the ends
    plain = sr.remove_response(
        taper(constant(counts), len(counts) // 40),
        rate_hz,
        lambda f: np.interp(f, np.linspace(0, rate_hz / 2, len(response)), response),
        wanted=output,
        pre_filter_hz=corners_hz,
        water_level_db=60.0,
    )
    middle = slice(len(counts) // 5, -len(counts) // 5)
    assert np.corrcoef(plain[middle], trace.data[middle])[0, 1] > 0.999

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.synthetic.earth.interfaces import interface_coefficients, reflect_sh

GRANITE, MANTLE, SAND = (6.0, 3.5, 2700.0), (8.0, 4.5, 3300.0), (3.0, 1.4, 2100.0)


def test_interface_coefficients_at_normal_incidence():
    found = interface_coefficients([1e-9], GRANITE, MANTLE, upwards=False)[0]
    for wave, speed in enumerate((0, 1)):
        near, far = (rock[2] * rock[speed] for rock in (GRANITE, MANTLE))
        # A&R have displacement (near - far) / (near + far); energy flux makes 2√(near·far) of what goes on.
        reflected = (near - far) / (near + far)
        assert abs(found[wave, wave]) == pytest.approx(abs(reflected))
        assert found[2 + wave, wave] == pytest.approx(2 * np.sqrt(near * far) / (near + far))


@given(st.floats(0.001, 0.28), st.booleans(), st.booleans())
def test_no_energy_is_lost_at_an_interface(slowness, upwards, soft):
    near, far = (GRANITE, SAND) if soft else (GRANITE, MANTLE)
    found = interface_coefficients([slowness], near, far, upwards=upwards)[0]
    if slowness < 1 / near[0] - 1e-6:
        assert (found[:, 0] ** 2).sum() == pytest.approx(1, abs=1e-6)
    if slowness < 1 / near[1] - 1e-6:
        assert (found[:, 1] ** 2).sum() == pytest.approx(1, abs=1e-6)


def test_conversion_under_soft_rock_has_the_sign_of_receiver_functions():
    # P comes up from fast into slow rock: Ps moves away from the source at the surface, as P does. SV has the
    # opposite sign upwards (its axis is −cos i away), so the coefficient is negative.
    assert interface_coefficients([0.08], GRANITE, SAND, upwards=True)[0, 3, 0] < 0
    assert interface_coefficients([0.08], SAND, GRANITE, upwards=True)[0, 3, 0] > 0


def test_sh_is_reflected_whole_beyond_the_critical_angle():
    found = reflect_sh(np.array([0.0, 0.2, 0.25, 0.28]), GRANITE, MANTLE)
    near, far = (rock[2] * rock[1] for rock in (GRANITE, MANTLE))
    assert found[0] == pytest.approx((near - far) / (near + far))
    # Sin of the critical angle is 3.5 / 4.5: a slowness of 1 / 4.5.
    assert abs(found[1]) < 1
    np.testing.assert_allclose(np.abs(found[2:]), 1)

"""The systems by name, and what they say of themselves."""

import pytest

from simulator.world.systems.catalogue import MODULES, UnknownSystem, seat
from simulator.world.systems.system import CAPABILITIES, SystemSettings


@pytest.mark.parametrize("name", MODULES)
def test_system_describes_itself_consistently(name: str) -> None:
    found = seat(name)
    system = found.make(SystemSettings())

    assert found.name == system.name == name
    assert found.capabilities == system.capabilities <= set(CAPABILITIES)
    assert found.shared == system.shared
    assert found.says
    assert system.domains == ("contoso.com", "fabrikam.com")
    assert not system.died.is_set()


@pytest.mark.parametrize(("name", "hint"), [("prosodi", "did you mean 'prosody'"), ("x", "there are embedded")])
def test_unknown_system_is_named_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownSystem, match=hint):
        seat(name)


async def test_stop_before_start_does_nothing() -> None:
    for name in MODULES:
        await seat(name).make(SystemSettings()).stop()

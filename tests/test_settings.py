"""Settings: from the environment or a flag, each within its range."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kg.errors import BadSetting
from kg.settings import Settings


def test_a_flag_is_stronger_than_the_environment() -> None:
    assert Settings.read({"KG_DEADLINE": "10"}, deadline=None).deadline == 10.0
    assert Settings.read({"KG_DEADLINE": "10"}, deadline=5).deadline == 5.0


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "0", "-1", "soon", ""])
@pytest.mark.parametrize("name", ["deadline", "queue_seconds"])
def test_seconds_are_above_zero_and_finite(name: str, value: str) -> None:
    variable = f"KG_{name.upper()}"
    with pytest.raises(BadSetting, match=f"{variable} is '{value}'"):
        Settings.read({variable: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 0.0, -1.0])
def test_a_flag_is_checked_like_the_environment(value: float) -> None:
    with pytest.raises(BadSetting, match="deadline is"):
        Settings.read({}, deadline=value)


def test_a_worker_has_at_least_256_mib() -> None:
    least = 256 * 1024 * 1024
    assert Settings.read({"KG_WORKER_MEMORY": str(least)}).worker_memory == least
    with pytest.raises(BadSetting, match="KG_WORKER_MEMORY"):
        Settings.read({"KG_WORKER_MEMORY": str(least - 1)})


def test_every_setting_is_described_with_its_default() -> None:
    described = Settings.described()
    assert len(described) == len(fields(Settings))
    assert described["KG_DEADLINE"].endswith("By default 30.")

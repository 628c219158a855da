"""The page on memory devices is what the models give."""

from pathlib import Path

from simcore.export.devices import SERVING, estimated_lines
from simcore.hardware.dram.presets import dram_presets
from simcore.hardware.gpu_kernels import Caps
from simcore.systems.l3.policy import ServingPolicy

PAGE = Path(__file__).parents[3] / "docs" / "devices.md"


def test_the_page_is_up_to_date():
    """If this fails: dimmscope dram --write-docs docs/devices.md."""
    written = PAGE.read_text(encoding="utf-8")
    assert written.startswith("\n".join(estimated_lines()) + "\n")


def test_the_page_has_every_preset_and_the_comparison():
    written = PAGE.read_text(encoding="utf-8")
    for id in dram_presets():
        assert f"`{id}`" in written
    for words in ("worst rows first", "Ramulator2.1", "DRAMsim3", "fit and not evidence"):
        assert words in written


def test_the_serving_caps_are_the_knobs_defaults():
    policy = ServingPolicy()
    assert SERVING.caps == Caps(
        policy.memory_efficiency,
        policy.compute_efficiency,
        policy.processors,
        policy.gemv_tile,
        policy.gemm_tile,
    )

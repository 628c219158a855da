"""What runs beside what, on examples worked by hand."""

from __future__ import annotations

import pytest

from simcore.engine.layout import lay_out
from simcore.engine.step_spans import spans
from simcore.scenario.schema import Gpu, Host, Pcie
from simcore.systems.hybridserve import steps
from simcore.systems.hybridserve.flexgen import zigzag_layer
from simcore.systems.hybridserve.machine import OPS, Parts, make_lanes, put
from simcore.systems.hybridserve.resident_kv import layer_template

LANES = make_lanes(Parts(Gpu(), Pcie(), Host()), host=True)


def placed(template, times):
    """(lane, op, start, end) of every span when groups take these times."""
    work = template.blank(1)
    for group, time in times.items():
        put(template, work, group, time)
    found = spans([(template, work, True)])
    rows = zip(found.lane, found.op, found.start_ps, found.end_ps, strict=True)
    out = [(LANES[lane].id, OPS[op].id, int(start), int(end)) for lane, op, start, end in rows]
    return out, lay_out(template, work).duration_ps


def test_two_buffers_hold_back_the_third_mini_batch():
    """Loads of 20 and a third of the weights, 10, for each; attention takes 50.

    The second mini-batch comes at 10-30. The third needs the first one's buffer, free at 50. That
    of the next layer needs the second one's, free at 100.
    """
    template = steps.decode_layer(LANES, 3, "regenerate")
    times = {f"weights.{k}": 10 for k in range(3)} | {f"load_kv.{k}": 20 for k in range(3)}
    found, length = placed(template, times | {f"attention.{k}": 50 for k in range(3)})
    assert length == 150
    up = [span[1:] for span in found if span[0] == "pcie_up"]
    assert up == [
        ("stream", 0, 10),
        ("load_kv", 10, 30),
        ("stream", 30, 40),
        ("wait.memory_full", 40, 50),
        ("load_kv", 50, 70),
        ("stream", 70, 80),
        ("wait.memory_full", 80, 100),
        ("load_kv", 100, 120),
        ("wait.sync", 120, 150),
    ]
    gpu = [span[1:] for span in found if span[0] == "gpu"]
    assert gpu == [("attention", 0, 50), ("attention", 50, 100), ("attention", 100, 150)]


def test_a_slow_link_is_never_idle_and_the_gpu_waits_for_it():
    template = steps.decode_layer(LANES, 2, "regenerate")
    times = {"load_kv.0": 40, "load_kv.1": 40, "weights.0": 10, "weights.1": 10}
    found, length = placed(template, times | {"attention.0": 5, "attention.1": 5})
    assert length == 100
    assert not [s for s in found if s[0] == "pcie_up" and s[1].startswith("wait")]
    waits = [s for s in found if s[:2] == ("gpu", "wait.dependency")]
    assert (waits[0][2], waits[-1][3]) == (5, 50)
    assert ("gpu", "attention", 50, 55) in found
    assert ("gpu", "wait.sync", 55, 100) in found


def test_activations_on_the_gpu_are_turned_into_kv_while_others_come():
    """Regeneration of what is there (30) runs beside the load of what is not (20), then 10 more."""
    template = steps.decode_layer(LANES, 2, "regenerate")
    times = {"load_act.1": 20, "resident.1": 30, "again.1": 10, "mlp.1": 5}
    found, length = placed(template, times)
    assert length == 45
    assert ("gpu", "regenerate", 0, 30) in found
    assert ("gpu", "regenerate", 30, 40) in found


def test_flexgen_starts_to_compute_when_the_next_batch_is_staged():
    """Two mini-batches. In attention of the first: keys staged 0-20, values 20-40, each then
    loaded in 10; the GPU starts at 40. Everything meets before the second, which stages nothing:
    the MLP has no cache."""
    template = zigzag_layer(LANES, 2, prefill=False)
    times = {f"stage_{w}.1": 20 for w in ("keys", "values")}
    times |= {f"load_{w}.1": 10 for w in ("keys", "values")}
    found, length = placed(
        template, times | {"weights.attention": 5, "attention.0": 30, "attention.1": 30}
    )
    assert ("host", "stage", 0, 20) in found
    assert ("pcie_up", "stream", 0, 5) in found
    assert ("pcie_up", "load_kv", 20, 30) in found
    assert ("pcie_up", "load_kv", 40, 50) in found
    assert ("gpu", "attention", 40, 70) in found
    assert ("gpu", "attention", 70, 100) in found
    assert length == 100


def test_flexgen_brings_the_next_layer_under_the_last_mlp():
    template = zigzag_layer(LANES, 2, prefill=False)
    found, length = placed(
        template, {"stage_keys.0": 7, "load_keys.0": 3, "weights.mlp": 50, "mlp.0": 20, "mlp.1": 20}
    )
    assert ("pcie_up", "stream", 0, 50) in found
    assert ("gpu", "wait.sync", 20, 50) in found, "a barrier after each mini-batch"
    assert ("host", "stage", 50, 57) in found
    assert ("gpu", "mlp", 57, 77) in found
    assert length == 77


@pytest.mark.parametrize(("overlap", "length"), [(True, 100), (False, 140)])
def test_weights_come_under_the_layer_before_or_before_their_own(overlap, length):
    template = layer_template(LANES, prefill=False, overlap=overlap)
    assert placed(template, {"weights": 100, "attention": 40})[1] == length


def test_ids_of_groups_are_used_once():
    for template in (
        steps.decode_layer(LANES, 5, "recompute"),
        steps.prefill_layer(LANES, 3),
        zigzag_layer(LANES, 5, prefill=False),
        zigzag_layer(LANES, 5, prefill=True),
    ):
        ids = [group.id for phase in template.phases for group in phase.groups]
        assert len(ids) == len(set(ids)) == template.columns

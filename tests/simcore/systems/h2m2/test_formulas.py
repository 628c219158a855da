"""H2M2 by hand: footprints, page table, fragmentation, misses, moves, times of a layer."""

from __future__ import annotations

import numpy as np
import pytest

from simcore.scenario.schema import Mmu
from simcore.systems.h2m2 import memory
from simcore.systems.h2m2.cache import hit_share
from simcore.systems.h2m2.kernels import Kernels
from simcore.systems.h2m2.machine import ATTENTION, FC, HBM, LPDDR, QKV
from simcore.systems.h2m2.mapping import space
from simcore.units import MiB
from tests.simcore.systems.h2m2.cases import CELLS, plan, problem

BILLION = 1e9


def test_mapping_space() -> None:
    assert space(96) == 884_736


def test_page_table() -> None:
    """1 TiB in pages of 2 MiB: 524288 entries of 8 B are 4 MiB."""
    assert memory.page_table_entries(Mmu()) == 524_288
    assert memory.page_table_bytes(Mmu()) == 4 * MiB


@pytest.mark.parametrize(
    ("model", "length", "weights", "per_token", "total"),
    [
        ("gpt3-175b", 256, 174.0, 75.5e6, 193),
        ("gpt3-175b", 2048, 174.0, 75.5e6, 329),
        ("chinchilla-70b", 512, 64.4, 83.9e6, 107),
        ("chinchilla-70b", 4096, 64.4, 83.9e6, 408),
        ("llama2-70b", 1024, 68.0, 21.0e6, 90),
        ("llama2-70b", 8192, 68.0, 21.0e6, 240),
    ],
)
def test_footprints(model: str, length: int, weights: float, per_token: float, total: int) -> None:
    """The table of footprints: decoder weights, KV of one position of all sequences, sum."""
    kernels = Kernels(plan(model=model, length=length))
    batch = CELLS[model][0]
    assert memory.needed_bytes(kernels, 0) == pytest.approx(weights * BILLION, rel=0.01)
    position = memory.needed_bytes(kernels, batch) - memory.needed_bytes(kernels, 0)
    assert position == pytest.approx(per_token, rel=0.005)
    whole = memory.needed_bytes(kernels, batch * length)
    assert whole == pytest.approx(total * BILLION, rel=0.01)


def test_gpt3_sublayers() -> None:
    """QKV 96 x 3 x 12288^2, FC with the output projection 96 x 9 x 12288^2."""
    made = plan()
    kernels = Kernels(made)
    sizes = [
        made.model.layers * sum(int(kernels.weight_bytes(k, 96, HBM)) for k in kernels.of(s))
        for s in (QKV, FC)
    ]
    assert sizes == [96 * 3 * 12288**2, 96 * 9 * 12288**2]
    other = Kernels(plan(fc_includes_outproj=False))
    assert sum(int(other.weight_bytes(k, 96, HBM)) for k in other.of(FC)) == 8 * 12288**2


@pytest.mark.parametrize("model", CELLS)
def test_two_sides_make_the_whole(model: str) -> None:
    kernels = Kernels(plan(model=model))
    for kernel in kernels.plan.kernels:
        both = sum(kernels.outputs(kernel, kernels.every, side) for side in (HBM, LPDDR))
        assert (both == kernel.outputs).all()
        assert kernels.outputs(kernel, 0, HBM) == 0
        assert kernels.outputs(kernel, kernels.units, LPDDR) == 0
    shared = sum(kernels.kv_heads(kernels.every, side) for side in (HBM, LPDDR))
    assert set((shared - kernels.model.kv_heads).tolist()) <= {0, 1}  # a group may be cut in two


def test_a_cut_group_has_its_keys_and_values_on_both_sides() -> None:
    kernels = Kernels(plan(model="llama2-70b"))
    assert kernels.kv_heads(12, HBM) == 2  # heads 0 to 11 of groups of eight
    assert kernels.kv_heads(12, LPDDR) == 7
    assert kernels.kv_heads(16, HBM) + kernels.kv_heads(16, LPDDR) == 8


def test_traffic_of_grouped_queries() -> None:
    """One token, INT8: 64 query heads read 2 x 128 B each, or 8 key/value heads do."""
    each = Kernels(plan(model="llama2-70b"))
    shared = Kernels(plan(model="llama2-70b", gqa_traffic="shared"))
    written = 8 * 2 * 128 * 128  # new tokens of 128 sequences
    assert each.kv_traffic(64, HBM, 1) == 64 * 256 + written
    assert shared.kv_traffic(64, HBM, 1) == 8 * 256 + written
    assert each.kv_bytes(64, HBM, 1) == shared.kv_bytes(64, HBM, 1) == 8 * 256
    assert each.kv_traffic(0, HBM, 1000) == 0


def test_fragmentation_of_gpt3() -> None:
    """At S = 1024 five parts of the output projection, 7.5 MiB, end within a page: 1.5 MiB."""
    made = plan(length=1024)
    mapping = np.array([[48, 82, 5]])
    found = memory.fragmentation_bytes(Kernels(made), mapping, made.lengths.tokens)
    assert found.tolist() == [96 * 3 * MiB // 2]
    assert found[0] / 1e6 == pytest.approx(156, rel=0.1)
    assert found[0] / 96e9 == pytest.approx(0.0016, rel=0.1)


def test_pages() -> None:
    assert memory.pages([0, 1, 4096, 4097], 4096).tolist() == [0, 1, 1, 2]
    assert memory.remainder([0, 1, 4096, 4097], 4096).tolist() == [0, 1, 0, 1]


def test_translation_misses() -> None:
    """GPT3, all in LPDDR: QKV of a layer is 216 pages; K and V of 32 x 256 tokens are 48 each."""
    made = plan()
    misses = memory.tlb_misses(Kernels(made), np.zeros((1, 3), np.int64), made.lengths.tokens)
    assert misses[0, :, LPDDR].tolist() == [216, 96, 72, 288, 288]
    assert not misses[:, :, HBM].any()


def test_repeated_reads_miss_again_only_beyond_the_tlb() -> None:
    mapping = np.zeros((1, 3), np.int64)
    small = plan(model="llama2-70b", length=8192)
    once = memory.tlb_misses(Kernels(small), mapping, small.lengths.tokens)[0, 1, LPDDR]
    assert once == 2 * 512  # 8 heads x 8192 x 128 sequences x 128 B = 1 GiB each of K and V
    tight = plan(model="llama2-70b", length=8192, hardware={"mmu": {"tlb_entries": 1000}})
    again = memory.tlb_misses(Kernels(tight), mapping, tight.lengths.tokens)[0, 1, LPDDR]
    assert again == 8 * once


def test_nothing_misses_where_everything_fits_the_tlb() -> None:
    made = plan(hardware={"mmu": {"tlb_entries": 1_000_000}})
    assert not memory.tlb_misses(
        Kernels(made), np.zeros((1, 3), np.int64), made.lengths.tokens
    ).any()


def test_moves_by_hand() -> None:
    """One head's part of GPT3's FC: 1.5 MiB of the projection, 6 MiB of either FFN matrix."""
    made = plan()
    before, after = np.array([[48, 82, 30]]), np.array([[48, 82, 29]])
    moved = memory.moves(Kernels(made), before, after, made.lengths.tokens)
    assert moved.out_bytes[0].tolist() == [0, 0, 96 * 27 * MiB // 2]
    assert moved.out_pages[0].tolist() == [0, 0, 96 * (1 + 3 + 3)]
    assert not moved.in_bytes.any()
    back = memory.moves(Kernels(made), after, before, made.lengths.tokens)
    assert np.array_equal(back.in_bytes, moved.out_bytes)


def test_kv_moves_with_its_heads() -> None:
    """One head of attention: K and V of 32 x 256 tokens in INT8, 1 MiB each, 96 layers."""
    made = plan()
    moved = memory.moves(
        Kernels(made), np.array([[48, 83, 9]]), np.array([[48, 82, 9]]), made.lengths.tokens
    )
    assert moved.out_bytes[0, ATTENTION] == 96 * 2 * MiB


def test_cache_policies() -> None:
    assert hit_share([0.5, 1.0, 2.0], "lru").tolist() == [1, 1, 0]
    assert hit_share([0.5, 1.0, 4.0], "pin_fraction").tolist() == [1, 1, 0.25]
    found = float(hit_share(2.0, "random"))
    assert found == pytest.approx(0.2032, abs=1e-4)
    assert found == pytest.approx(np.exp(-(1 - found) * 2.0), abs=1e-12)


def test_random_replacement_against_a_cache_of_lines() -> None:
    """300 lines read in turn through 200 places: the share of hits after a while."""
    rng = np.random.default_rng(3)
    lines, places = 300, 200
    cached = np.full(places, -1)
    where = np.full(lines, -1)
    hits = rounds = 0
    for turn in range(60):
        for line in range(lines):
            if where[line] >= 0:
                hits += turn >= 20
                continue
            victim = int(rng.integers(places))
            if cached[victim] >= 0:
                where[cached[victim]] = -1
            cached[victim], where[line] = line, victim
        rounds += turn >= 20
    assert hits / (rounds * lines) == pytest.approx(float(hit_share(1.5, "random")), abs=0.02)


def test_times_of_a_side_by_hand() -> None:
    """GPT3 at B = 32, one head on HBM: QKV 96 x 3 tiles in 72 rounds of 136 cycles."""
    made = plan()
    found = problem(made)
    assert found.hbm_ps[QKV][1] == 72 * 136 * 1000
    assert found.hbm_ps[QKV][0] == 0
    # All of QKV in LPDDR: 96 x 288 tiles take longer than 432 MiB at 544 GB/s.
    assert found.lpddr_ps[QKV][0] == 96 * 72 * 136 * 1000
    # One head of attention on HBM: 2 x 32 x 256 x 128 B at 3 TB/s, 8 KiB new, 32 ns.
    amount = 2 * 32 * 256 * 128 + 2 * 32 * 128
    assert found.hbm_ps[ATTENTION][0, 1] == -(-amount // 3) + 32_000

"""Rates and kernel times of DIMM-PIM against numbers worked by hand."""

import numpy as np
import pytest

from simcore.hardware import dimm_pim
from simcore.hardware.gpu_kernels import Caps, busy_share, decode_attention_ps, fc_ps
from simcore.scenario.schema import DimmPim, Gpu

PIM = DimmPim()


def test_rates_of_the_timing():
    # 64 B / (4 x 0.63 ns); x 16 channels; x 64 ranks; 64 ranks x 16 banks x 64 B / (8 x 0.63 ns).
    assert dimm_pim.channel_GBps(PIM) == pytest.approx(25.397, abs=1e-3)
    assert dimm_pim.host_GBps(PIM) == pytest.approx(406.35, abs=0.01)
    assert dimm_pim.all_rank_units_GBps(PIM) == pytest.approx(1625.4, abs=0.1)
    assert dimm_pim.all_bank_units_GBps(PIM) == pytest.approx(13003.2, abs=0.1)
    # 8 B (4 FP16) each 8 cycles.
    assert dimm_pim.bank_unit_GBps(PIM) == pytest.approx(1.587, abs=1e-3)
    assert dimm_pim.all_bank_units_GBps(PIM) / dimm_pim.host_GBps(PIM) == pytest.approx(32)


@pytest.mark.parametrize(("queries", "long", "short"), [(1, 16, 8), (8, 2, 1)])
def test_head_mapping_rule(queries, long, short):
    # MHA: 128 x 25.4 / (25.4 x 8) = 16 at tCCD_L; GQA-8: 128 x 25.4 / (25.4 x 8 x 8) = 2.
    assert dimm_pim.n_hc_limit(PIM, 128, queries, "L") == pytest.approx(long)
    assert dimm_pim.n_hc_limit(PIM, 128, queries, "S") == pytest.approx(short)
    assert dimm_pim.n_hc(PIM, 128, queries) == short


@pytest.mark.parametrize(("queries", "ratio"), [(1, 0.5), (8, 4.0)])
def test_transfer_over_compute(queries, ratio):
    ideal = DimmPim(efficiency=1.0)
    slot = dimm_pim.bank_slot(ideal, 128, queries, 8, pipelined=False, relayout=True)
    assert slot.transfer_ps / slot.compute_ps == pytest.approx(ratio)
    assert slot.token_ps == pytest.approx(slot.transfer_ps + slot.compute_ps)
    assert dimm_pim.bank_slot(
        ideal, 128, queries, 8, pipelined=True, relayout=True
    ).token_ps == pytest.approx(max(slot.transfer_ps, slot.compute_ps))


def test_a_head_in_one_chip_sends_eight_heads_scores_at_once():
    whole = dimm_pim.bank_slot(PIM, 128, 8, 8, pipelined=True, relayout=True)
    single = dimm_pim.bank_slot(PIM, 128, 8, 1, pipelined=True, relayout=True)
    assert single.heads == 8
    assert single.compute_ps / single.heads == pytest.approx(whole.compute_ps)
    assert single.transfer_ps == pytest.approx(whole.transfer_ps)


def test_token_equivalents():
    """In tokens of T_comp: R-DP 8 L, inputs 3 x 256 B x 4 ranks / 25.4 GB/s = 38.4."""
    token = dimm_pim.bank_slot(PIM, 128, 1, 8, pipelined=True, relayout=True).token_ps
    assert dimm_pim.kernel_ps(PIM, "r-dp", 128, 1, 1000) / token == pytest.approx(8000)
    assert dimm_pim.inputs_ps(PIM, 128, 1) / token == pytest.approx(38.4, abs=0.1)
    assert dimm_pim.inputs_ps(PIM, 128, 8) / token == pytest.approx(128, abs=0.2)


def test_heads_on_ranks():
    assert dimm_pim.head_map(96, 16).slots.tolist() == [[6]]
    uneven = dimm_pim.head_map(72, 16)
    assert sorted(map(tuple, uneven.slots.tolist())) == [(4, 5), (5, 4)]
    assert (uneven.slots[:, uneven.rank_of].sum(axis=1) == 72).all()
    single = dimm_pim.head_map(1, 16)
    assert len(single.slots) == 16
    assert (single.slots[:, single.rank_of].sum(axis=0) == 1).all()
    assert len(dimm_pim.head_map(5, 16).slots) == 3


def test_three_ranksets_keep_two_thirds_of_their_computing():
    assert dimm_pim.exposed_ps(90.0, 3, overlap=True) == pytest.approx(30)
    assert dimm_pim.exposed_ps(90.0, 3, overlap=False) == 90


def test_waves_of_thread_blocks():
    assert busy_share(72, 108) == pytest.approx(72 / 108)
    assert busy_share(192, 108) == pytest.approx(192 / 216)
    caps = Caps(0.85, 0.8, 108, 8, 64)
    gpu = Gpu(bandwidth_GBps=3352, fp16_TFLOPS=312)
    # QKV of GPT-175B on one of 8 GPUs: 12288 x 4608 x 2 B, 576 tiles of 8 columns in 6 waves.
    by_hand = 12288 * 4608 * 2 * 1e3 / (3352 * 0.85) * 648 / 576
    assert fc_ps(gpu, caps, 1, 12288, 4608, 2) == pytest.approx(by_hand, abs=1)
    assert fc_ps(gpu, caps, 0, 12288, 4608, 2) == 0


def test_the_longest_context_ends_the_kernel():
    gpu, caps = Gpu(bandwidth_GBps=1000), Caps(1.0, 1.0, 100, 8, 64)
    even = decode_attention_ps(gpu, caps, [5], [5000], [1000], 10, 512)
    ragged = decode_attention_ps(gpu, caps, [5], [5000], [3000], 10, 512)
    # 50 of 100 processors with 1000 tokens of 512 B each at 10 GB/s: 51.2 us.
    assert even.tolist() == [51_200_000]
    assert ragged.tolist() == [3 * 51_200_000]
    many = decode_attention_ps(gpu, caps, [15], [15000], [1000], 10, 512)
    assert many.tolist() == [2 * 51_200_000]
    assert (
        decode_attention_ps(gpu, Caps(1, 1, 0, 8, 64), [5], [5000], [3000], 10, 512)
        == np.array([5000 * 10 * 512])
    ).all()

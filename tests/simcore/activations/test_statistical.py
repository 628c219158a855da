"""The statistical source keeps the published figures it was given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.activations import bitplanes as bp
from simcore.activations.concentration import (
    layer_curves,
    mean_of_curve,
    solve_exponent,
    solve_scale,
)
from simcore.activations.statistical import StatisticalSource
from simcore.scenario.schema import ActivationStats, Model, StatisticalActivations
from tests.simcore.activations.plain_source import PlainSource

MODEL = Model(
    layers=16,
    hidden=1024,
    heads=8,
    kv_heads=8,
    head_dim=128,
    ffn=4096,
    ffn_matrices=3,
    vocab=1000,
    stats=ActivationStats(
        mlp_density=0.18, qkv_density=0.2, block_share_for_80pct=0.43, model_share_for_80pct=0.30
    ),
)
STILL = StatisticalActivations(drift_per_token=0.0, prompt_shift=0.0)


def source(settings: StatisticalActivations = STILL, batch: int = 1, seed: int = 1):
    return StatisticalSource(MODEL, settings, batch, 128, seed)


def tokens(src: StatisticalSource, count: int) -> np.ndarray:
    return np.stack([bp.unpack(src.draw()[0]) for _ in range(count)])


def test_density_of_both_blocks() -> None:
    src = source()
    fired = tokens(src, 60)
    for block, density in zip(src.space.blocks, (0.2, 0.18), strict=True):
        part = fired[..., block.first_column : block.first_column + block.neurons]
        assert part.mean() == pytest.approx(density, rel=0.06)


def test_padding_never_fires() -> None:
    model = replace(MODEL, hidden=1000, heads=1, kv_heads=1, ffn=4000)
    src = StatisticalSource(model, STILL, 1, 128, 1)
    valid = bp.unpack(np.broadcast_to(src.space.valid(), (1, src.space.words)))[0]
    assert valid.sum() == 5000
    assert not tokens(src, 10)[..., valid == 0].any()


@pytest.mark.parametrize(("share", "density"), [(0.26, 0.03), (0.43, 0.18), (0.43, 0.01)])
def test_exponent_reaches_the_published_share(share: float, density: float) -> None:
    exponent = solve_exponent(share, density)
    scale = solve_scale(np.array([density]), exponent)[0]
    p = np.minimum(1, scale * ((np.arange(200_000) + 0.5) / 200_000) ** -exponent)
    assert p.mean() == pytest.approx(density, rel=0.01)
    assert p[: int(share * len(p))].sum() / p.sum() == pytest.approx(0.8, abs=0.005)


def test_model_wide_concentration() -> None:
    """Pooled over layers, the published model-wide share of neurons makes 80 % of activations."""
    scales, exponent = layer_curves(80, 0.18, 0.43, 0.26)
    x = (np.arange(4000) + 0.5) / 4000
    p = np.sort(np.minimum(1, np.array(scales)[:, None] * x**-exponent).ravel())[::-1]
    share = np.searchsorted(np.cumsum(p), 0.8 * p.sum()) / p.size
    assert share == pytest.approx(0.26, abs=0.01)
    assert mean_of_curve(np.array(scales), exponent).mean() == pytest.approx(0.18, abs=0.002)


def test_similarity_falls_with_distance() -> None:
    fired = tokens(source(), 60)
    agree = {lag: (fired[:-lag] == fired[lag:]).mean() for lag in (1, 5, 20)}
    assert agree[1] > agree[5] > agree[20]
    # p (1 - p) averaged bounds what unrelated tokens differ in; lag 1 keeps rho of it.
    p = fired.mean(axis=0)
    unrelated = 1 - 2 * (p * (1 - p)).mean()
    expected = 1 - 2 * (p * (1 - p)).mean() * (1 - 0.63)
    assert agree[20] == pytest.approx(unrelated, abs=0.02)
    assert agree[1] == pytest.approx(expected, abs=0.02)


def test_coupled_neurons_follow_their_parents() -> None:
    src = source(replace(STILL, coupling=1.0))
    loose = source(replace(STILL, coupling=0.0))
    together, apart = [], []
    for s, out in ((src, together), (loose, apart)):
        for _ in range(40):
            plane = s.draw()[0]
            first, _ = s.parents(plane, plane[-1])
            child, parent = bp.unpack(plane[1:]), bp.unpack(first[1:])
            out.append((child & parent).sum() / max(1, parent.sum()))
    assert np.mean(together) > np.mean(apart) + 0.2


def test_same_seed_same_bits_and_other_seed_others() -> None:
    a, b, c = source(seed=5), source(seed=5), source(seed=6)
    assert np.array_equal(a.draw()[0], b.draw()[0])
    assert not np.array_equal(a.draw()[0], c.draw()[0])


def test_sequences_of_a_batch_differ() -> None:
    one, two = source(batch=2).draw()
    assert not np.array_equal(one, two)


def test_drift_changes_who_is_hot() -> None:
    still = source(StatisticalActivations(drift_per_token=0.0, prompt_shift=0.0))
    moving = source(StatisticalActivations(drift_per_token=0.02, prompt_shift=0.0))
    before = moving.profile() > 0.5
    for s in (still, moving):
        for _ in range(30):
            s.draw()
    kept = {
        name: (s.prompt_frequency()[before] > 0.35).mean()
        for name, s in (("still", still), ("moving", moving))
    }
    assert kept["still"] > kept["moving"] + 0.2


def test_dead_neurons_only_in_the_first_half_and_density_kept() -> None:
    stats = replace(MODEL.stats, mlp_density=0.03, dead_share_max=0.7)
    src = StatisticalSource(replace(MODEL, stats=stats), STILL, 1, 128, 1)
    mlp = src.space.blocks[1]
    p = src.profile()[:, mlp.first_column : mlp.first_column + mlp.neurons]
    dead = (p == 0).mean(axis=1)
    assert dead[0] == pytest.approx(0.7, abs=0.001)
    assert (dead[8:] == 0).all()
    assert p.mean() == pytest.approx(0.03, rel=0.01)


def test_correlated_sequences_share_more() -> None:
    def union(share: float) -> float:
        src = source(replace(STILL, sequence_correlation=share), batch=4)
        return np.mean([bp.count(np.bitwise_or.reduce(src.draw())).sum() for _ in range(5)])

    alone = np.mean([bp.count(source().draw()[0]).sum() for _ in range(3)])
    assert union(0.0) > union(0.5) > union(1.0)
    assert union(1.0) == pytest.approx(alone, rel=0.05)


SHIFTED = StatisticalActivations(drift_per_token=0.0, prompt_shift=0.7)


def test_the_first_sequence_of_a_batch_is_what_it_would_be_alone() -> None:
    alone, first = source(SHIFTED), source(SHIFTED, batch=3)
    for _ in range(5):
        assert np.array_equal(alone.draw()[0], first.draw()[0])


def test_prompts_of_their_own_make_the_union_of_a_batch_grow_faster() -> None:
    """Alike prompts share their hot neurons, so the union of four stays near the hot ones."""

    def union(settings: StatisticalActivations) -> float:
        src = source(settings, batch=4)
        planes = [src.draw() for _ in range(10)]
        return float(np.mean([bp.unpack(np.bitwise_or.reduce(p)).mean() for p in planes]))

    assert union(SHIFTED) > 1.1 * union(STILL)


def test_sequences_keep_the_density_and_leave_padding_alone() -> None:
    model = replace(MODEL, hidden=1000, heads=1, kv_heads=1, ffn=4000)
    src = StatisticalSource(model, SHIFTED, 3, 128, 1)
    valid = bp.unpack(np.broadcast_to(src.space.valid(), (1, src.space.words)))[0]
    draws = [src.draw() for _ in range(30)]
    shares = [np.mean([bp.unpack(d[i])[:, valid == 1].mean() for d in draws]) for i in range(3)]
    assert shares == pytest.approx([shares[0]] * 3, rel=0.06)
    assert not any(bp.unpack(d[i])[:, valid == 0].any() for d in draws for i in range(3))


def test_what_sequences_have_in_common_stays_in_common() -> None:
    src = source(replace(SHIFTED, sequence_correlation=1.0), batch=2)
    for _ in range(3):
        first, second = src.draw()
        assert np.array_equal(first, second)


def test_the_prompt_frequency_of_a_batch_is_the_mean_of_its_sequences() -> None:
    src = source(SHIFTED, batch=2, seed=4)
    fired = [np.zeros((MODEL.layers, src.space.columns)) for _ in range(2)]
    for _ in range(200):
        for total, plane in zip(fired, src.draw(), strict=True):
            total += bp.unpack(plane)
    seen = (fired[0] + fired[1]) / 400
    assert np.corrcoef(src.prompt_frequency().ravel(), seen.ravel())[0, 1] > 0.95
    assert np.corrcoef(src.prompt_frequency().ravel(), fired[1].ravel())[0, 1] < 0.9


@pytest.mark.parametrize("coupling", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("batch", "alike"), [(1, 0.0), (3, 0.4)])
def test_every_bit_is_that_of_the_plain_draw(coupling: float, batch: int, alike: float) -> None:
    settings = StatisticalActivations(coupling=coupling, sequence_correlation=alike)
    model = replace(MODEL, layers=11, ffn=1100)  # layers and columns that fill no round number
    fast = StatisticalSource(model, settings, batch, 128, seed=3)
    plain = PlainSource(fast, batch, seed=3)
    for _ in range(4):
        plain.trades = [fast._trades]
        planes = fast.draw()
        for plane, expected in zip(planes, plain.draw(), strict=True):
            assert np.array_equal(bp.unpack(plane).astype(bool), expected)
    assert any(len(columns) for columns, _ in plain.trades)

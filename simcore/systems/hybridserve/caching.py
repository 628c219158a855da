"""How much of what is cached where: settings, the GPU memory they leave, the work they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.engine.phases import Template, Work
from simcore.model import shapes
from simcore.placement.blocks import BlockTokens, block_tokens, even_quota, light_blocks
from simcore.placement.packing import arrival_bins, balanced_bins, bin_sums
from simcore.systems.hybridserve.machine import Costs, Int, free_bytes
from simcore.systems.hybridserve.policy import HybridServePolicy

Float = NDArray[np.float64]

ACT, TOKENS = "act", "tokens"
"""What a light block holds: activations, or nothing but the tokens, which are computed again."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Candidates for the cache of a run, arrays of shape (n,), all with the same mini-batches.

    Attributes:
        share: share of light blocks.
        mini_batches: parts of the batch.
        light_quota, kv_quota: blocks of each type a request has on the GPU.
        workspace_bytes: GPU memory for buffers and activations.
        gpu_needed: GPU memory without any cached block, reserve included.
        host_needed: bytes of the caches in host memory at the end of the run.
    """

    share: Float
    mini_batches: int
    light_quota: Int
    kv_quota: Int
    workspace_bytes: Int
    gpu_needed: Int
    host_needed: Int

    def rows(self, index: Int) -> Settings:
        """Some of them, in this order, also more than once."""
        return Settings(
            self.share[index],
            self.mini_batches,
            self.light_quota[index],
            self.kv_quota[index],
            self.workspace_bytes[index],
            self.gpu_needed[index],
            self.host_needed[index],
        )

    def spread(self, times: int) -> Settings:
        """Each of them `times` times in a row, for rows of steps."""
        return self.rows(np.repeat(np.arange(len(self.share)), times))


@dataclass(frozen=True, slots=True)
class Parts:
    """Amounts of each mini-batch, arrays of shape (rows, mini-batches).

    Attributes:
        requests, tokens: requests; tokens attended to, the new ones included.
        kv_host, light_host, light_gpu: cached tokens by type and place (those of KV on the GPU
            need nothing).
        squares: sum of squared numbers of light tokens of a request.
        new_kv, new_light: new tokens to be stored on the host by type.
    """

    requests: Int
    tokens: Int
    kv_host: Int
    light_host: Int
    light_gpu: Int
    squares: Int
    new_kv: Int
    new_light: Int


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of a run before its setting is chosen.

    Attributes:
        costs: sizes and times.
        prompts: (requests,) prompt lengths.
        output_tokens: tokens to come.
        resident_bytes: weights on the GPU, all layers.
    """

    costs: Costs
    prompts: Int
    output_tokens: int
    resident_bytes: int

    @property
    def policy(self) -> HybridServePolicy:
        """The knobs."""
        policy = self.costs.policy
        assert isinstance(policy, HybridServePolicy)
        return policy

    @property
    def layers(self) -> int:
        """Layers of the model."""
        return self.costs.model.layers

    @property
    def light_is(self) -> str:
        """What light blocks hold."""
        return TOKENS if self.policy.cache == "recompute" else ACT

    @property
    def light_bytes(self) -> int:
        """Bytes of a light token in one layer."""
        return 0 if self.light_is == TOKENS else self.costs.act_bytes

    @property
    def streamed_bytes(self) -> int:
        """Weights of a layer that come over PCIe."""
        return self.costs.layer_bytes - self.resident_bytes // self.layers

    @property
    def chunks(self) -> int:
        """Parts of the batch at prefill."""
        each = max(1, self.policy.prefill_tokens)
        return min(len(self.prompts), -(-int(self.prompts.sum()) // each))

    def chunk_tokens(self) -> Int:
        """Prompt tokens of each of them."""
        bins = arrival_bins(1, len(self.prompts), self.chunks)
        return bin_sums(self.prompts[None], bins, self.chunks)[0]

    def tokens(self, contexts: Int, settings: Settings) -> BlockTokens:
        """Tokens by type and place, (rows, requests), one setting a row."""
        return block_tokens(
            contexts,
            settings.share[:, None],
            settings.light_quota[:, None],
            settings.kv_quota[:, None],
            self.policy.block_tokens,
            prefix=self.light_is == TOKENS,
        )

    def settings(self, shares: Float, mini_batches: int) -> Settings:
        """What each share leaves on the GPU and needs on the host."""
        costs, policy, model = self.costs, self.policy, self.costs.model
        requests = len(self.prompts)
        longest = self.prompts + self.output_tokens
        zero = np.zeros(len(shares), np.int64)
        bare = Settings(shares, mini_batches, zero, zero, zero, zero, zero)
        rows = np.broadcast_to(longest, (len(shares), requests))
        at_end = self.tokens(rows, bare)
        slots = -(-requests // mini_batches)

        def worst(values: Int) -> Int:
            """The largest sum over the requests of a mini-batch."""
            return np.sort(values, axis=1)[:, -slots:].sum(axis=1)

        wide = 2 * (shapes.qkv_width(model) + shapes.mlp_activation_width(model) + model.hidden)
        chunk = wide * int(self.chunk_tokens().max())
        loaded = at_end.kv_host * costs.kv_bytes + at_end.light_host * self.light_bytes
        decode = 2 * worst(loaded) + worst(at_end.light * costs.kv_bytes)
        decode = decode + requests * 2 * model.hidden * 2 + slots * wide
        if self.light_is == TOKENS:
            hidden = at_end.light.sum(axis=1) * model.hidden * 2
            decode = decode + np.where(hidden > 0, hidden + chunk, 0)
        prefill = int(self.prompts.sum()) * model.hidden * 2 + chunk
        workspace = np.maximum(decode, prefill)
        needed = workspace + self.fixed_bytes()
        room = np.maximum(0, free_bytes(costs.parts.gpu) - needed)
        if policy.gpu_cache_GB is not None:
            room = np.minimum(room, int(policy.gpu_cache_GB * 1e9))
        each = -(-rows // policy.block_tokens)
        lights = light_blocks(shares[:, None], each, requests)
        tokens = policy.block_tokens * self.layers
        light_block = tokens * self.light_bytes
        light = even_quota(lights, room // light_block) if light_block else zero
        room = room - np.minimum(lights, light[:, None]).sum(axis=1) * light_block
        kv = even_quota(each - lights, room // (tokens * costs.kv_bytes))
        full = Settings(shares, mini_batches, light, kv, workspace, needed, zero)
        placed = self.tokens(rows, full)
        host = placed.kv_host.sum(axis=1) * costs.kv_bytes
        host = (host + placed.light_host.sum(axis=1) * self.light_bytes) * self.layers
        needed = needed + int(costs.parts.gpu.reserve_GB * 1e9)
        return Settings(shares, mini_batches, light, kv, workspace, needed, host)

    def fixed_bytes(self) -> int:
        """GPU memory for weights, two layers' buffers and the output table."""
        table = shapes.lm_head_bytes(self.costs.model)
        return self.resident_bytes + 2 * self.streamed_bytes + table

    def parts(self, cached: Int, settings: Settings) -> Parts:
        """Amounts of the mini-batches.

        Args:
            cached: (rows, requests) tokens in the cache before the new ones.
            settings: one a row.
        """
        there, after = self.tokens(cached, settings), self.tokens(cached + 1, settings)
        return self.parts_of(cached, there, after, settings.mini_batches)

    def parts_of(self, cached: Int, there: BlockTokens, after: BlockTokens, bins: int) -> Parts:
        """Amounts of so many mini-batches, from the cache before and after the new tokens."""
        bin_of = self._bins(there, bins)

        def sums(values: Int) -> Int:
            return bin_sums(values, bin_of, bins)

        stored = after.newest_host
        if self.light_is == TOKENS:
            stored = stored & ~after.newest_light
        return Parts(
            sums(np.ones_like(cached)),
            sums(cached + 1),
            sums(there.kv_host),
            sums(there.light_host),
            sums(there.light_gpu),
            sums(there.light**2),
            sums((stored & ~after.newest_light).astype(np.int64)),
            sums((stored & after.newest_light).astype(np.int64)),
        )

    def first_load(self, there: BlockTokens, bins: int) -> tuple[Int, Int]:
        """Tokens of KV and light tokens on the host of the first mini-batch, (rows,) each."""
        first = self._bins(there, bins) == 0
        return (there.kv_host * first).sum(axis=1), (there.light_host * first).sum(axis=1)

    def _bins(self, there: BlockTokens, bins: int) -> Int:
        if self.policy.packing == "balanced" and bins > 1:
            return balanced_bins(self._excess(there), bins)
        rows, requests = there.kv_host.shape
        return arrival_bins(rows, requests, bins)

    def _excess(self, tokens: BlockTokens) -> Int:
        """Time to make keys and values of light tokens less that to load, by request, in ps."""
        costs = self.costs
        loaded = tokens.kv_host * costs.kv_bytes + tokens.light_host * self.light_bytes
        return np.asarray(self.again_flops(tokens.light) * 1e3 / (costs.gemm_TFLOPS * 1e3)).astype(
            np.int64
        ) - costs.copy_ps(loaded)

    def again_flops(self, light: Int) -> Int:
        """Operations to make keys and values of light tokens in one layer, attention left out."""
        costs = self.costs
        layer = shapes.layer_token_bytes(costs.model)
        size = costs.kv_weight_bytes if self.light_is == ACT else layer
        return 2 * light * (size // costs.model.bytes_per_weight)

    def fill(self, template: Template, parts: Parts, next_load: tuple[Int, Int]) -> Work:
        """Work of a decode layer without its weights.

        Args:
            template: phases of a layer.
            parts: amounts of the mini-batches.
            next_load: tokens of KV and light tokens on the host of the mini-batch that is loaded
                for the next layer, (rows,) each.
        """
        costs = self.costs
        work = template.blank(len(parts.requests))
        kv, light = parts.kv_host.copy(), parts.light_host.copy()
        kv[:, 0], light[:, 0] = next_load
        costs.fill_copy(template, work, "load_kv.*", kv * costs.kv_bytes)
        costs.fill_copy(template, work, "load_act.*", light * self.light_bytes)
        self._again(template, work, parts)
        for block in ("qkv", "projection", "mlp"):
            costs.fill_dense(template, work, block, f"{block}.*", parts.requests)
        costs.fill_attention(template, work, "attention.*", parts.tokens)
        costs.fill_copy(template, work, "store_kv.*", parts.new_kv * costs.kv_bytes)
        costs.fill_copy(template, work, "store_act.*", parts.new_light * self.light_bytes)
        return work

    def _again(self, template: Template, work: Work, parts: Parts) -> None:
        """Keys and values of light tokens: those on the GPU at once, the others when they came."""
        costs = self.costs
        if self.light_is == TOKENS:
            tokens, squares = parts.light_host, parts.squares
            costs.fill_layer(template, work, "resident.*", "recompute", tokens, squares)
            return
        out = costs.kv_bytes + costs.act_bytes * (3 if self.policy.act_point == "pre_ln" else 1)
        for group, tokens in (("resident.*", parts.light_gpu), ("again.*", parts.light_host)):
            amount = costs.kv_weight_bytes + tokens * out
            costs.fill(template, work, group, "regenerate", amount, self.again_flops(tokens))

    def fill_weights(self, template: Template, work: Work, parts: int, amount: Int | int) -> None:
        """The next layer's weights, in equal pieces."""
        upto = np.asarray(amount)[..., None] * np.arange(parts + 1) // parts
        self.costs.fill_copy(template, work, "weights.*", np.diff(upto))

    def prefill(self, template: Template, settings: Settings, next_load: tuple[Int, Int]) -> Work:
        """Work of a layer of prefill without its weights, one setting a row."""
        costs, rows = self.costs, len(settings.share)
        requests = len(self.prompts)
        work = template.blank(rows)
        prompts = np.broadcast_to(self.prompts, (rows, requests))
        made = self.tokens(prompts, settings)
        bin_of = arrival_bins(rows, requests, self.chunks)

        def sums(values: Int) -> Int:
            return bin_sums(values, bin_of, self.chunks)

        tokens, squares = sums(prompts), sums(prompts**2)
        kv, light = sums(made.kv_host), sums(made.light_host)
        costs.fill_layer(template, work, "run.*", "prefill", tokens, squares)
        costs.fill_copy(template, work, "store_kv.*", kv * costs.kv_bytes)
        costs.fill_copy(template, work, "store_act.*", light * self.light_bytes)
        costs.fill_copy(template, work, "load_kv", next_load[0] * costs.kv_bytes)
        costs.fill_copy(template, work, "load_act", next_load[1] * self.light_bytes)
        return work

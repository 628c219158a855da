"""How the published numbers of L3 (CHIME) are computed.

Figures 11 to 13 and the energies are those of a machine whose memory is filled: the average batch
of Fig. 12 grows with the capacity up to the last step, which the aligned batch of Fig. 15 does not.
So there CHIME is `l3-fill-first`; where the scheduler is what is measured it is `l3`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simcore.hardware import dimm_pim
from simcore.model import shapes
from simcore.reproduce.ask import Answer, Figures
from simcore.reproduce.names import Unresolved, is_unnamed, model_preset
from simcore.reproduce.serving_case import REQUESTS, ServingCase
from simcore.reproduce.targets import Target
from simcore.scenario.presets import preset
from simcore.scenario.schema import DimmPim
from simcore.scenario.schema.serving import LENGTHS

SYSTEM_NAMES: Mapping[str, str] = {
    "chime": "l3-fill-first",
    "l3": "l3-fill-first",
    "cpu": "cpu-offload",
    "gpu-only": "gpu-only",
    "hbm-pim": "hbm-pim",
    "hbm-pim-ext": "hbm-pim-ext",
    "hbm-pim-single-batch": "hbm-pim-single-batch",
    "r-pim": "r-pim",
    "cpu-offload": "cpu-offload",
    "l3-fill-first": "l3-fill-first",
    "l3-no-overlap": "l3-no-overlap",
    "l3-base": "l3-base",
    "l3-relayout": "l3-relayout",
}
"""What the paper calls a system to its registry id."""

TRACE_NAMES: Mapping[str, str] = {
    "openr1": "openr1-math-220k",
    "openthoughts": "openthoughts-114k-math",
    "dolphin": "dolphin-r1",
    "dolphin-r1": "dolphin-r1",
    "dolphin-short": "dolphin-short",
}
"""What the paper calls a trace to the statistics it is drawn from."""

POLICIES: Mapping[str, str] = {
    "fill-first": "l3-fill-first",
    "alignment-predicting": "l3",
    "aligned": "l3",
}
MODELS = ("opt-66b", "qwen2.5-72b", "gpt3-175b")
_TOKENS = (512, 1024, 2048, 4096, 8192)
_HEAD = 128
_GROUP = {"mha": 1, "gqa-8": 8, "gqa": 8}
_CAPACITY = "policy.capacity_fraction"
_READ = {
    *("model", "trace", "variant", "baseline", "capacity_fraction", "scale", "factor", "base"),
    *("attention", "tokens", "policy", "capacity_factor", "prefill", "decode", "overlap"),
    *("aggregate", "version", "ranksets", "channels", "ranks", "banks", "seed"),
}

Rule = Callable[["Asked"], Answer]


class Asked:
    """A target with what is needed to answer it."""

    def __init__(self, target: Target, figures: Figures) -> None:
        self.target = target
        self._figures = figures
        for key in target.config:
            if key not in _READ:
                raise Unresolved(f"The setting {key!r} of its config means nothing here.")

    def get(self, key: str) -> Any:
        """A value of the config; None if it is not given."""
        value = self.target.config.get(key)
        return None if is_unnamed(value) else value

    def number(self, key: str) -> float:
        """A number of the config.

        Raises:
            Unresolved: if there is none.
        """
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise Unresolved(f"The {key.replace('_', ' ')} {value!r} is not a number above zero.")
        return float(value)

    def system(self, key: str = "variant", default: str = "chime") -> str:
        """Registry id of a system of the config."""
        name = str(self.get(key) or default).strip().lower()
        if name not in SYSTEM_NAMES:
            raise Unresolved(f"The system {name!r} is not one of {', '.join(SYSTEM_NAMES)}.")
        return SYSTEM_NAMES[name]

    def model(self) -> str:
        """Preset of the model, GPT-175B if none is named."""
        return model_preset(str(self.get("model") or "GPT-175B"))

    def lengths(self) -> str:
        """Statistics of the trace, OpenR1 if none is named."""
        name = str(self.get("trace") or "OpenR1").strip().lower()
        name = TRACE_NAMES.get(name, name)
        if name not in LENGTHS:
            raise Unresolved(f"There are no lengths of the trace {name!r}.")
        return name

    def case(
        self, system: str, settings: Mapping[str, Any] | None = None, *, energy: bool = False
    ) -> ServingCase:
        """A run of the config's model and trace."""
        merged = dict(settings or {})
        if self.get("seed") is not None:
            merged["seed"] = int(self.number("seed"))
        return ServingCase(
            system, self.model(), self.lengths(), tuple(sorted(merged.items())), energy
        )

    def figure(self, case: ServingCase, name: str) -> float:
        """A figure of a run."""
        return self._figures.get(case, name)

    def ratio(self, top: ServingCase, bottom: ServingCase, name: str) -> float:
        """A figure of one run over that of another."""
        below = self.figure(bottom, name)
        if not below:
            raise Unresolved("What it would be divided by is zero.")
        return self.figure(top, name) / below


def answer(target: Target, figures: Figures) -> Answer:
    """The simulated value of a target.

    Raises:
        Unresolved: with the reason, if there is none.
    """
    asked = Asked(target, figures)
    text = ".".join(target.parts)
    for pattern, rule in RULES:
        if re.search(pattern, text):
            return rule(asked)
    raise Unresolved(f"Nothing that is simulated is called {target.parts[-1]!r}.")


def _throughput(asked: Asked) -> Answer:
    return _against(asked, "tokens_per_s", "Tokens per second")


def _batch(asked: Asked) -> Answer:
    return _against(asked, "mean_batch", "Average batch of both sub-batches")


def _latency(asked: Asked) -> Answer:
    return _against(asked, "latency_ms", "Mean length of a step")


def _against(asked: Asked, figure: str, what: str) -> Answer:
    system, below = asked.system(), asked.system("baseline", "gpu-only")
    settings = {}
    fraction = asked.get("capacity_fraction")
    if fraction is not None and asked.number("capacity_fraction") != 1:
        settings = {_CAPACITY: asked.number("capacity_fraction")}
    top, bottom = asked.case(system, settings), asked.case(below)
    value = asked.ratio(top, bottom, figure)
    return Answer(
        value,
        f"{what} of {top} over {bottom}: {asked.figure(top, figure):.4g} over "
        f"{asked.figure(bottom, figure):.4g}; {REQUESTS} requests.",
    )


def _scaled(factor: float, kind: str) -> dict[str, Any]:
    """One rank of every channel and 512 GiB, with more of either."""
    ranks = int(factor) if kind in ("bw", "both") else 1
    memory = factor if kind in ("cap", "both") else 1.0
    return {
        "hardware.dimm_pim.dimms_per_channel": 1,
        "hardware.dimm_pim.ranks_per_dimm": ranks,
        "hardware.dimm_pim.capacity_GiB": 512.0 * memory,
    }


def _scaling(asked: Asked) -> Answer:
    kind = str(asked.get("scale") or asked.target.parts[-3].removeprefix("scale-"))
    if kind not in ("bw", "cap", "both"):
        raise Unresolved(f"The scale {kind!r} is not one of bw, cap, both.")
    given = asked.get("factor") or asked.target.parts[-2].removeprefix("x")
    factor = float(given)
    top = asked.case("l3-fill-first", _scaled(factor, kind))
    bottom = asked.case("l3-fill-first", _scaled(1, kind))
    value = asked.ratio(top, bottom, "tokens_per_s")
    return Answer(value, f"Tokens per second of {top} over one rankset with 512 GiB.")


def _attention(asked: Asked) -> Answer:
    attention, tokens = str(asked.get("attention") or "").lower(), asked.number("tokens")
    variant = str(asked.get("variant") or "")
    if attention not in _GROUP or variant not in ("r-dp", "base", "relayout", "pipeline"):
        raise Unresolved(f"There is no attention {attention!r} with variant {variant!r}.")
    value = _kernel(variant, _GROUP[attention], int(tokens))
    return Answer(
        value,
        f"One head of {_HEAD} elements on one rank, {int(tokens)} tokens: {variant} over base.",
    )


def _kernel(variant: str, queries: int, tokens: int) -> float:
    pim = DimmPim()
    base = dimm_pim.kernel_ps(pim, "base", _HEAD, queries, tokens)
    return dimm_pim.kernel_ps(pim, variant, _HEAD, queries, tokens) / base


def _points(queries: tuple[int, ...]) -> list[tuple[int, int]]:
    """Points of Fig. 14: all lengths with MHA, the longest with GQA-8."""
    return [(q, t) for q in queries for t in (_TOKENS if q == 1 else _TOKENS[-1:])]


def _pipeline_cut(asked: Asked) -> Answer:
    queries = _GROUP.get(str(asked.get("attention") or "MHA").lower(), 1)
    cuts = [
        1 - _kernel("pipeline", q, t) / _kernel("relayout", q, t) for q, t in _points((queries,))
    ]
    kind = "mean over the lengths of Fig. 14" if len(cuts) > 1 else "at 8192 tokens"
    return Answer(sum(cuts) / len(cuts), f"Latency cut by pipelining over re-layout alone, {kind}.")


def _relayout_cut(asked: Asked) -> Answer:
    cuts = [1 - _kernel("relayout", q, t) for q, t in _points((1, 8))]
    return Answer(max(cuts), "Largest cut by re-layout in hardware over the points of Fig. 14.")


def _all_low(asked: Asked) -> Answer:
    """At the longest context, where the published low end lies."""
    return Answer(
        min(1 / _kernel("pipeline", q, _TOKENS[-1]) for q in (1, 8)),
        "Smallest speedup of all optimisations over base at 8192 tokens (MHA).",
    )


def _all_high(asked: Asked) -> Answer:
    values = [1 / _kernel("pipeline", q, t) for q, t in _points((1, 8))]
    return Answer(max(values), "Largest speedup of all optimisations over base in Fig. 14.")


def _bank_over_rank(asked: Asked) -> Answer:
    values = [
        _kernel("r-dp", q, t) / _kernel(v, q, t)
        for q, t in _points((1, 8))
        for v in ("base", "relayout", "pipeline")
    ]
    return Answer(min(values), "Smallest speedup of a bank-level variant over R-DP in Fig. 14.")


def _schedule(asked: Asked) -> Answer:
    figure = "tbt_ms" if asked.target.parts[-1] == "tbt" else "tokens_per_s"
    name = str(asked.get("policy") or "alignment-predicting")
    if name not in POLICIES:
        raise Unresolved(f"The policy {name!r} is not one of {', '.join(POLICIES)}.")
    factor = asked.number("capacity_factor")
    settings = {_CAPACITY: factor} if factor != 1 else {}
    top, bottom = asked.case(POLICIES[name], settings), asked.case("l3-fill-first")
    what = "Time between tokens" if figure == "tbt_ms" else "Tokens per second"
    return Answer(asked.ratio(top, bottom, figure), f"{what} of {top} over {bottom}.")


def _tbt_cut(asked: Asked) -> Answer:
    settings = {_CAPACITY: 2.0}
    top, bottom = asked.case("l3", settings), asked.case("l3-fill-first", settings)
    return Answer(
        1 - asked.ratio(top, bottom, "tbt_ms"),
        "Time between tokens of the aligned batch against the filled memory at twice the "
        "capacity, GPT-175B and OpenR1, where Fig. 15 has its largest cut.",
    )


_PAIR = re.compile(r"(\d+)\s*x\s*(\d+)\s*(K?)", re.IGNORECASE)


def _pair(asked: Asked, key: str) -> tuple[int, int]:
    found = _PAIR.fullmatch(str(asked.get(key) or "").strip())
    if not found:
        raise Unresolved(f"The {key} {asked.get(key)!r} is not such as '4 x 192'.")
    return int(found[1]), int(found[2]) * (1024 if found[3] else 1)


def _transfer(asked: Asked) -> Answer:
    prompts, decodes = _pair(asked, "prefill"), _pair(asked, "decode")
    value = _overhead(asked.model(), prompts, decodes, overlap=bool(asked.get("overlap")))
    return Answer(100 * value, "Transfers of one layer over decode attention spread evenly.")


def _overhead(
    model_id: str, prompts: tuple[int, int], decodes: tuple[int, int], *, overlap: bool
) -> float:
    """Transfer time over attention time of one layer, decodes spread evenly over all ranks."""
    model = ServingCase("l3", model_id, "openr1-math-220k").scenario().model
    pim = DimmPim()
    link = preset("pcie", "l3-pcie4").values["bandwidth_GBps"] * 8
    kv = shapes.kv_token_bytes(model)
    vectors = (shapes.qkv_width(model) + shapes.attention_width(model)) * model.bytes_per_kv
    moved = prompts[0] * prompts[1] * kv + decodes[0] * vectors
    read = decodes[0] * decodes[1] * kv
    attention = read / (dimm_pim.all_bank_units_GBps(pim) * pim.efficiency)
    sets = dimm_pim.ranksets(pim)
    return dimm_pim.exposed_ps(moved / link, sets, overlap=overlap) / attention


def _transfer_cut(asked: Asked) -> Answer:
    case = ((4, 192), (64, 8192))
    serial = _overhead("gpt3-175b", *case, overlap=False)
    hidden = _overhead("gpt3-175b", *case, overlap=True)
    return Answer(1 - hidden / serial, "By construction: three of four ranksets go on computing.")


def _energy(asked: Asked) -> Answer:
    part = asked.target.parts[-1].removeprefix("energy-")
    top = asked.case(asked.system(), energy=True)
    bottom = asked.case("hbm-pim", energy=True)
    whole = asked.figure(bottom, "energy_total")
    if not whole:
        raise Unresolved("What it would be divided by is zero.")
    return Answer(
        asked.figure(top, f"energy_{part}") / whole,
        f"Energy of a token ({part}) of {top} over the total of HBM-PIM.",
    )


def _energy_cut(asked: Asked) -> Answer:
    top, bottom = (asked.case(s, energy=True) for s in ("l3-fill-first", "gpu-only"))
    return Answer(
        1 - asked.ratio(top, bottom, "energy_total"),
        "Energy of a token against GPU-only, GPT-175B and OpenR1.",
    )


def _largest(asked: Asked) -> Answer:
    top, below = asked.system(), asked.system("baseline", "hbm-pim")
    found: list[tuple[float, str]] = []
    for model in MODELS:
        for lengths in LENGTHS:
            mine, other = (ServingCase(s, model, lengths) for s in (top, below))
            value = asked.ratio(mine, other, "tokens_per_s")
            found.append((value, f"{model} {lengths} {value:.3g}"))
    return Answer(
        max(value for value, _ in found),
        f"{top} over {below}: {', '.join(text for _, text in found)}; the largest.",
    )


def _bandwidth_gain(asked: Asked) -> Answer:
    top = asked.case("hbm-pim")
    bottom = asked.case("hbm-pim", {"hardware.hbm_pim.internal_scale": 1.0})
    return Answer(
        asked.ratio(top, bottom, "tokens_per_s") - 1,
        "HBM-PIM with sixteen times the external bandwidth against once.",
    )


def _batch_gain(asked: Asked) -> Answer:
    top, bottom = asked.case("l3-fill-first"), asked.case("gpu-only")
    return Answer(asked.ratio(top, bottom, "mean_batch"), f"Average batch, {top.short}.")


def _latency_gain(asked: Asked) -> Answer:
    top, bottom = asked.case("l3-fill-first"), asked.case("gpu-only")
    return Answer(asked.ratio(top, bottom, "latency_ms"), f"Mean length of a step, {top.short}.")


def _over_cpu(asked: Asked) -> Answer:
    top, bottom = asked.case("l3-fill-first"), asked.case("cpu-offload")
    return Answer(asked.ratio(top, bottom, "tokens_per_s"), f"Tokens per second, {top.short}.")


def _many_ranksets(asked: Asked) -> Answer:
    more = {"hardware.dimm_pim.ranks_per_dimm": 8}
    top, bottom = asked.case("l3", more), asked.case("gpu-only")
    return Answer(
        asked.ratio(top, bottom, "tbt_ms"), "Time between tokens with 16 ranksets, GPT-175B."
    )


def _bandwidth(value: Callable[[DimmPim], float], unit: float) -> Rule:
    def rule(asked: Asked) -> Answer:
        pim = DimmPim()
        return Answer(value(pim) / unit, "From the DRAM timing, without a run.")

    return rule


def _free_memory(asked: Asked) -> Answer:
    from simcore.engine.simulator import Simulator

    plan: Any = Simulator(
        ServingCase("gpu-only", asked.model(), asked.lengths()).scenario()
    ).run.plan
    tokens = plan.capacity_tokens
    return Answer(
        tokens * plan.model.layers * shapes.kv_token_bytes(plan.model) / 2**30,
        "Memory of the GPUs less weights and tables, in whole tokens of KV.",
    )


def _spread(asked: Asked) -> Answer:
    queries = _GROUP.get(str(asked.get("attention") or "").lower(), 1)
    return Answer(
        float(dimm_pim.n_hc(DimmPim(), _HEAD, queries)),
        "Eq. (1) with tCCD_S, a power of two; with tCCD_L it allows twice as many.",
    )


def _kv_bytes(asked: Asked) -> Answer:
    model = ServingCase("l3", asked.model(), "openr1-math-220k").scenario().model
    return Answer(float(model.layers * shapes.kv_token_bytes(model)), "From the model's shape.")


RULES: tuple[tuple[str, Rule], ...] = (
    (r"scale-(bw|cap|both)\.x\d+\.throughput$", _scaling),
    (r"\.sched\.max\.tbt\.reduction$", _tbt_cut),
    (r"\.sched\..*\.(throughput|tbt)$", _schedule),
    (r"\.attn\.(mha|gqa)\.pipeline\.reduction$", _pipeline_cut),
    (r"\.attn\.max\.relayout\.reduction$", _relayout_cut),
    (r"\.attn\.all\.speedup\.min$", _all_low),
    (r"\.attn\.all\.speedup\.max$", _all_high),
    (r"\.attn\.bank-vs-r-dp\.speedup$", _bank_over_rank),
    (r"\.attn\..*\.latency$", _attention),
    (r"\.pcie\.max\.overhead\.reduction$", _transfer_cut),
    (r"\.pcie\..*\.overhead$", _transfer),
    (r"\.energy\.reduction$", _energy_cut),
    (r"\.energy-(fc|attention|background|other|total)$", _energy),
    (r"\.max\.[^.]+-vs-[^.]+\.speedup$", _largest),
    (r"\.hbm-pim-bw16\.gain$", _bandwidth_gain),
    (r"\.batch\.gain$", _batch_gain),
    (r"\.latency-per-batch$", _latency_gain),
    (r"\.l3-vs-cpu\.speedup$", _over_cpu),
    (r"\.tbt\.ranksets16\.(min|max)$", _many_ranksets),
    (r"\.host\.bandwidth$", _bandwidth(dimm_pim.host_GBps, 1.0)),
    (r"\.rank-pim\.bandwidth$", _bandwidth(dimm_pim.all_rank_units_GBps, 1e3)),
    (r"\.bank-pim\.bandwidth$", _bandwidth(dimm_pim.all_bank_units_GBps, 1e3)),
    (r"\.free-memory$", _free_memory),
    (r"\.layout\.(mha|gqa)\.nhc$", _spread),
    (r"\.kv-per-token$", _kv_bytes),
    (r"\.(breakdown-)?batch$", _batch),
    (r"\.(breakdown-)?latency$", _latency),
    (r"\.throughput$", _throughput),
)
"""Pattern of an id to its rule, the first match counts."""

"""How each kind of published number is computed from a simulation.

A rule is found by the last parts of a target's id, the longest match first, so `predictor.share`
comes before a rule for every `share`. It reads the rest from the target's config.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from simcore.activations.space import neuron_space
from simcore.reproduce.ask import Answer, Ask, Cells
from simcore.reproduce.cases import RunCase
from simcore.reproduce.figures import LINK_GBPS_OF_PAPER, LINK_OVER_HOST
from simcore.reproduce.names import Unresolved, model_preset, system_id
from simcore.reproduce.tolerance import Verdict

Rule = Callable[[Ask], Answer]
RULES: dict[str, Rule] = {}
"""Last parts of an id to the rule."""

RATES = {"tokens/s": "tokens_per_s", "decode tokens/s": "decode_tokens_per_s"}
TIMES = {"mlp-block latency": "mlp_latency_s", "step latency": "step_s", "time": "duration_s"}
"""`metric` of a config to the figure; of a time, less is better."""


def rule(*endings: str) -> Callable[[Rule], Rule]:
    """Register a rule for ids that end so."""

    def decorate(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(endings, function))
        return function

    return decorate


def find_rule(parts: Sequence[str], family: str = "") -> Rule:
    """The rule of an id; one registered as ``family:ending`` comes before a general one.

    Raises:
        Unresolved: if there is none.
    """
    for start in range(len(parts)):
        ending = ".".join(parts[start:])
        found = RULES.get(f"{family}:{ending}") or RULES.get(ending)
        if found:
            return found
    raise Unresolved(f"Nothing that is simulated is called {parts[-1]!r}.")


def combine(ask: Ask, cells: Cells, what: str, *, quotients: bool = False) -> Answer:
    """One value of several: what config or id say, else the worst under a bound, else a mean.

    Args:
        ask: the target.
        cells: the values.
        what: the quantity, in words.
        quotients: whether the values are quotients; their average, when its kind is not stated, is
            computed both ways and the nearer one is judged.
    """
    values, about = cells.values, f"{what}: {cells.note}"
    if len(values) == 1:
        return Answer(values[0], f"{about}.")
    said = f"{ask.text('aggregate')} {' '.join(ask.target.parts)}".lower().split()
    bound = ask.target.tolerance.kind
    if "max" in said or "largest" in said:
        return Answer(max(values), f"{about}; the largest.")
    if "min" in said or "smallest" in said:
        return Answer(min(values), f"{about}; the smallest.")
    if bound in ("min", "max"):
        worst = max(values) if bound == "max" else min(values)
        return Answer(worst, f"{about}; the worst under the bound.")
    mean = math.fsum(values) / len(values)
    if not quotients or "arithmetic" in said or min(values) <= 0:
        return Answer(mean, f"{about}; the arithmetic mean.")
    geometric = math.exp(math.fsum(math.log(value) for value in values) / len(values))
    if "geometric" in said:
        return Answer(geometric, f"{about}; the geometric mean.")
    paper = ask.target.value
    first = isinstance(paper, str) or abs(mean - paper) <= abs(geometric - paper)
    value, name = (mean, "arithmetic") if first else (geometric, "geometric")
    return Answer(
        value,
        f"{about}; arithmetic mean {mean:.4g}, geometric mean {geometric:.4g}: the {name} one is "
        "nearer and is judged.",
    )


def over_models(ask: Ask, figure: str, what: str, default: str = "") -> Answer:
    """A figure of the variant (`default` where none is named) over the models covered."""
    system = ask.variant(default)
    cells = ask.each(
        ask.models(system, every=True),
        lambda cell: ask.figure(ask.case(system, *cell), figure),
    )
    return combine(ask, cells, f"{what}, {system}")


@rule("tokps")
def speed(ask: Ask) -> Answer:
    """End-to-end tokens per second."""
    return over_models(ask, "tokens_per_s", "Tokens per second")


@rule("speedup", "ratio", "slowdown")
def quotient(ask: Ask) -> Answer:
    """Speed of the variant over that of the baseline, cell by cell, then combined."""
    variant, (baseline, dimms) = ask.variant(), ask.baseline()
    metric = (ask.text("metric") or "tokens/s").lower()
    rate, time = RATES.get(metric), TIMES.get(metric)
    if not rate and not time:
        raise Unresolved(f"The metric {metric!r} is not one of {', '.join([*RATES, *TIMES])}.")
    figure = str(rate or time)

    def cell_value(cell: tuple[str, int]) -> float:
        mine = ask.figure(ask.case(variant, *cell), figure)
        other = ask.figure(ask.case(baseline, *cell, dimms=dimms), figure)
        return divide(mine, other) if rate else divide(other, mine)

    cells = ask.each(ask.models(variant, baseline), cell_value)
    divided = f"{baseline} with {dimms} DIMMs" if dimms else baseline
    kind = f", {ask.text('metric')}" if time else ""
    return combine(ask, cells, f"{variant} over {divided}{kind}", quotients=True)


def divide(top: float, bottom: float) -> float:
    """A quotient.

    Raises:
        Unresolved: if there is nothing to divide by.
    """
    if not bottom:
        raise Unresolved("What it would be divided by is zero.")
    return top / bottom


@rule("fixed-vs-oracle.slowdown")
def against_oracle(ask: Ask) -> Answer:
    """Time of a token with the offline placement kept, over that with an oracle's."""
    fixed = system_id(ask.text("variant") or "hermes-partition")
    oracle = ask.baseline()[0] if ask.text("baseline") else system_id("hermes-oracle")

    def cell_value(cell: tuple[str, int]) -> float:
        mine = ask.figure(ask.case(fixed, *cell), "step_s")
        return divide(mine, ask.figure(ask.case(oracle, *cell), "step_s"))

    cells = ask.each(ask.models(ask.main), cell_value)
    return combine(ask, cells, f"Step time of {fixed} over {oracle}", quotients=True)


@rule("token-generation.share")
def generation_share(ask: Ask) -> Answer:
    """Share of the time that is decoding."""
    return over_models(ask, "decode_share", "Decode share of the time")


@rule("prompt.share", "prefill.share")
def prompt_share(ask: Ask) -> Answer:
    """Share of the time that is prefill."""
    return over_models(ask, "prefill_share", "Prefill share of the time")


@rule("predictor.share")
def predictor_share(ask: Ask) -> Answer:
    """Predictor's time over the whole time, or over computation where the quantity says so."""
    if "computation" in ask.target.quantity.lower():
        return over_models(ask, "predict_compute_share", "Predictor share of computation time")
    return over_models(ask, "predict_share", "Predictor share of the time")


@rule("communication.share")
def communication_share(ask: Ask) -> Answer:
    """Time in which data moves between host and GPU over the whole time."""
    return over_models(ask, "communication_share", "Share of the time in which data moves")


@rule("pcie-share.plain")
def plain_pcie_share(ask: Ask) -> Answer:
    """PCIe share of offloading without sparsity."""
    return over_models(
        ask, "communication_share", "Share of the time in which data moves", "flexgen"
    )


@rule("pcie-share.sparse")
def sparse_pcie_share(ask: Ask) -> Answer:
    """PCIe share of offloading with sparsity."""
    return over_models(
        ask, "communication_share", "Share of the time in which data moves", "dejavu"
    )


@rule("dimm-compute.share")
def dimm_share(ask: Ask) -> Answer:
    """Share of the operations of decoding that the DIMMs do."""
    return over_models(ask, "dimm_compute_share", "DIMM share of the operations in decoding")


@rule("migration-host.share", "migration-dimmlink.share", "migration.share")
def migration_share(ask: Ask) -> Answer:
    """Time of moving cold neurons between DIMMs over the whole time."""
    path = ask.text("path") or ("host" if "host" in ask.target.parts[-2] else "dimm-link")
    if path not in ("host", "dimm-link"):
        raise Unresolved(f"The path {path!r} is neither 'host' nor 'dimm-link'.")
    if path == "host":
        return over_models(
            ask,
            "remap_host_share",
            f"Share of the time if the same moves went through the host at "
            f"{LINK_GBPS_OF_PAPER / LINK_OVER_HOST:.3f} GB/s, hidden behind nothing",
        )
    return over_models(
        ask, "remap_share", "Share of the time the busiest DIMM-link remaps, hidden or not"
    )


@rule("dimmlink.vs-host.speedup")
def link_over_host(ask: Ask) -> Answer:
    """DIMM-link over the path through the host."""
    return Answer(
        LINK_OVER_HOST,
        "By construction: the simulator has no path through the host, and the rate used for the "
        "migration shares is derived from this very figure, so it is not judged.",
        Verdict.INFO,
    )


@rule("predictor.accuracy", "accuracy")
def accuracy(ask: Ask) -> Answer:
    """Share of neurons predicted right, active or not."""
    answer = over_models(ask, "summary.predictor_accuracy", "Accuracy (zeros included)")
    recall = over_models(ask, "summary.predictor_recall", "Recall")
    trivial = over_models(ask, "summary.trivial_accuracy", "Accuracy of predicting nothing")
    note = f" Mean recall {recall.value:.3f}; predicting nothing would reach {trivial.value:.3f}."
    return Answer(answer.value, answer.reason + note)


@rule("recall")
def recall(ask: Ask) -> Answer:
    """Share of active neurons that were predicted."""
    return over_models(ask, "summary.predictor_recall", "Predictor recall")


@rule("fixed.min")
def fixed_smallest(ask: Ask) -> Answer:
    """Smallest load ratio of the busiest DIMM without remapping."""
    return over_models(
        ask, "fixed_imbalance_min", "Busiest DIMM over the mean of the others", "hermes-partition"
    )


@rule("fixed.max")
def fixed_largest(ask: Ask) -> Answer:
    """Largest load ratio of the busiest DIMM without remapping."""
    return over_models(
        ask, "fixed_imbalance_max", "Busiest DIMM over the mean of the others", "hermes-partition"
    )


@rule("imbalance.window.max")
def window_variation(ask: Ask) -> Answer:
    """Load of the busiest DIMM above the mean, inside windows after a remap."""
    return over_models(ask, "window_imbalance", "Busiest DIMM above the mean in a window")


@rule("hot.compute-share", "compute-share")
def hot_share(ask: Ask) -> Answer:
    """Share of all activations made by the hottest neurons."""
    share = _fraction(ask)
    cells = ask.each(
        [model for model, _ in ask.models(ask.main, every=True)],
        lambda model: ask.activity(model, "hot_compute_share", share),
    )
    return combine(ask, cells, f"Activations made by the hottest {100 * share:g} %")


@rule("hot-drift.share")
def drift(ask: Ask) -> Answer:
    """Share of initially hot neurons that cool down."""
    share = _fraction(ask)
    cells = ask.each(
        [model for model, _ in ask.models(ask.main, every=True)],
        lambda model: ask.activity(model, "hot_drift", share),
    )
    return combine(ask, cells, "Initially hot neurons that leave the hottest fifth of their layer")


def _fraction(ask: Ask) -> float:
    value = ask.get("hot_fraction")
    if value is None:
        return 0.2
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise Unresolved(f"The hot fraction {value!r} is not a number above 0 and up to 1.")
    return float(value)


SIMILARITY_MODELS = ("LLaMA-13B", "Falcon-40B")
"""Models of the similarity study (Hermes, section III and Fig. 4)."""


@rule("similarity.adjacent", "similarity.far", "similarity")
def similarity(ask: Ask) -> Answer:
    """Agreement of the activity of tokens at a distance."""
    given = ask.get("distance")
    distance = -1.0 if ask.target.parts[-1] == "far" else 1.0
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given >= 1:
        distance = float(given)
    elif isinstance(given, str) and given.strip().startswith(">"):
        distance = -1.0
    elif given is not None:
        raise Unresolved(f"The distance {given!r} is neither a number of tokens nor '>10'.")
    named = bool(ask.text("model") or ask.text("models"))
    names = (
        [model for model, _ in ask.models(ask.main)]
        if named
        else [model_preset(name) for name in SIMILARITY_MODELS]
    )
    cells = ask.each(names, lambda model: ask.activity(model, "similarity", distance))
    where = "11 to 64" if distance < 0 else f"{distance:g}"
    return combine(ask, cells, f"Neurons in the same state, zeros included, distance {where}")


@rule("state-table.kb")
def state_table(ask: Ask) -> Answer:
    """Size of the predictor's state table in units of 1024 bytes."""
    name = ask.text("model")
    if not name:
        raise Unresolved("The target names no model.")
    model = RunCase("hermes", model_preset(name)).scenario().model
    neurons = neuron_space(model).neurons
    each = neurons // model.layers
    return Answer(
        neurons * 4 / 8 / 1024,
        f"By construction: {model.layers} layers of {each} neurons at 4 bits; the paper counts "
        f"14.5 K neurons in a layer of LLaMA-7B, the released model has {model.ffn} in its MLP.",
    )


@rule("ilp.seconds", "seconds")
def solve_time(ask: Ask) -> Answer:
    """Time of the offline solver, on the computer that solved the program."""
    model = model_preset(ask.text("model") or "relullama2-70b")
    case = RunCase("hermes", model, output_tokens=1, settings=(("policy.partition", "ilp"),))
    return Answer(
        ask.figure(case, "solver_s"),
        f"The program for {model}, 64 neurons to a group, on the computer that solved it; the "
        "paper names neither model nor computer.",
    )


@rule("usd")
def price(ask: Ask) -> Answer:
    """Cost of a system."""
    raise Unresolved(
        "For information only: prices are not simulated, and the paper gives no split of the sum."
    )

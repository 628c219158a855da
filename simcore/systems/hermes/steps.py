"""Phases of a step on the Hermes machine (Hermes, IV-A2, Fig. 6)."""

from __future__ import annotations

from simcore.engine.phases import Group, Phase, Template
from simcore.results.spans import Lane, WaitReason
from simcore.systems.hermes.machine import DOWN, FIRST_UNIT, GPU, OP, OPS, UP


class Phases:
    """Builds the phases on lanes as `machine.make_lanes` orders them."""

    def __init__(self, lanes: tuple[Lane, ...], units: int) -> None:
        self._lanes = lanes
        first_link = FIRST_UNIT + units
        self._units = tuple(range(FIRST_UNIT, first_link))
        self._links = tuple(range(first_link, len(lanes) - 1))
        self._host = len(lanes) - 1

    @staticmethod
    def _idle(*which: int) -> dict[int, WaitReason]:
        return dict.fromkeys(which, WaitReason.DEPENDENCY)

    def split(self, name: str, hot: str, cold: str) -> Phase:
        """A block computed by GPU and DIMMs side by side, after the predictor."""
        predict = f"{name}.predict"
        return Phase(
            name,
            (
                Group(predict, OP["predict"], (self._host,)),
                Group(f"{name}.up", OP["input_up"], (UP,), (predict,)),
                Group(f"{name}.hot", OP[hot], (GPU,), (f"{name}.up",)),
                Group(f"{name}.down", OP["result_down"], (DOWN,), (f"{name}.hot",)),
                Group(f"{name}.cold", OP[cold], self._units, (predict,)),
            ),
        )

    def either(self, name: str, gpu_op: str, dimm_op: str) -> Phase:
        """A whole FC layer on the GPU or on the DIMMs."""
        return Phase(
            name,
            (
                Group(f"{name}.up", OP["input_up"], (UP,)),
                Group(f"{name}.hot", OP[gpu_op], (GPU,), (f"{name}.up",)),
                Group(f"{name}.down", OP["result_down"], (DOWN,), (f"{name}.hot",)),
                Group(f"{name}.cold", OP[dimm_op], self._units),
            ),
        )

    def _gather(self, name: str) -> tuple[Group, ...]:
        return (Group(f"{name}.gather", OP["gather"], self._links),) if self._links else ()

    def _after_gather(self, name: str) -> tuple[str, ...]:
        return (f"{name}.gather",) if self._links else ()

    def attention(self) -> Phase:
        """Gather and merge Q, K and V on the DIMMs, then attention there."""
        return Phase(
            "attention",
            (
                *self._gather("attention"),
                Group("attention.merge", OP["merge"], self._units, self._after_gather("attention")),
                Group("attention.run", OP["attention"], self._units),
            ),
            self._idle(GPU),
        )

    def projection(self) -> Phase:
        """The dense projection on the GPU, neurons moving in its shadow."""
        move = (Group("projection.remap", OP["remap"], self._links),) if self._links else ()
        return Phase(
            "projection",
            (
                Group("projection.up", OP["input_up"], (UP,)),
                Group("projection.run", OP["projection"], (GPU,), ("projection.up",)),
                Group("projection.swap", OP["swap_in"], (UP,)),
                Group("projection.down", OP["result_down"], (DOWN,), ("projection.run",)),
                *move,
            ),
            self._idle(*self._units),
        )

    def output(self) -> Phase:
        """Sum of the MLP's parts, residual and normalisation on the DIMMs."""
        return Phase(
            "output",
            (
                *self._gather("output"),
                Group("output.merge", OP["merge"], self._units, self._after_gather("output")),
            ),
            self._idle(GPU),
        )

    def head(self) -> Phase:
        """The output table on the GPU."""
        return Phase(
            "head",
            (
                Group("head.up", OP["input_up"], (UP,)),
                Group("head.run", OP["lm_head"], (GPU,), ("head.up",)),
            ),
            self._idle(*self._units),
        )

    def prefill(self) -> tuple[Phase, Phase, Phase]:
        """First layer's weights; every layer beside the next one's weights; resident weights."""
        return (
            Phase("first", (Group("first.stream", OP["stream"], (UP,)),), self._idle(GPU)),
            Phase(
                "body",
                (
                    Group("body.stream", OP["stream"], (UP,)),
                    Group("body.run", OP["prefill"], (GPU,)),
                    Group("body.kv", OP["kv_down"], (DOWN,), ("body.run",)),
                ),
            ),
            Phase("load", (Group("load.hot", OP["load_hot"], (UP,)),), self._idle(GPU)),
        )

    def template(self, *phases: Phase) -> Template:
        """A template of these phases on the machine's lanes."""
        return Template(phases, self._lanes, OPS)


def common_templates(phases: Phases) -> dict[str, Template]:
    """Templates of the end of a token and of prefill, by field of the plan."""
    first, body, load = phases.prefill()
    return {
        "tail": phases.template(phases.head()),
        "prefill_head": phases.template(first),
        "prefill_layer": phases.template(body),
        "prefill_tail": phases.template(load),
    }

"""`dimmscope dram`: sustained bandwidth of a DRAM channel, with what limits it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.errors import Problem, ScenarioErrors, did_you_mean

_CHOICES = {
    "pattern": ("stream", "gather"),
    "layout": ("linear", "bank-group", "mop4", "rank", "one-bank"),
    "scope": ("channel", "rank", "bank"),
    "method": ("analytic", "command"),
}
_MAX_BURSTS = 200_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("preset", metavar="PRESET", nargs="?", help="a DRAM preset, see `list`")
    parser.add_argument("--ranks", metavar="N", default="1", help="ranks on the channel (1)")
    parser.add_argument(
        "--pattern", metavar="stream|gather", default="stream", help="what is read (stream)"
    )
    parser.add_argument(
        "--granule", metavar="BYTES", default="64", help="contiguous bytes of a gather (64)"
    )
    parser.add_argument(
        "--layout",
        metavar="|".join(_CHOICES["layout"]),
        default="bank-group",
        help="how addresses go to banks (bank-group)",
    )
    parser.add_argument(
        "--streams", metavar="N", default="1", help="streams or granules read in turns (1)"
    )
    parser.add_argument(
        "--queue",
        metavar="N",
        default="auto",
        help="requests the controller sees at once (32 a pseudo-channel)",
    )
    parser.add_argument(
        "--scope",
        metavar="channel|rank|bank",
        default="channel",
        help="who reads: the channel, a unit beside each rank or in each bank (channel)",
    )
    parser.add_argument(
        "--method",
        metavar="analytic|command",
        default="analytic",
        help="by formula, or by issuing every command (analytic)",
    )
    parser.add_argument("--writes", metavar="SHARE", default="0", help="share written, 0 to 1 (0)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="change timings, such as nFAW=32",
    )
    parser.add_argument("--no-refresh", action="store_true", help="leave refresh out")
    parser.add_argument(
        "--bursts", metavar="N", default="20000", help="bursts of --method command (20000)"
    )
    parser.add_argument("--seed", metavar="N", default="1", help="seed of random places (1)")
    parser.add_argument("--json", metavar="FILE|-", help="write JSON to a file or stdout")
    parser.add_argument(
        "--write-docs", metavar="FILE", help="write the page on devices (docs/devices.md) instead"
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Print the bandwidth."""
    if arguments.write_docs:
        from simcore.export.devices import write_page

        write_page(arguments.write_docs)
        return Exit.DONE
    result = _result(arguments)
    if arguments.json:
        console.json(result, arguments.json)
        if arguments.json == "-":
            return Exit.DONE
    _show(result, console)
    return Exit.DONE


def _result(arguments: argparse.Namespace) -> dict[str, Any]:
    from simcore.hardware.dram.analytic import Access, Pattern, Scope, estimate, usual_queue
    from simcore.hardware.dram.energy import energy_per_bit
    from simcore.hardware.dram.layout import Layout
    from simcore.hardware.dram.presets import dram_preset, dram_presets

    if arguments.preset is None:
        raise ScenarioErrors(
            [Problem("PRESET", "a preset is needed", ", ".join(dram_presets()))], "dram"
        )
    found = _Arguments()
    words = {name: found.word(arguments, name) for name in _CHOICES}
    ranks = found.whole("--ranks", arguments.ranks, 1, 16)
    granule = found.whole("--granule", arguments.granule, 1, 1 << 30)
    streams = found.whole("--streams", arguments.streams, 1, 1024)
    bursts = found.whole("--bursts", arguments.bursts, 100, _MAX_BURSTS)
    seed = found.whole("--seed", arguments.seed, 0, 2**63 - 1)
    writes = found.share("--writes", arguments.writes)
    changes = found.settings(arguments.set)
    preset = dram_preset(arguments.preset)
    asked = str(usual_queue(preset.timing)) if arguments.queue == "auto" else arguments.queue
    queue = found.whole("--queue", asked, 1, 4096)
    try:
        timing = preset.timing.with_values(changes)
    except ScenarioErrors as error:
        found.problems += error.problems
    if words["method"] == "command" and words["scope"] == "bank":
        found.add("--method", "the command-level model has no units in banks", "analytic")
    found.check()
    preset = dataclasses.replace(preset, timing=timing)
    access = Access(
        Pattern(words["pattern"]),
        Layout(words["layout"]),
        granule_bytes=granule,
        streams=streams,
        ranks=ranks,
        queue=queue,
        scope=Scope(words["scope"]),
        write_share=writes,
        refresh=not arguments.no_refresh,
    )
    one = estimate(timing, access)
    fraction = one.fraction_of_peak
    if words["method"] == "command":
        fraction = _by_commands(timing, access, bursts, seed)
        one = dataclasses.replace(
            one, fraction_of_peak=fraction, bandwidth_GBps=fraction * one.peak_GBps
        )
    energy = energy_per_bit(preset, access, one)
    return {
        "preset": preset.id,
        "title": preset.title,
        "method": words["method"],
        "fraction_of_peak": fraction,
        "bandwidth_GBps": one.bandwidth_GBps,
        "peak_GBps": one.peak_GBps,
        "energy_pJ_per_bit": energy.total,
        "energy_parts_pJ_per_bit": {
            name: getattr(energy, name)
            for name in ("activate", "array", "io", "background", "refresh")
        },
        "energy_missing": list(energy.missing),
        "energy_sources": _sources(preset, energy.total),
        "limited_by": one.limited_by,
        "periods_nCK": dict(one.periods),
        "bursts_per_visit": one.visit_bursts,
        "bursts_per_row": one.row_bursts,
        "refresh_share": one.refresh_share,
        "inputs": {
            "pattern": words["pattern"],
            "layout": words["layout"],
            "granule_bytes": granule,
            "streams": streams,
            "ranks": ranks,
            "queue": queue,
            "scope": words["scope"],
            "writes": writes,
            "refresh": not arguments.no_refresh,
            "set": changes,
        }
        | ({"bursts": bursts, "seed": seed} if words["method"] == "command" else {}),
        "timing": dataclasses.asdict(timing),
        "timing_sources": {
            name: {"class": p.source_class.value, "source": p.source}
            for name, p in preset.provenance.items()
            if name in dataclasses.asdict(timing)
        }
        | {name: {"class": "user", "source": "--set"} for name in changes},
    }


def _sources(preset: Any, total: float | None) -> dict[str, dict[str, str]]:
    """Class and source of the energies, if there are any."""
    if total is None:
        return {}
    names = (f.name for f in dataclasses.fields(preset.energy))
    return {
        name: {
            "class": preset.provenance[name].source_class.value,
            "source": preset.provenance[name].source,
        }
        for name in names
        if name in preset.provenance
    }


def _by_commands(timing: Any, access: Any, bursts: int, seed: int) -> float:
    """Share of peak by the command-level model; every rank by itself in that scope."""
    import numpy as np

    from simcore.hardware.dram.analytic import Pattern, Scope
    from simcore.hardware.dram.command import serve
    from simcore.hardware.dram.layout import gather, stream

    ranks = 1 if access.scope is Scope.RANK else access.ranks
    if access.pattern is Pattern.STREAM:
        asked = stream(timing, access.layout, ranks, bursts, access.streams, seed)
        each = 1
    else:
        each = max(1, access.granule_bytes // timing.burst_bytes)
        asked = gather(
            timing, access.layout, ranks, bursts, access.granule_bytes, access.streams, seed
        )
    if access.write_share:
        draws = np.random.default_rng([seed, 1]).random(-(-bursts // each))
        write = np.repeat(draws < access.write_share, each)[:bursts]
        asked = dataclasses.replace(asked, write=write)
    return serve(
        timing, asked, ranks=ranks, queue=access.queue, refresh=access.refresh
    ).fraction_of_peak


class _Arguments:
    """Reads arguments and gathers everything wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, name: str, message: str, allowed: str, value: str = "", hint: str = "") -> None:
        self.problems.append(Problem(name, message, allowed, hint, value=value))

    def word(self, arguments: argparse.Namespace, name: str) -> str:
        value = str(getattr(arguments, name))
        if value not in _CHOICES[name]:
            hint = did_you_mean(value, _CHOICES[name]).strip()
            self.add(f"--{name}", "not one of the choices", " | ".join(_CHOICES[name]), value, hint)
        return value

    def whole(self, name: str, text: str, low: int, high: int) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.add(name, "a whole number is needed", f"{low} to {high}", text[:40])
        return value

    def share(self, name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            self.add(name, "a share is needed", "0 to 1", text[:40])
        return value

    def settings(self, texts: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals or not name:
                self.add("--set", "write NAME=VALUE", "such as nFAW=32", text[:40])
            elif value in ("true", "false"):
                found[name] = value == "true"
            else:
                try:
                    found[name] = int(value)
                except ValueError:
                    self.add(f"--set {name}", "a whole number is needed", "cycles", value[:40])
        return found

    def check(self) -> None:
        if self.problems:
            raise ScenarioErrors(self.problems, "dram")


def _show(result: dict[str, Any], console: Console) -> None:
    inputs, timing = result["inputs"], result["timing"]
    console.out(f"{result['preset']}  {result['title']}")
    what = inputs["pattern"]
    if what == "gather":
        what += f" of {inputs['granule_bytes']} B"
    several = f", {inputs['streams']} in turns" if inputs["streams"] > 1 else ""
    writes = f", {100 * inputs['writes']:g} % written" if inputs["writes"] else ""
    ranks = f"{inputs['ranks']} rank{'s' if inputs['ranks'] > 1 else ''}"
    console.out(
        f"{what}{several}{writes} · {inputs['layout']} · {ranks} · queue {inputs['queue']} · "
        f"scope {inputs['scope']} · {result['method']}"
    )
    console.out()
    share, peak = result["fraction_of_peak"], result["peak_GBps"]
    energy = result["energy_pJ_per_bit"]
    missing = ", ".join(result["energy_missing"])
    console.table(
        ("", "", ""),
        [
            ("peak", f"{peak:.4g}", f"GB/s ({_peak(result)})"),
            ("share of peak", f"{share:.4f}", f"limited by {result['limited_by']}"),
            ("bandwidth", f"{share * peak:.4g}", f"GB/s = {share:.4f} x {peak:.4g}"),
            (
                "energy",
                "-" if energy is None else f"{energy:.4g}",
                "no sourced figure for this part"
                if energy is None
                else f"pJ/bit ({_parts(result)}" + (f"; without {missing})" if missing else ")"),
            ),
        ],
    )
    console.out()
    console.out(
        f"cycles of {timing['tCK_ps'] / 1e3:g} ns a visit to open rows needs for its "
        f"{result['bursts_per_visit']:.4g} bursts, by each constraint on its own:"
    )
    rows = [(name, f"{value:.1f}") for name, value in result["periods_nCK"].items()]
    console.table(("constraint", "cycles"), rows)
    if result["refresh_share"]:
        console.out()
        close = timing["nRPab"] or timing["nRP"]
        console.out(
            f"refresh takes (nRTP {timing['nRTP']} + nRP {close} + nRFC {timing['nRFC']} + "
            f"nRCD {timing['nRCD']}) / nREFI {timing['nREFI']} = "
            f"{100 * result['refresh_share']:.2f} %"
        )


def _peak(result: dict[str, Any]) -> str:
    """How the peak comes about."""
    t, inputs = result["timing"], result["inputs"]
    clock = t["tCK_ps"] / 1e3
    if inputs["scope"] == "bank":
        banks = t["pseudo_channels"] * t["bank_groups"] * t["stack_ids"] * t["banks_per_group"]
        return (
            f"{inputs['ranks']} x {banks} banks x {t['burst_bytes']} B / "
            f"(nCCD_L {t['nCCD_L']} x {clock:g} ns)"
        )
    side = t["pseudo_channels"] * (inputs["ranks"] if inputs["scope"] == "rank" else 1)
    times = f"{side} x " if side > 1 else ""
    return f"{times}{t['burst_bytes']} B / (nBL {t['nBL']} x {clock:g} ns)"


def _parts(result: dict[str, Any]) -> str:
    parts = result["energy_parts_pJ_per_bit"]
    return " + ".join(f"{name} {value:.3g}" for name, value in parts.items() if value is not None)


COMMAND = Command(
    "dram",
    "sustained bandwidth of a DRAM channel, with what limits it",
    configure,
    execute,
    epilog="""examples:
  dimmscope dram ddr4-3200-8gb-x8 --pattern gather --granule 64 --ranks 2
  dimmscope dram ddr5-4800-16gb-x8 --pattern gather --granule 1024 --set nFAW=32 nRRD_S=8
  dimmscope dram hbm3-6400-16gb-8hi --layout linear --queue 128 --method command --json -""",
)

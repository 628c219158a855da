"""`dimmscope devices`: the machine of a scenario, its figures, and the traffic of a step."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_scenario_arguments, load_scenario, open_run
from simcore.errors import UnknownNameError, UserError

if TYPE_CHECKING:
    from simcore.hardware.devices import Machine
    from simcore.hardware.traffic import StepTraffic
    from simcore.results.run import Run


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_scenario_arguments(parser)
    parser.add_argument("--device", metavar="ID", help="one device or link in full")
    parser.add_argument("--step", metavar="N", type=int, help="traffic, kernels and use of a step")
    parser.add_argument("--json", metavar="FILE", help="write JSON, - for stdout")


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Describe the machine."""
    from simcore.hardware.devices import machine
    from simcore.hardware.traffic import step_traffic

    run = _run(arguments, console)
    made = machine(run.plan)
    ids = [d.id for d in made.devices] + [one.id for one in made.links]
    if arguments.device is not None and arguments.device not in ids:
        raise UnknownNameError("device or link", arguments.device, ids)
    traffic = None
    if arguments.step is not None:
        if not 0 <= arguments.step < len(run):
            raise UserError(
                f"step {arguments.step} does not exist; the run has steps 0 to {len(run) - 1}"
            )
        traffic = step_traffic(run, made, arguments.step)
    chosen = [id for id in ids if arguments.device in (None, id)]
    found = _describe(run, made, traffic, arguments.step, chosen)
    if arguments.json:
        console.json(found, arguments.json)
        return Exit.DONE
    _tables(found, console)
    if arguments.device is not None:
        _in_full((found["devices"] + found["links"])[0], console)
    return Exit.DONE


def _run(arguments: argparse.Namespace, console: Console) -> Run:
    """The run up to the step asked for; without one the machine alone, nothing simulated."""
    from simcore.results.io import is_run_file

    if arguments.scenario != "-" and is_run_file(arguments.scenario):
        return open_run(arguments, console)
    from simcore.engine.simulator import Simulator

    scenario = load_scenario(arguments.scenario, arguments.edits, arguments.tokens)
    simulator = Simulator(scenario, items=False)
    wanted = -1 if arguments.step is None else arguments.step
    while len(simulator.run) <= wanted and simulator.advance(simulator.block_steps):
        pass
    return simulator.run


def _describe(
    run: Run, made: Machine, traffic: StepTraffic | None, step: int | None, ids: list[str]
) -> dict[str, Any]:
    from simcore.hardware.device_facts import derivations, link_derivations
    from simcore.hardware.kernel_points import kernel_points
    from simcore.results.summary import plain
    from simcore.scenario.listing import scenario_fields

    fields = scenario_fields(run.scenario)

    def parameters(component: str) -> list[dict[str, Any]]:
        mine = [f for f in fields if component and f.path.startswith(f"hardware.{component}.")]
        return [
            {
                "path": f.path,
                "value": plain(f.value),
                "unit": f.knob.unit,
                "class": f.provenance.source_class.value if f.provenance else "",
                "source": f.provenance.source if f.provenance else "",
            }
            for f in mine
        ]

    devices, links = [], []
    for device in made.devices:
        if device.id not in ids:
            continue
        one = plain(device) | {
            "lanes": [run.lanes[i].id for i in device.lanes],
            "reads": [run.lanes[i].id for i in device.reads],
            "memory": run.plan.memory[device.memory].id if device.memory >= 0 else None,
            "parameters": parameters(device.component),
            "figures": plain(derivations(run.scenario, device)),
        }
        if traffic is not None and step is not None:
            columns = [run.value(f"lane_op_{what}", step) for what in ("ps", "bytes", "flops")]
            one["step"] = plain(traffic.devices[device.id])
            one["kernels"] = plain(kernel_points(run.plan, device, *columns))
        devices.append(one)
    for link in made.links:
        if link.id in ids:
            wire = plain(link) | {
                "lanes": [run.lanes[i].id for i in link.lanes],
                "parameters": parameters(link.component),
                "figures": plain(link_derivations(run.scenario, link)),
            }
            if traffic is not None:
                wire["step"] = plain(traffic.links[link.id])
            links.append(wire)
    out: dict[str, Any] = {"system": run.scenario.system, "devices": devices, "links": links}
    if traffic is not None:
        out |= {"step": step, "hottest": traffic.hottest}
    return out


def _tables(found: dict[str, Any], console: Console) -> None:
    stepped = "step" in found
    if found["devices"]:
        rows = [
            (
                d["id"],
                d["title"],
                d["parts"],
                _number(d["peak_GBps"]),
                _number(d["peak_GFLOPS"]),
                *((f"{100 * d['step']['busy']:.1f} %",) if stepped else ()),
            )
            for d in found["devices"]
        ]
        console.table(
            ("id", "device", "parts", "GB/s", "GFLOP/s", *(("busy",) if stepped else ())), rows
        )
        console.out()
    if found["links"]:
        rows = [
            (
                one["id"],
                one["title"],
                " - ".join(one["ends"]) if len(one["ends"]) < 4 else f"{len(one['ends'])} devices",
                _number(one["peak_GBps"]),
                *(
                    (f"{one['step']['GBps']:.4g}", f"{100 * one['step']['share']:.1f} %")
                    if stepped
                    else ()
                ),
            )
            for one in found["links"]
        ]
        extra = ("GB/s in the step", "share") if stepped else ()
        console.table(("id", "link", "between", "peak GB/s", *extra), rows)
    if stepped and found["hottest"]:
        console.out(f"hottest link of the step: {found['hottest']}")


def _in_full(one: dict[str, Any], console: Console) -> None:
    console.out()
    for p in one["parameters"]:
        value = f"{p['value']} {p['unit']}".strip()
        console.out(f"{p['path']} = {value}  [{p['class']}: {p['source']}]")
    console.out()
    for f in one["figures"]:
        formula = f"{f['formula']} = " if f["formula"] else ""
        used = ", in use" if f["used"] else ""
        console.out(f"{f['what']}: {formula}{f['value']:,.5g} {f['unit']}".rstrip())
        console.out(f"    [{f['source_class']}: {f['source']}{used}]")
    for k in one.get("kernels", ()):
        console.out(
            f"{k['title']}: {k['intensity']:.3g} FLOP/B, {k['GFLOPS']:,.4g} GFLOP/s, "
            f"{k['GBps']:,.4g} GB/s"
        )


def _number(value: float) -> str:
    return f"{value:,.5g}" if value < 1e5 else f"{value:,.0f}" if value else "-"


COMMAND = Command(
    "devices",
    "show the machine: devices, links, their figures with the arithmetic, traffic of a step",
    configure,
    execute,
    epilog="example: dimmscope devices hermes-llama2-70b --device dimm0 --step 10",
)

"""What the models of the application have remembered by a session."""

from __future__ import annotations

from typing import Any

from app.state.app_state import AppState
from app.state.charts import ChartSteps
from app.state.lanes import Arrangement
from app.state.markers import Place
from app.state.selection import ItemRef
from app.state.selection_keeper import SpanName, name_of
from app.viewmodels.alignment import Align
from app.viewmodels.conditions import CONDITIONS
from simcore.export.charts import CHARTS
from simcore.results.summary import scenario_dict


def register_parts(state: AppState) -> None:
    """Register cursor, zoom, selection, stop conditions, loop, chart and run A."""
    memory = state.memory
    memory.add("cursor", lambda: _cursor(state), lambda v: _to_cursor(state, v), with_run=True)
    memory.add("visible", lambda: _visible(state), lambda v: _to_visible(state, v), with_run=True)
    memory.add(
        "selection", lambda: _selection(state), lambda v: _to_selection(state, v), with_run=True
    )
    memory.add("loop", lambda: _loop(state), lambda v: _to_loop(state, v))
    memory.add("stops", lambda: _stops(state), lambda v: _to_stops(state, v))
    memory.add("chart", lambda: _chart(state), lambda v: _to_chart(state, v))
    memory.add("markers", lambda: _markers(state), lambda v: _to_markers(state, v))
    memory.add("lanes", lambda: _lanes(state), lambda v: _to_lanes(state, v))
    memory.add("run_a", lambda: _run_a(state), lambda v: _to_run_a(state, v), with_run=True)


def _cursor(state: AppState) -> Any:
    step, share = state.cursor.remembered()
    return {"step": step, "share": round(share, 9)} if (step, share) != (0, 0.0) else None


def _to_cursor(state: AppState, value: Any) -> None:
    if value is None:
        state.cursor.home()
        return
    step, share = _whole(value["step"]), float(value["share"])
    if not 0.0 <= share < 1.0:
        raise ValueError("share")
    state.cursor.recall(step, share)


def _visible(state: AppState) -> Any:
    positions = state.window.remembered()
    if positions is None:
        return None
    return {"first_step": round(positions[0], 9), "last_step": round(positions[1], 9)}


def _to_visible(state: AppState, value: Any) -> None:
    if value is None:
        state.window.all()
        return
    first, last = float(value["first_step"]), float(value["last_step"])
    if not -1e9 < first < last < 1e9:
        raise ValueError("range")
    state.window.recall(first, last)


def _selection(state: AppState) -> Any:
    chosen, run = state.selection, state.runs.current
    found: dict[str, Any] = {}
    name = state.keeper.wanted
    if chosen.span is not None and run is not None and chosen.span.step < state.runs.length:
        name = name_of(run, chosen.span)
    if name is not None:
        found["span"] = {
            "step": name.step,
            "lane": name.lane,
            "op": name.op,
            "layer": name.layer,
            "number": name.number,
        }
    if chosen.item is not None:
        found["item"] = {"row": chosen.item.row, "column": chosen.item.column}
    if chosen.device:
        found["device"] = chosen.device
    return found or None


def _to_selection(state: AppState, value: Any) -> None:
    if value is None:
        state.selection.clear()
        return
    span, item = value.get("span"), value.get("item")
    name = None
    if span is not None:
        name = SpanName(
            _whole(span["step"]),
            str(span["lane"]),
            str(span["op"]),
            _whole(span["layer"], -1),
            _whole(span["number"]),
        )
    place = ItemRef(_whole(item["row"]), _whole(item["column"])) if item is not None else None
    state.keeper.want(name, place)
    if value.get("device"):
        state.selection.select_device(str(value["device"]))


def _loop(state: AppState) -> Any:
    loop = state.playback.loop
    return list(loop) if loop is not None else None


def _to_loop(state: AppState, value: Any) -> None:
    if value is None:
        state.playback.set_loop(None)
        return
    first, stop = value
    state.playback.set_loop((_whole(first), _whole(stop)))


def _stops(state: AppState) -> Any:
    stops = state.stops
    values = {
        item.id: stops.values[item.id]
        for item in CONDITIONS
        if item.has_value and stops.values[item.id] != item.default
    }
    found: dict[str, Any] = {}
    if stops.active:
        found["active"] = sorted(stops.active)
    if values:
        found["values"] = values
    return found or None


def _to_stops(state: AppState, value: Any) -> None:
    given = value or {}
    known = {item.id: item for item in CONDITIONS}
    active, values = given.get("active", []), dict(given.get("values", {}))
    unknown = {*active, *values} - set(known)
    if unknown:
        raise LookupError(unknown)
    numbers = {id: float(number) for id, number in values.items()}
    for id, number in numbers.items():
        if not known[id].least <= number <= known[id].most:
            raise ValueError(id)
    for id, item in known.items():
        state.stops.set_active(id, id in active)
        state.stops.set_value(id, numbers.get(id, item.default))


def _chart(state: AppState) -> Any:
    charts = state.charts
    if not charts.chart and charts.steps is ChartSteps.OWN:
        return None
    return {"chart": charts.chart, "steps": charts.steps.name.lower()}


def _to_chart(state: AppState, value: Any) -> None:
    if value is None:
        return
    chart, steps = str(value["chart"]), ChartSteps[str(value["steps"]).upper()]
    if chart and chart not in CHARTS:
        raise LookupError(chart)
    state.charts.choose(chart)
    state.charts.set_steps(steps)


def _markers(state: AppState) -> Any:
    places = state.markers.places
    if places == (None, None):
        return None
    return [
        None
        if place is None
        else {"step": place.step, "offset_ps": place.offset_ps, "of_ps": place.of_ps}
        for place in places
    ]


def _to_markers(state: AppState, value: Any) -> None:
    found = [None, None] if value is None else [_place(item) for item in value]
    first, second = found
    state.markers.restore((first, second))


def _place(value: Any) -> Place | None:
    if value is None:
        return None
    place = Place(_whole(value["step"]), _whole(value["offset_ps"]), _whole(value["of_ps"], 1))
    if place.offset_ps > place.of_ps:
        raise ValueError("offset_ps")
    return place


def _lanes(state: AppState) -> Any:
    now = state.lanes.arrangement
    found = {
        "order": list(now.order),
        "hidden": sorted(now.hidden),
        "pinned": list(now.pinned),
        "folded": sorted(now.folded),
    }
    return {name: value for name, value in found.items() if value} or None


def _to_lanes(state: AppState, value: Any) -> None:
    given = value or {}
    words: dict[str, list[str]] = {}
    for name in ("order", "hidden", "pinned", "folded"):
        listed = given.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise TypeError(name)
        words[name] = listed
    state.lanes.restore(
        Arrangement(
            tuple(words["order"]),
            frozenset(words["hidden"]),
            tuple(words["pinned"]),
            frozenset(words["folded"]),
        )
    )


def _run_a(state: AppState) -> Any:
    run = state.comparison.frozen
    if run is None:
        return state.baseline.remembered
    return {
        "align": state.comparison.align.value,
        "scenario": scenario_dict(run.scenario),
    }


def _to_run_a(state: AppState, value: Any) -> None:
    if value is None:
        return  # a run kept as A stays while files are opened, to be compared with them
    state.comparison.set_align(Align(value["align"]))
    if not isinstance(value["scenario"], dict):
        raise TypeError("scenario")
    state.baseline.recall(value)


def _whole(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1 << 53:
        raise ValueError(value)
    return value

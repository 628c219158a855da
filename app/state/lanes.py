"""Which lanes the time views show, in which order, and how wide their titles are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from app.commands.bus import EditBus
from app.viewmodels.search import Query
from simcore.results.run import Run
from simcore.results.spans import Lane

GUTTER_LEAST = 110
GUTTER_MOST = 420
GUTTER_AUTO_MOST = 250
_GUTTER_START = 138


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the user changed; lanes by id, so that it holds for every run that has them.

    Attributes:
        order: lanes that were moved, and all others of that run, top to bottom.
        hidden: lanes that are not shown.
        pinned: lanes at the top that stay in sight while the others scroll.
        folded: groups of lanes shown as one row.
    """

    order: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)
    pinned: tuple[str, ...] = ()
    folded: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a time view.

    Attributes:
        lanes: lanes of the run on screen it shows, several for a folded group; none for a lane
            that only run A has.
        others: lanes of run A it shows.
        title: as shown.
        pinned: it stays in sight.
        folded: it stands for a whole group.
    """

    lanes: tuple[int, ...]
    others: tuple[int, ...]
    title: str
    pinned: bool = False
    folded: bool = False


class Lanes(QObject):
    """The arrangement of the lanes; changes are in the history with the edits.

    Attributes:
        arrangement: what the user changed.
        query: only lanes whose names match are shown, None for all.
        gutter_px: width of the titles.
    """

    changed = Signal()

    def __init__(self, bus: EditBus) -> None:
        super().__init__()
        self._bus = bus
        self.arrangement = Arrangement()
        self.query: Query | None = None
        self._auto_px = _GUTTER_START
        self._own_px: int | None = None

    @property
    def gutter_px(self) -> int:
        """Width of the titles: what the user chose, else what they need."""
        return self._auto_px if self._own_px is None else self._own_px

    def rows(self, run: Run, other: Run | None = None) -> list[Row]:
        """The rows of a run, then those of lanes that only run A has."""
        at = {lane.id: index for index, lane in enumerate(run.lanes)}
        theirs = {lane.id: index for index, lane in enumerate(other.lanes)} if other else {}
        done: set[str] = set()
        found: list[Row] = []
        named = [*run.lanes]
        if other is not None:
            named += [lane for lane in other.lanes if lane.id not in at]
        for lane in self._in_order(named):
            if lane.group in self.arrangement.folded and lane.id not in self.arrangement.pinned:
                if lane.group in done:
                    continue
                members = [m for m in named if m.group == lane.group and self._shown(m)]
                members = [m for m in members if m.id not in self.arrangement.pinned]
                done.add(lane.group)
                if len(members) > 1:
                    found.append(
                        Row(
                            tuple(at[m.id] for m in members if m.id in at),
                            tuple(theirs[m.id] for m in members if m.id in theirs),
                            f"{lane.group[:1].upper()}{lane.group[1:]} ({len(members)})",
                            folded=True,
                        )
                    )
                    continue
            if self._shown(lane):
                own = (at[lane.id],) if lane.id in at else ()
                its = (theirs[lane.id],) if lane.id in theirs else ()
                pinned = lane.id in self.arrangement.pinned
                found.append(Row(own, its, lane.title, pinned=pinned))
        return sorted(found, key=lambda row: not row.pinned)  # stable: the order else stays

    def hidden_count(self, run: Run) -> int:
        """How many lanes of a run are not shown, for whatever reason."""
        return sum(not self._shown(lane) for lane in run.lanes)

    # Changes.

    def hide(self, ids: Iterable[str]) -> None:
        """Do not show some lanes."""
        now = self.arrangement
        self._do("hide a lane", replace(now, hidden=now.hidden | set(ids)))

    def show_all(self) -> None:
        """Show hidden lanes again, and drop the filter."""
        self.set_filter(None)
        self._do("show all lanes", replace(self.arrangement, hidden=frozenset()))

    def toggle_pin(self, id: str) -> None:
        """Keep a lane at the top, or let it go back."""
        pinned = self.arrangement.pinned
        on = id not in pinned
        after = (*pinned, id) if on else tuple(item for item in pinned if item != id)
        title = "pin a lane" if on else "unpin a lane"
        self._do(title, replace(self.arrangement, pinned=after))

    def toggle_fold(self, group: str) -> None:
        """Show a group of lanes as one row, or its lanes one by one."""
        folded = self.arrangement.folded
        on = group not in folded
        title = f"fold {group}" if on else f"unfold {group}"
        self._do(title, replace(self.arrangement, folded=folded ^ {group}))

    def move(self, run: Run, id: str, before: str | None) -> None:
        """Put a lane before another one, or last."""
        order = [lane.id for lane in self._in_order(run.lanes) if lane.id != id]
        place = order.index(before) if before in order else len(order)
        order.insert(place, id)
        self._do("move a lane", replace(self.arrangement, order=tuple(order)))

    def shift(self, run: Run, id: str, delta: int) -> None:
        """Move a lane up (-1) or down (1) among those that are shown."""
        rows = [row for row in self.rows(run) if row.lanes]
        ids = [run.lanes[row.lanes[0]].id for row in rows]
        if id not in ids:
            return
        at = ids.index(id)
        target = at + delta
        if not 0 <= target < len(ids):
            return
        if delta < 0:
            self.move(run, id, ids[target])
        else:
            self.move(run, id, ids[target + 1] if target + 1 < len(ids) else None)

    def reset(self) -> None:
        """Show all lanes in the order of the system."""
        self.set_filter(None)
        self._own_px = None
        self._do("reset the lanes", Arrangement())
        self.changed.emit()

    def set_filter(self, query: Query | None) -> None:
        """Show only lanes whose title, id or group matches; not an edit."""
        if query != self.query:
            self.query = query
            self.changed.emit()

    def restore(self, arrangement: Arrangement) -> None:
        """Take over what was saved; not an edit."""
        self._take(arrangement)

    # Width of the titles.

    def set_needed_px(self, width: int) -> None:
        """Say how wide the titles of a run are; the user's choice stays."""
        width = min(max(width, GUTTER_LEAST), GUTTER_AUTO_MOST)
        if width != self._auto_px:
            self._auto_px = width
            self.changed.emit()

    def set_gutter_px(self, width: int | None) -> None:
        """Choose the width of the titles; None for what they need."""
        if width is not None:
            width = min(max(width, GUTTER_LEAST), GUTTER_MOST)
        if width != self._own_px:
            self._own_px = width
            self.changed.emit()

    def _shown(self, lane: Lane) -> bool:
        if lane.id in self.arrangement.hidden:
            return False
        if self.query is None:
            return True
        return self.query.matches(f"{lane.title} {lane.id} {lane.group}")

    def _in_order(self, lanes: Iterable[Lane]) -> list[Lane]:
        known = {id: index for index, id in enumerate(self.arrangement.order)}
        listed = list(lanes)
        place = {
            lane.id: known.get(lane.id, len(known) + index) for index, lane in enumerate(listed)
        }
        return sorted(listed, key=lambda lane: place[lane.id])

    def _do(self, title: str, after: Arrangement) -> None:
        before = self.arrangement
        if after != before:
            self._bus.act(title, lambda: self._take(after), lambda: self._take(before))

    def _take(self, arrangement: Arrangement) -> None:
        if arrangement != self.arrangement:
            self.arrangement = arrangement
            self.changed.emit()

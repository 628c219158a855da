"""What the application remembers: one ini file, in a place tests can move."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

LAYOUT_VERSION = 3
"""Raise it when docks are added or renamed: an older layout is then replaced by the default."""
RECENT_LIMIT = 10


def config_dir() -> Path:
    """Directory of the settings: DIMMSCOPE_CONFIG, else the platform's place."""
    override = os.environ.get("DIMMSCOPE_CONFIG")
    if override:
        return Path(override)
    place = QStandardPaths.StandardLocation.GenericConfigLocation
    return Path(QStandardPaths.writableLocation(place)) / "dimmscope"


class Settings:
    """Typed access to the settings file."""

    def __init__(self, directory: Path | None = None) -> None:
        folder = directory or config_dir()
        self._store = QSettings(str(folder / "dimmscope.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        """Mode of the theme."""
        return str(self._store.value("theme", "system"))

    @theme.setter
    def theme(self, mode: str) -> None:
        self._store.setValue("theme", mode)

    @property
    def welcome(self) -> bool:
        """Whether the welcome page is shown at start."""
        return str(self._store.value("welcome", "true")).lower() == "true"

    @welcome.setter
    def welcome(self, on: bool) -> None:
        self._store.setValue("welcome", "true" if on else "false")

    @property
    def recent(self) -> list[str]:
        """Files opened last, newest first."""
        value = self._store.value("recent", [])
        items = value if isinstance(value, list) else [value]
        return [str(item) for item in items if item][:RECENT_LIMIT]

    def add_recent(self, path: Path) -> None:
        """Put a file at the top of the list."""
        name = str(path.resolve())
        rest = [item for item in self.recent if item != name]
        self._store.setValue("recent", [name, *rest][:RECENT_LIMIT])

    def clear_recent(self) -> None:
        """Empty the list."""
        self._store.remove("recent")

    def layout(self) -> tuple[QByteArray, QByteArray] | None:
        """Saved geometry and dock state, if they are of this version."""
        if str(self._store.value("layout/version", "")) != str(LAYOUT_VERSION):
            return None
        geometry = self._store.value("layout/geometry")
        state = self._store.value("layout/state")
        if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):
            return geometry, state
        return None

    def save_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Remember geometry and dock state."""
        self._store.setValue("layout/version", LAYOUT_VERSION)
        self._store.setValue("layout/geometry", geometry)
        self._store.setValue("layout/state", state)

    def clear_layout(self) -> None:
        """Forget the layout."""
        self._store.remove("layout")

    def sync(self) -> None:
        """Write to disk now."""
        self._store.sync()

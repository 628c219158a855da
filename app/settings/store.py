"""What the application remembers: one ini file, in a place tests can move."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

LAYOUT_VERSION = 3
"""Raise it when docks are added or renamed: an older layout is then replaced by the default."""
RECENT_LIMIT = 10
SCALES = (80, 90, 100, 110, 125, 150, 175, 200)
"""Sizes of the interface to choose from, in per cent."""
THEMES = ("system", "light", "dark")
_MAX_BYTES = 4 << 20
_LINE = re.compile(r"\s*(\[[^\[\]\r\n]+\]|[^=\s\[;][^=]*=.*|[;#].*)?\s*")


def config_dir() -> Path:
    """Directory of the settings: DIMMSCOPE_CONFIG, else the platform's place."""
    override = os.environ.get("DIMMSCOPE_CONFIG")
    if override:
        return Path(override)
    place = QStandardPaths.StandardLocation.GenericConfigLocation
    return Path(QStandardPaths.writableLocation(place)) / "dimmscope"


class _InMemory:
    """The settings of a safe start: nothing is read and nothing is written."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def value(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def setValue(self, key: str, value: Any) -> None:
        self._values[key] = value

    def remove(self, key: str) -> None:
        for name in [n for n in self._values if n == key or n.startswith(f"{key}/")]:
            del self._values[name]

    def clear(self) -> None:
        self._values.clear()

    def sync(self) -> None:
        pass


class Settings:
    """Typed access to the settings file; a value that makes no sense counts as not given.

    Attributes:
        safe: nothing is read or written.
        problems: what was wrong with the file, for the user; a damaged one has been kept aside.
    """

    def __init__(self, directory: Path | None = None, *, safe: bool = False) -> None:
        self.safe = safe
        self.problems: list[str] = []
        self._store: QSettings | _InMemory
        if safe:
            self._store = _InMemory()
            return
        self.path = (directory or config_dir()) / "dimmscope.ini"
        damage = _damage(self.path)
        if damage:
            self._put_aside(damage)
        self._store = QSettings(str(self.path), QSettings.Format.IniFormat)
        if self._store.status() != QSettings.Status.NoError:
            self._put_aside("is no settings file")
            self._store = QSettings(str(self.path), QSettings.Format.IniFormat)
        self._check()
        if not self._store.isWritable():
            self.problems.append(
                f"{self.path} cannot be written: settings and layout are not kept beyond this "
                "session. Make the folder writable, or name another one in DIMMSCOPE_CONFIG."
            )

    # Looks.

    @property
    def theme(self) -> str:
        """Mode of the theme."""
        return self._word("theme", THEMES, "system")

    @theme.setter
    def theme(self, mode: str) -> None:
        self._store.setValue("theme", mode)

    @property
    def scale(self) -> int:
        """Size of the interface in per cent; takes effect at the next start."""
        try:
            value = int(str(self._store.value("scale", 100)))
        except ValueError:
            return 100
        return value if SCALES[0] <= value <= SCALES[-1] else 100

    @scale.setter
    def scale(self, percent: int) -> None:
        self._store.setValue("scale", int(percent))

    # What is kept.

    @property
    def welcome(self) -> bool:
        """Whether the welcome page is shown at start."""
        return self._flag("welcome")

    @welcome.setter
    def welcome(self, on: bool) -> None:
        self._store.setValue("welcome", "true" if on else "false")

    @property
    def session(self) -> bool:
        """Whether what the window shows is kept for every scenario."""
        return self._flag("session")

    @session.setter
    def session(self, on: bool) -> None:
        self._store.setValue("session", "true" if on else "false")

    @property
    def autosave(self) -> bool:
        """Whether unsaved edits are kept in case of a crash."""
        return self._flag("autosave")

    @autosave.setter
    def autosave(self, on: bool) -> None:
        self._store.setValue("autosave", "true" if on else "false")

    @property
    def watch(self) -> bool:
        """Whether changes of the open file by other programs are noticed."""
        return self._flag("watch")

    @watch.setter
    def watch(self, on: bool) -> None:
        self._store.setValue("watch", "true" if on else "false")

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """Keys the user chose, by id of the command; an empty tuple for no key."""
        try:
            data = json.loads(str(self._store.value("keys", "{}")))
        except ValueError:
            return {}
        if not isinstance(data, dict):
            return {}
        return {
            str(id): tuple(keys)
            for id, keys in data.items()
            if isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        }

    @keys.setter
    def keys(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        if keys:
            self._store.setValue("keys", json.dumps({id: list(k) for id, k in keys.items()}))
        else:
            self._store.remove("keys")

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

    # The layout.

    def layout(self) -> tuple[QByteArray, QByteArray] | None:
        """Saved geometry and dock state, if they are of this version."""
        if str(self._store.value("layout/version", "")) != str(LAYOUT_VERSION):
            return None
        geometry = self._store.value("layout/geometry")
        state = self._store.value("layout/state")
        if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):
            return geometry, state
        return None

    @property
    def layout_name(self) -> str:
        """Name of the arrangement the saved layout began with, empty if unknown."""
        return str(self._store.value("layout/name", ""))

    def save_layout(self, geometry: QByteArray, state: QByteArray, name: str = "") -> None:
        """Remember geometry and dock state."""
        self._store.setValue("layout/version", LAYOUT_VERSION)
        self._store.setValue("layout/geometry", geometry)
        self._store.setValue("layout/state", state)
        self._store.setValue("layout/name", name)

    def clear_layout(self) -> None:
        """Forget the layout."""
        self._store.remove("layout")

    def reset(self) -> None:
        """Forget everything but the list of files."""
        recent = self.recent
        self._store.clear()
        if recent:
            self._store.setValue("recent", recent)

    def sync(self) -> None:
        """Write to disk now."""
        self._store.sync()

    def _flag(self, name: str) -> bool:
        return str(self._store.value(name, "true")).lower() != "false"

    def _word(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = str(self._store.value(name, default))
        return value if value in allowed else default

    def _check(self) -> None:
        """Say which values make no sense; they keep standing in a copy of the file."""
        found = {
            "theme": (self.theme, "system, light or dark"),
            "scale": (self.scale, f"{SCALES[0]} to {SCALES[-1]}"),
            "welcome": (self.welcome, "true or false"),
            "session": (self.session, "true or false"),
            "autosave": (self.autosave, "true or false"),
            "watch": (self.watch, "true or false"),
        }
        wrong = []
        for name, (value, allowed) in found.items():
            raw = self._store.value(name)
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            if raw is not None and str(raw).lower() != shown:
                wrong.append(f"{name} = {str(raw)[:40]} (allowed: {allowed})")
                self._store.remove(name)
        raw = self._store.value("keys")
        if raw is not None and not self.keys and str(raw) != "{}":
            wrong.append("keys")
            self._store.remove("keys")
        if wrong:
            copy = self._copy_aside()
            self.problems.append(
                f"Settings without a meaning were replaced by defaults: {'; '.join(wrong)}.{copy}"
            )

    def _put_aside(self, why: str) -> None:
        copy = self._copy_aside()
        try:
            self.path.unlink()
        except OSError as error:
            copy += f" It cannot be removed: {error.strerror or error}."
        self.problems.append(f"{self.path} {why}; the default settings are used.{copy}")

    def _copy_aside(self) -> str:
        copy, number = self.path.with_name(f"{self.path.name}.bak"), 1
        while copy.exists():
            number += 1
            copy = self.path.with_name(f"{self.path.name}.{number}.bak")
        try:
            shutil.copyfile(self.path, copy)
        except OSError as error:
            return f" No copy could be kept: {error.strerror or error}."
        return f" The old file is kept as {copy}."


def _damage(path: Path) -> str:
    """What keeps a file from being settings at all, empty for nothing or for no file."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if len(raw) > _MAX_BYTES:
        return "is too large for settings"
    if b"\0" in raw:
        return "is not a text file"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "is not a UTF-8 text file"
    for number, line in enumerate(text.splitlines(), start=1):
        if not _LINE.fullmatch(line):
            return f"is damaged in line {number}"
    return ""

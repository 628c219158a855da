"""Opening and saving scenarios from the window; errors become messages."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from app.settings.store import Settings
from app.state.app_state import AppState
from app.state.messages import Severity
from simcore.data import data_root
from simcore.errors import ScenarioErrors, SimcoreError, UserError

_FILTER = "Scenarios (*.yaml *.yml);;All files (*)"


class FileActions:
    """What the File menu does."""

    def __init__(self, state: AppState, settings: Settings, window: QWidget) -> None:
        self._state = state
        self._settings = settings
        self._window = window

    def open_path(self, path: Path) -> bool:
        """Open a file; a problem is shown and leaves everything as it was."""
        messages = self._state.messages
        try:
            self._state.session.open(path)
        except ScenarioErrors as errors:
            messages.show("\n".join(p.text(str(path)) for p in errors.problems))
            return False
        except UserError as error:
            messages.show(str(error))
            return False
        self._state.selection.clear()
        messages.clear_strip()
        messages.log(f"opened {path}")
        self._settings.add_recent(path)
        return True

    def open_dialog(self) -> None:
        """Ask for a file and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open scenario", str(self._folder()), _FILTER
        )
        if name and self.may_discard():
            self.open_path(Path(name))

    def open_checked(self, path: Path) -> None:
        """Open a file after asking about unsaved edits."""
        if self.may_discard():
            self.open_path(path)

    def save(self) -> bool:
        """Save to the file, or ask for one."""
        if self._state.session.path is None:
            return self.save_as()
        return self._save(self._state.session.path)

    def save_as(self) -> bool:
        """Ask for a file and save to it."""
        start = self._state.session.path or self._folder() / "scenario.yaml"
        name, _ = QFileDialog.getSaveFileName(self._window, "Save scenario as", str(start), _FILTER)
        if not name:
            return False
        path = Path(name)
        return self._save(path if path.suffix else path.with_suffix(".yaml"))

    def reload(self) -> None:
        """Read the file again."""
        path = self._state.session.path
        if path is not None and self.may_discard():
            self.open_path(path)

    def may_discard(self) -> bool:
        """Whether unsaved edits may be lost; asks if there are any."""
        session = self._state.session
        if not session.dirty:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Unsaved edits",
            f"{session.title} has edits that are not saved.",
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        if answer == buttons.Save:
            return self.save()
        return answer == buttons.Discard

    def fill_recent(self, menu: QMenu) -> None:
        """Entries of the Open recent menu."""
        menu.clear()
        for name in self._settings.recent:
            action = menu.addAction(name)
            action.triggered.connect(lambda _=False, n=name: self.open_checked(Path(n)))
        if menu.isEmpty():
            menu.addAction("no files yet").setEnabled(False)
        else:
            menu.addSeparator()
            menu.addAction("Clear list").triggered.connect(self._settings.clear_recent)

    def fill_examples(self, menu: QMenu) -> None:
        """Entries of the Examples menu."""
        menu.clear()
        for path in example_scenarios():
            action = menu.addAction(path.stem)
            action.triggered.connect(lambda _=False, p=path: self.open_checked(p))
        if menu.isEmpty():
            menu.addAction("none found").setEnabled(False)

    def _save(self, path: Path) -> bool:
        try:
            self._state.session.save(path)
        except SimcoreError as error:
            self._state.messages.show(str(error))
            return False
        self._settings.add_recent(path)
        self._state.messages.log(f"saved {path}", Severity.INFO)
        return True

    def _folder(self) -> Path:
        path = self._state.session.path
        if path is not None:
            return path.parent
        try:
            return data_root() / "scenarios"
        except SimcoreError:
            return Path.home()


def example_scenarios() -> list[Path]:
    """The scenarios that come with the program."""
    try:
        return sorted((data_root() / "scenarios").glob("*.yaml"))
    except SimcoreError:
        return []

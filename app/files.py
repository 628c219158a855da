"""Opening and saving scenarios from the window; errors become messages."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from app.settings.store import Settings
from app.state.app_state import AppState
from app.state.messages import Severity
from app.state.notices import Choice, Notice
from app.state.session import read_document
from app.viewmodels.gallery import examples
from app.widgets.palette import Openable
from simcore.data import data_root
from simcore.errors import ScenarioErrors, SimcoreError, UserError
from simcore.scenario.document import Document

_NOTICE = "file"
_FILTER = "Scenarios (*.yaml *.yml);;All files (*)"


class FileActions:
    """What the File menu does."""

    def __init__(self, state: AppState, settings: Settings, window: QWidget) -> None:
        self._state = state
        self._settings = settings
        self._window = window
        watch = state.watch
        watch.changed.connect(self._on_changed_on_disk)
        watch.deleted.connect(self._on_deleted)
        watch.broken.connect(self._on_unreadable)
        state.session.document_changed.connect(self._on_document_changed)
        watch.restored.connect(lambda: state.notices.withdraw(_NOTICE))
        state.session.opened.connect(lambda: state.notices.withdraw(_NOTICE))

    def open_path(self, path: Path, *, remember: bool = True) -> bool:
        """Open a file; a problem is shown and leaves everything as it was.

        Args:
            path: the file.
            remember: whether it comes into the list of recent files.
        """
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
        if remember:
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

    def open_changed(self, path: Path, document: Document, title: str) -> bool:
        """Open a file after asking about unsaved edits, then make one edit of it."""
        if not self.may_discard() or not self.open_path(path):
            return False
        self._state.session.bus.do(title, document)
        return True

    def open_unsaved(self, document: Document, title: str) -> bool:
        """Make a document without a file the open one, after asking about unsaved edits."""
        if not self.may_discard():
            return False
        self._state.session.adopt(document, None)
        self._state.selection.clear()
        self._state.messages.log(title)
        return True

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
        """Take over what the file says now, after asking about unsaved edits; can be undone."""
        session = self._state.session
        if session.path is None:
            return
        if not session.dirty or session.missing:
            self.reload_with(keep_edits=False)
            return
        answer = self.ask_about_edits()
        if answer is not None:
            self.reload_with(keep_edits=answer)

    def reload_with(self, *, keep_edits: bool) -> None:
        """Read the file again, with the unsaved edits on top or without them."""
        session, messages = self._state.session, self._state.messages
        assert session.path is not None
        try:
            lost = session.reload(read_document(session.path), keep_edits=keep_edits)
        except ScenarioErrors as errors:
            why = errors.problems[0].text(str(session.path)) if errors.problems else ""
            messages.show(f"The edits cannot be made again, nothing was reloaded: {why}")
            return
        except UserError as error:
            messages.show(str(error))
            return
        self._state.notices.withdraw(_NOTICE)
        messages.log(f"reloaded {session.path}")
        if lost:
            messages.show(
                f"{session.path.name} no longer has {_listed(lost)}; "
                "these edits were left out. Undo brings everything back.",
                Severity.WARNING,
            )

    def keep_mine(self) -> None:
        """Leave the scenario as it is although the file says something else."""
        watch, session = self._state.watch, self._state.session
        if watch.pending is not None:
            session.take_file(watch.pending)
            self._state.messages.log(f"kept the scenario; {session.title} differs from its file")
        self._state.notices.withdraw(_NOTICE)

    def ask_about_edits(self) -> bool | None:
        """What a reload does with unsaved edits: True keeps them, None reloads nothing."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved edits")
        box.setText(f"{self._state.session.title} has edits that are not saved.")
        box.setInformativeText("Undo brings back what was there before the reload.")
        keep = box.addButton("Reload, keep my edits", QMessageBox.ButtonRole.AcceptRole)
        drop = box.addButton("Reload, drop my edits", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return {keep: True, drop: False}.get(box.clickedButton())  # type: ignore[call-overload]

    def _on_document_changed(self) -> None:
        """An edit made, or taken back, while the question waits changes the answers."""
        if self._state.watch.pending is not None and self._state.notices.get(_NOTICE) is not None:
            self._on_changed_on_disk()

    def _on_changed_on_disk(self) -> None:
        session = self._state.session
        assert session.path is not None
        drop = Choice(
            "Reload",
            "Take over the file; cursor, zoom and selection stay, undo brings the edits back",
            lambda: self.reload_with(keep_edits=False),
        )
        keep = Choice("Keep mine", "Leave the scenario as it is", self.keep_mine)
        again = Choice(
            "Reload, keep my edits",
            "Take over the file and make the unsaved edits again where it still has the field",
            lambda: self.reload_with(keep_edits=True),
        )
        name = session.path.name
        if session.dirty and not session.missing:
            drop = Choice("Reload, drop my edits", drop.tip, drop.run)
            text = f"{name} changed on disk; you have unsaved edits."
            choices: tuple[Choice, ...] = (again, drop, keep)
        else:
            text, choices = f"{name} changed on disk.", (drop, keep)
        self._state.notices.ask(Notice(_NOTICE, text, choices, Severity.WARNING))

    def _on_deleted(self) -> None:
        path = self._state.session.path
        assert path is not None
        text = f"{path.name} was deleted or moved. Everything is still here; Save writes it again."
        choices = (
            Choice("Save", f"Write {path} again", self.save),
            Choice("Save as…", "Write another file", self.save_as),
            Choice("Dismiss", "Go on without a file", lambda: None),
        )
        self._state.notices.ask(Notice(_NOTICE, text, choices, Severity.WARNING))
        self._state.messages.log(f"{path} is gone", Severity.WARNING)

    def _on_unreadable(self) -> None:
        self._state.notices.withdraw(_NOTICE)
        self._state.messages.show(
            f"{self._state.watch.unreadable}\nThe scenario as it was read before stays open.",
            Severity.WARNING,
        )

    def may_overwrite(self) -> bool:
        """Whether a save may replace what another program wrote since the file was read."""
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Changed on disk",
            f"{self._state.session.title}: the file was changed by another program. "
            "Saving replaces what it wrote.",
            buttons.Save | buttons.Cancel,
            buttons.Cancel,
        )
        return answer == buttons.Save

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

    def openable(self) -> list[Openable]:
        """Examples and recent files, for the palette."""
        shipped = [
            Openable(f"Open example: {one.name} ({one.path.stem})", one.path) for one in examples()
        ]
        known = {one.path.resolve() for one in shipped}
        recent = (Path(name) for name in self._settings.recent)
        return shipped + [Openable(f"Open recent: {p}", p) for p in recent if p not in known]

    def _save(self, path: Path) -> bool:
        watch = self._state.watch
        if path == self._state.session.path:
            watch.look()
            if watch.pending is not None and not self.may_overwrite():
                return False
        try:
            self._state.session.save(path)
        except SimcoreError as error:
            self._state.messages.show(str(error))
            return False
        self._state.notices.withdraw(_NOTICE)
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


def _listed(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:4])
    return shown if len(paths) <= 4 else f"{shown} and {len(paths) - 4} more"

"""The settings on three pages; everything takes effect at once unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.commands.registry import CommandRegistry
from app.settings.keys_page import KeysPage
from app.settings.store import SCALES, THEMES, Settings

_THEME_TITLES = {"system": "As the system", "light": "Light", "dark": "Dark"}


@dataclass(frozen=True, slots=True)
class SettingActions:
    """What the window does when a setting changes; `scale` is the size in use, in per cent."""

    set_theme: Callable[[str], None]
    set_session: Callable[[bool], None]
    set_autosave: Callable[[bool], None]
    set_watch: Callable[[bool], None]
    scale: int


class SettingsDialog(QDialog):
    """Looks, files, keys. There is nothing to confirm; Close closes."""

    def __init__(
        self,
        settings: Settings,
        commands: CommandRegistry,
        actions: SettingActions,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self._settings = settings
        self._commands = commands
        self._actions = actions
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Pages of the settings")
        self.tabs.tabBar().setAccessibleName("Pages of the settings")
        self.keys = KeysPage(settings, commands, self)
        self.tabs.addTab(self._looks(), "Looks")
        self.tabs.addTab(self._files(), "Files")
        self.tabs.addTab(self.keys, "Keys")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.reset_button = buttons.addButton(
            "Reset everything", QDialogButtonBox.ButtonRole.ResetRole
        )
        self.reset_button.setToolTip("Put all settings and keys back; recent files stay")
        for button in buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        self.reset_button.clicked.connect(self._reset)
        self.place = QLabel(self)
        self.place.setProperty("dim", True)
        self.place.setWordWrap(True)
        self.place.setText(
            "Safe start: settings are forgotten when the window is closed."
            if settings.safe
            else f"Kept in {settings.path}"
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.place)
        layout.addWidget(buttons)
        self.resize(620, 520)
        self.refresh()

    def show_page(self, name: str) -> None:
        """Bring a page to the front: looks, files or keys."""
        self.tabs.setCurrentIndex({"looks": 0, "files": 1, "keys": 2}[name])

    def refresh(self) -> None:
        """Show the settings as they are now."""
        settings = self._settings
        self.theme.setCurrentIndex(self.theme.findData(settings.theme))
        index = self.scale.findData(settings.scale)
        if index < 0:
            self.scale.addItem(f"{settings.scale} %", settings.scale)
            index = self.scale.count() - 1
        self.scale.setCurrentIndex(index)
        for box, on in (
            (self.session, settings.session),
            (self.autosave, settings.autosave),
            (self.watch, settings.watch),
            (self.welcome, settings.welcome),
        ):
            box.setChecked(on)
        self._show_scale()
        self.keys.refresh()

    def done(self, result: int) -> None:
        """Write to disk when the dialog is closed."""
        self._settings.sync()
        super().done(result)

    def _looks(self) -> QWidget:
        page = QWidget(self)
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        self.theme = QComboBox(page)
        self.theme.setAccessibleName("Theme")
        self.theme.setToolTip("Light or dark colours; “As the system” follows it while it changes")
        for mode in THEMES:
            self.theme.addItem(_THEME_TITLES[mode], mode)
        self.theme.activated.connect(lambda i: self._actions.set_theme(self.theme.itemData(i)))
        self.scale = QComboBox(page)
        self.scale.setAccessibleName("Size of the interface")
        self.scale.setToolTip("Size of texts, controls and charts on top of the screen's own scale")
        for percent in SCALES:
            self.scale.addItem(f"{percent} %", percent)
        self.scale.activated.connect(self._on_scale)
        self.restart = QLabel(page)
        self.restart.setWordWrap(True)
        self.restart.setMinimumWidth(380)
        self.restart.setProperty("changed", True)
        form.addRow("Theme", self.theme)
        form.addRow("Size", self.scale)
        form.addRow("", self.restart)
        return page

    def _files(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setSpacing(4)
        self.session = self._switch(
            column,
            "Remember what the window shows, for every scenario",
            "Cursor, zoom, selection, markers, stop conditions, charts, layout and run A, in "
            "NAME.view.yaml beside the scenario, or in your state folder where that cannot be "
            "written.",
            self._actions.set_session,
        )
        self.autosave = self._switch(
            column,
            "Keep unsaved edits in case of a crash",
            "A copy in your state folder, deleted when you save, undo or close. After a crash the "
            "next start offers it.",
            self._actions.set_autosave,
        )
        self.watch = self._switch(
            column,
            "Notice when another program changes the open file",
            "A strip then offers to reload the file or to keep what is here.",
            self._actions.set_watch,
        )
        self.welcome = self._switch(
            column,
            "Show the welcome page at start",
            "Examples and recent files; the Help menu has it too.",
            self._set_welcome,
        )
        column.addStretch(1)
        return page

    def _switch(
        self, column: QVBoxLayout, title: str, help: str, act: Callable[[bool], None]
    ) -> QCheckBox:
        box = QCheckBox(title, self)
        box.setAccessibleName(title)
        box.setAccessibleDescription(help)
        box.setToolTip(help)
        box.clicked.connect(act)
        note = QLabel(help, self)
        note.setProperty("dim", True)
        note.setWordWrap(True)
        note.setContentsMargins(24, 0, 8, 8)
        column.addWidget(box)
        column.addWidget(note)
        return box

    def _set_welcome(self, on: bool) -> None:
        self._settings.welcome = on

    def _on_scale(self, index: int) -> None:
        self._settings.scale = int(self.scale.itemData(index))
        self._show_scale()

    def _show_scale(self) -> None:
        other = self._settings.scale != self._actions.scale
        self.restart.setText(
            f"{self._settings.scale} % takes effect at the next start; "
            f"{self._actions.scale} % is in use."
            if other
            else "Takes effect at the next start."
        )
        self.restart.setProperty("changed", other)
        self.restart.setProperty("dim", not other)
        self.restart.style().polish(self.restart)

    def ask_reset(self) -> bool:
        """Whether everything shall be put back."""
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "Reset everything",
            "Put all settings and keys back to what DIMMscope comes with? This cannot be undone.",
            buttons.Reset | buttons.Cancel,
            buttons.Cancel,
        )
        return answer == buttons.Reset

    def _reset(self) -> None:
        if not self.ask_reset():
            return
        self._settings.reset()
        self._commands.reset_keys()
        self._actions.set_theme(self._settings.theme)
        self._actions.set_autosave(self._settings.autosave)
        self._actions.set_watch(self._settings.watch)
        self.refresh()

"""The style sheet of the application, built from theme tokens."""

from __future__ import annotations

from app.theme.tokens import Theme, blend


def stylesheet(theme: Theme) -> str:
    """Qt style sheet of a theme."""
    hover = blend(theme.panel, theme.accent, 0.14)
    pressed = blend(theme.panel, theme.accent, 0.28)
    return f"""
QMainWindow {{ background: {theme.window}; }}
QMainWindow::separator {{ background: {theme.window}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {theme.accent}; }}
QToolTip {{ background: {theme.panel}; color: {theme.text}; border: 1px solid {theme.border};
    padding: 4px 6px; }}
QMenuBar, QMenuBar::item {{ background: {theme.window}; color: {theme.text}; }}
QMenuBar::item {{ padding: 4px 9px; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {theme.panel}; border: 1px solid {theme.border}; padding: 4px 0; }}
QMenu::item {{ padding: 5px 26px 5px 22px; }}
QMenu::item:selected {{ background: {theme.accent}; color: {theme.accent_text}; }}
QMenu::item:disabled {{ color: {theme.text_dim}; }}
QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QDialog {{ background: {theme.panel}; }}
QToolBar {{ background: {theme.window}; border: 0; padding: 0; spacing: 0; }}
QDockWidget > QWidget, View {{ background: {theme.panel}; }}
#dockTitle {{ background: {theme.panel}; border-bottom: 1px solid {theme.border}; }}
#dockTitle[focused="true"] {{ border-bottom: 1px solid {theme.accent}; }}
#dockTitle QLabel {{ font-weight: 600; }}
#dockTitle QToolButton {{ border: 0; padding: 0 4px; color: {theme.text_dim}; }}
QTabBar::tab {{ background: {theme.window}; color: {theme.text_dim}; padding: 4px 11px;
    border: 1px solid {theme.border}; border-bottom: 0; margin-right: 1px; }}
QTabBar::tab:selected {{ background: {theme.panel}; color: {theme.text};
    border-top: 2px solid {theme.accent}; padding-top: 3px; }}
QTabBar::tab:focus {{ color: {theme.accent}; }}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabWidget::pane {{ border: 0; border-top: 1px solid {theme.border}; }}
QToolButton, QPushButton {{ background: {theme.panel}; color: {theme.text};
    border: 1px solid {theme.border}; border-radius: 4px; padding: 3px 8px; }}
QToolButton:hover, QPushButton:hover {{ background: {hover}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {pressed}; }}
QToolButton:checked, QPushButton:checked {{ background: {pressed}; border-color: {theme.accent}; }}
QToolButton:focus, QPushButton:focus {{ border: 1px solid {theme.accent};
    outline: 1px solid {theme.accent}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {theme.text_dim};
    background: {theme.window}; }}
QToolButton[flat="true"] {{ border: 1px solid transparent; background: transparent;
    padding: 0 3px; }}
QToolButton[flat="true"]:hover {{ background: {hover}; }}
QToolButton[flat="true"]:focus {{ border-color: {theme.accent}; }}
QLineEdit, QPlainTextEdit, QTextBrowser, QListWidget, QTreeWidget {{
    background: {theme.field}; color: {theme.text}; border: 1px solid {theme.border};
    border-radius: 3px; selection-background-color: {theme.accent};
    selection-color: {theme.accent_text}; }}
QLineEdit {{ padding: 1px 4px; min-height: 19px; }}
QAbstractSpinBox QLineEdit {{ border: 0; padding: 0; min-height: 0; background: transparent; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextBrowser:focus, QListWidget:focus,
QTreeWidget:focus {{ border: 1px solid {theme.accent}; }}
QLineEdit[invalid="true"] {{
    border: 1px solid {theme.error};
    background: {blend(theme.field, theme.error, 0.12)}; }}
QLabel[dim="true"] {{ color: {theme.text_dim}; }}
QLabel[problem="true"] {{ color: {theme.error}; }}
QLabel[changed="true"] {{ color: {theme.accent}; font-weight: 600; }}
QCheckBox:focus {{ color: {theme.accent}; }}
QHeaderView::section {{ background: {theme.panel}; color: {theme.text_dim}; border: 0;
    border-bottom: 1px solid {theme.border}; padding: 3px 6px; }}
#sweepTable QHeaderView::section {{ padding: 3px 18px 3px 6px; }}
QTreeWidget {{ border: 0; }}
QTreeWidget::item, QListWidget::item {{ padding: 2px 2px; }}
QScrollArea {{ border: 0; background: {theme.panel}; }}
QScrollArea > QWidget > QWidget {{ background: {theme.panel}; }}
QScrollBar:vertical {{ background: transparent; width: 11px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 11px; margin: 0; }}
QScrollBar::handle {{ background: {theme.border}; border-radius: 4px; margin: 2px;
    min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {theme.text_dim}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
#messageStrip[severity="error"], #notice[severity="error"] {{
    background: {blend(theme.window, theme.error, 0.20)};
    border-left: 4px solid {theme.error}; }}
#messageStrip[severity="warning"], #notice[severity="warning"] {{
    background: {blend(theme.window, theme.warning, 0.20)};
    border-left: 4px solid {theme.warning}; }}
#messageStrip[severity="info"], #notice[severity="info"] {{
    background: {blend(theme.window, theme.accent, 0.16)};
    border-left: 4px solid {theme.accent}; }}
#groupHeader {{ border: 0; border-bottom: 1px solid {theme.border}; border-radius: 0;
    background: {theme.panel}; font-weight: 600; text-align: left; padding: 5px 4px; }}
#groupHeader:focus {{ color: {theme.accent}; }}
#staleBadge {{ background: {blend(theme.window, theme.warning, 0.30)}; border-radius: 3px;
    padding: 1px 7px; }}
#palette {{ background: {theme.panel}; border: 1px solid {theme.accent}; }}
QStatusBar {{ background: {theme.window}; color: {theme.text_dim}; }}
"""

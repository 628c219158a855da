"""The entry point: what needs no window does not load Qt."""

import subprocess
import sys

import pytest

from app import main as entry


def test_without_a_display_there_is_a_message(monkeypatch, capsys, tmp_path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert entry.main([]) == 2
    assert "no display" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_bad_input(capsys):
    assert entry.main(["no-such-file.yaml"]) == 2
    assert "no-such-file.yaml" in capsys.readouterr().err
    assert entry.main(["validat"]) == 2
    assert "did you mean 'validate'" in capsys.readouterr().err


def test_two_scenarios_are_bad_input(capsys):
    assert entry.main(["a.yaml", "b.yaml"]) == 2
    assert "one scenario" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["list", "systems"]])
def test_commands_do_not_import_qt(arguments):
    code = (
        "import sys; from app.main import main; code = main(sys.argv[1:]); "
        "assert not any(name.startswith(('PySide6', 'pyqtgraph')) for name in sys.modules); "
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_shipped_scenario_opens_by_its_name(tmp_path, monkeypatch):
    from app.main import _named_scenario

    monkeypatch.chdir(tmp_path)
    assert _named_scenario("hermes-opt-66b").name == "hermes-opt-66b.yaml"
    assert _named_scenario("hermes-opt-66b").is_file()
    assert not _named_scenario("hermes-opt-67b").is_file()

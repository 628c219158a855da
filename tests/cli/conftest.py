"""The command line on the fake system: fast, and every command is exercised."""

from __future__ import annotations

import pytest

from simcore.cli import main
from tests.cli.scenarios import BAD, FAKE
from tests.fakes import register


@pytest.fixture(autouse=True)
def _fake_system(tmp_path, monkeypatch):
    register()
    monkeypatch.setenv("DIMMSCOPE_STATE", str(tmp_path / "state"))


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "fake.yaml"
    path.write_text(FAKE)
    return str(path)


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return str(path)


@pytest.fixture
def dimmscope(capsys):
    """Run a command; returns (exit code, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run

"""What somebody sees who has just installed the wheel: welcome, tour, a prompt of their own."""

import shutil

import pytest

from tests.e2e.desktop import TOOLS
from tools import first_minutes

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)


def test_from_the_wheel_to_tokens_of_an_own_prompt(tmp_path):
    """It fails by itself where a stage does not come about or something is said on stderr."""
    program = first_minutes.installed(tmp_path)
    assert program.is_relative_to(tmp_path)
    out = tmp_path / "pictures"
    out.mkdir()
    pictures = first_minutes.walk(program, tmp_path / "empty", out)
    stages = [path.stem[3:] for path in pictures]
    tour = [f"tour-{stop:02}" for stop in range(1, 13)]
    live = ["live", "prompt", "tokens", "token-20", "prompt-undone"]
    assert stages == ["welcome", *tour, "tour-over", "welcome-again", *live]
    left = {path.name for path in (tmp_path / "empty").iterdir()}
    assert left == {"config", "state", "stderr.txt"}, "the program wrote where it was started"

"""Ten things users do, in the real window, with real keys and a real mouse.

What happened is read from the outside: window titles, the session file, the files written.
"""

import csv
import shutil
import time

import pytest

from tests.app.conftest import SMALL
from tests.e2e.desktop import LIMIT_S, TOOLS, Desktop, session

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)

EDITED = r"^DIMMscope .*\*$"
SWEEP = """\
version: 1
name: how many DIMMs
scenario: small.yaml
vary: {hardware.ndp_dimms.count: [2, 4, 8]}
objectives: {tokens_per_s: max}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stories")


@pytest.fixture(scope="module")
def scenario(folder):
    path = folder / "small.yaml"
    path.write_text(SMALL.replace("output_tokens: 12", "output_tokens: 40"), encoding="utf-8")
    (folder / "dimms.yaml").write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def desktop(folder):
    desktop = Desktop(folder)
    yield desktop
    desktop.stop()


def step(scenario):
    return (session(scenario).get("cursor") or {"step": 0})["step"]


def until_step(desktop, scenario, wanted):
    desktop.wait(lambda: step(scenario) == wanted, f"step {wanted}, at {step(scenario)}")


def set_count(desktop, count):
    """Type a number of DIMMs into the form, found by its filter."""
    desktop.focus("^DIMMscope")
    desktop.keys("alt+1", "ctrl+a")
    desktop.text("ndp_dimms.count")
    desktop.keys("Tab", "Tab", "ctrl+a")
    desktop.text(str(count))
    desktop.keys("Return")
    desktop.wait(lambda: desktop.window(EDITED), "the mark of an unsaved edit")


def test_1_open(desktop, scenario):
    desktop.start()
    desktop.wait(lambda: desktop.window("Welcome"), "the welcome page")
    desktop.focus("Welcome")
    desktop.keys("Escape")
    desktop.wait(lambda: not desktop.window("Welcome"), "the welcome page to be gone")
    desktop.focus("^DIMMscope")
    desktop.keys("ctrl+o")
    desktop.answer_file(scenario)
    desktop.wait(lambda: desktop.window("^DIMMscope — small"), "the scenario's name in the title")
    desktop.focus("^DIMMscope")


def test_2_play(desktop, scenario):
    def moves():
        desktop.keys("ctrl+Right")
        return step(scenario) >= 1

    desktop.wait(moves, "the run to be there")
    desktop.keys("Home", "space")
    desktop.wait(lambda: step(scenario) >= 3, "the cursor to move on by itself")
    desktop.keys("space")

    def stopped():
        found = [step(scenario)]
        for _ in range(2):
            time.sleep(2.0)
            found.append(step(scenario))
        return len(set(found)) == 1

    desktop.wait(stopped, "the cursor to stop")
    assert 3 <= step(scenario) < 40  # long before the end of the run


def test_3_step_back(desktop, scenario):
    desktop.keys("Home", *["ctrl+Right"] * 6)
    until_step(desktop, scenario, 6)
    desktop.keys("ctrl+Left", "ctrl+Left")
    until_step(desktop, scenario, 4)
    desktop.keys("ctrl+Right")
    until_step(desktop, scenario, 5)


def test_4_edit(desktop):
    set_count(desktop, 6)


def test_5_undo(desktop, scenario):
    desktop.keys("alt+3", "ctrl+z")
    desktop.wait(lambda: not desktop.window(EDITED), "the edit to be taken back")
    desktop.keys("ctrl+y")
    desktop.wait(lambda: desktop.window(EDITED), "the edit again")
    before = scenario.read_text(encoding="utf-8")
    assert "count: 4" in before
    desktop.keys("ctrl+s")
    desktop.wait(lambda: "count: 6" in scenario.read_text(encoding="utf-8"), "the file to be saved")
    assert scenario.read_text(encoding="utf-8") == before.replace("count: 4", "count: 6")


def test_6_compare(desktop, scenario):
    desktop.command("Freeze the run as A")
    desktop.wait(lambda: session(scenario).get("run_a"), "run A")
    set_count(desktop, 2)
    assert session(scenario)["run_a"]["scenario"]["hardware"]["ndp_dimms"]["count"] == 6


def test_7_explain(desktop, scenario):
    desktop.focus("^DIMMscope")
    desktop.keys("alt+3", "f", "period", "period")
    desktop.wait(lambda: (session(scenario).get("selection") or {}).get("span"), "a chosen span")
    first = session(scenario)["selection"]["span"]
    desktop.keys("period", "alt+7")
    desktop.wait(lambda: session(scenario)["selection"]["span"] != first, "the next span")
    desktop.wait(lambda: "explain" in str(session(scenario).get("in_front")), "the explanation")


def test_8_export(desktop, scenario, folder):
    desktop.keys("alt+3", "ctrl+e")
    desktop.wait(lambda: desktop.window("^Export$"), "the export dialog")
    desktop.focus("^Export$")
    desktop.keys("Return")
    desktop.answer_file(folder / "figure.svg")
    desktop.wait((folder / "figure.svg").is_file, "the file")
    assert (folder / "figure.svg").read_text(encoding="utf-8").startswith("<?xml")


def exported_rows(desktop, table):
    """The table of the sweep, saved by the program; None until all its points are done."""
    desktop.command("Export the table of the sweep")
    time.sleep(0.5)
    if desktop.window("^Command palette$"):  # nothing to export yet, so it cannot be chosen
        desktop.keys("Escape")
        return None
    desktop.answer_file(table)
    desktop.wait(table.is_file, "the table")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table.unlink()
    return rows if len(rows) == 3 and all(row["status"] == "done" for row in rows) else None


def test_9_sweep(desktop, folder):
    desktop.focus("^DIMMscope")
    desktop.keys("alt+3", "ctrl+z")
    desktop.wait(lambda: not desktop.window(EDITED), "the edit of the comparison to be taken back")
    desktop.command("Load a sweep")
    desktop.answer_file(folder / "dimms.yaml")
    desktop.focus("^DIMMscope")
    desktop.keys("ctrl+shift+r")
    table = folder / "table.csv"
    rows = desktop.wait(lambda: exported_rows(desktop, table), "three points that are done")
    assert [row["hardware.ndp_dimms.count"] for row in rows] == ["2", "4", "8"]
    speeds = [float(row["decode_tokens_per_s"]) for row in rows]
    assert speeds == sorted(speeds)


def test_10_reopen(desktop, scenario):
    desktop.focus("^DIMMscope")
    desktop.keys("alt+3", "Home", *["ctrl+Right"] * 7)
    until_step(desktop, scenario, 7)
    assert not desktop.window(EDITED)
    desktop.keys("ctrl+q")
    desktop.program.wait(60)
    assert desktop.program.returncode == 0
    desktop.start(str(scenario))
    desktop.wait(lambda: desktop.window("^DIMMscope — small"), "the same scenario")
    desktop.focus("^DIMMscope")
    presses = 0
    end = time.monotonic() + LIMIT_S
    while step(scenario) == 7 and time.monotonic() < end:  # no step forward before there is a run
        desktop.keys("ctrl+Right")
        presses += 1
        time.sleep(4.0)
    assert 7 < step(scenario) <= 7 + presses
    assert session(scenario)["run_a"]
    assert desktop.complaints() == []

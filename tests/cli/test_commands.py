"""Every command does what its help says."""

import json

import pytest

from simcore.cli import COMMAND_NAMES
from simcore.registry import SYSTEMS
from tests.simcore.export.rendering import check_drawn, pixels
from tests.simcore.export.test_charts import ALL
from tests.simcore.export.trace_checker import check


def test_help_lists_the_commands_that_exist(dimmscope):
    code, out, _ = dimmscope("--help")
    assert code == 0
    for name in COMMAND_NAMES:
        assert name in out
        assert dimmscope(name, "--help")[0] == 0


def test_version(dimmscope):
    code, out, _ = dimmscope("--version")
    assert code == 0
    assert out.startswith("DIMMscope ")


def test_run_prints_a_summary(dimmscope, scenario):
    code, out, err = dimmscope("run", scenario)
    assert code == 0
    assert err == ""
    for word in ("fake machine", "tokens/s", "DIMM 0", "wait: sync", "energy", "fake-slow"):
        assert word in out


def test_run_json_is_all_that_is_on_stdout(dimmscope, scenario):
    code, out, err = dimmscope("run", scenario, "--json", "-")
    assert code == 0
    assert err == ""
    summary = json.loads(out)
    assert summary["tokens"] == 6
    assert summary["scenario"]["seed"] == 3
    slow = summary["compare"]["fake-slow"]
    assert slow["speedup"] == pytest.approx(summary["tokens_per_s"] / slow["tokens_per_s"])
    assert slow["speedup"] > 1


def test_run_json_to_a_file(dimmscope, scenario, tmp_path):
    target = tmp_path / "out.json"
    code, out, _ = dimmscope("run", scenario, "--json", target, "--no-compare")
    assert code == 0
    assert "tokens/s" in out
    assert json.loads(target.read_text())["compare"] == {}


def test_run_is_deterministic(dimmscope, scenario):
    one, other = (json.loads(dimmscope("run", scenario, "--json", "-")[1]) for _ in range(2))
    for summary in (one, other):
        summary.pop("simulator")
    assert one == other


def test_set_and_tokens_change_the_scenario(dimmscope, scenario):
    code, out, _ = dimmscope(
        "run",
        scenario,
        "--tokens",
        "3",
        "--set",
        "policy.speed=2",
        "--set",
        "seed=9",
        "--set=name=a = b",
        "--json",
        "-",
    )
    assert code == 0
    summary = json.loads(out)
    assert summary["tokens"] == 3
    assert summary["scenario"]["policy"]["speed"] == 2
    assert summary["scenario"]["seed"] == 9
    assert summary["scenario"]["name"] == "a = b"


def test_run_exports_files_by_their_names(dimmscope, scenario, tmp_path):
    names = ["a.json", "b.npz", "c.csv", "d.spans.csv", "e.html", "timeline.svg"]
    code, _, err = dimmscope("run", scenario, "--export", *(tmp_path / n for n in names))
    assert code == 0
    for name in names:
        assert (tmp_path / name).stat().st_size > 0
        assert f"wrote {tmp_path / name}" in err
    check((tmp_path / "a.json").read_text(encoding="utf-8"))


def test_saved_run_can_be_used_like_a_scenario(dimmscope, scenario, tmp_path):
    saved = tmp_path / "run.npz"
    dimmscope("run", scenario, "--export", saved, "--no-compare")
    fresh = json.loads(dimmscope("run", scenario, "--json", "-", "--no-compare")[1])
    again = json.loads(dimmscope("run", saved, "--json", "-", "--no-compare")[1])
    assert again["lanes"] == fresh["lanes"]
    code, out, _ = dimmscope("compare", scenario, saved)
    assert code == 0
    assert "Every figure is the same." in out
    code, _, err = dimmscope("run", saved, "--tokens", "3")
    assert code == 2
    assert "saved run" in err


def test_compare_shows_settings_and_figures(dimmscope, scenario, tmp_path):
    other = tmp_path / "other.yaml"
    with open(scenario) as file:
        other.write_text(file.read() + "policy: {speed: 0.5}\n")
    code, out, _ = dimmscope("compare", scenario, other)
    assert code == 0
    assert "policy.speed" in out
    assert "end to end" in out
    code, out, _ = dimmscope("compare", scenario, other, "--json", "-")
    found = json.loads(out)
    assert found["speedup"] < 1
    assert found["settings"] == [{"path": "policy.speed", "a": 1.0, "b": 0.5}]
    assert found["summaries"]["a"]["tokens"] == 6


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_export_draws(dimmscope, scenario, tmp_path, suffix):
    target = tmp_path / f"x{suffix}"
    code, _, err = dimmscope(
        "export", scenario, "--chart", "timeline", "--out", target, "--range", "1:3"
    )
    assert code == 0, err
    check_drawn(pixels(target))


def test_export_csv_and_size(dimmscope, scenario, tmp_path):
    assert dimmscope("export", scenario, "--chart", "tokens", "--out", tmp_path / "x.csv")[0] == 0
    target = tmp_path / "x.png"
    arguments = ("--chart", "tokens", "--out", target, "--theme", "dark", "--width", "100")
    assert dimmscope("export", scenario, *arguments, "--height", "50", "--dpi", "100")[0] == 0
    assert abs(pixels(target).shape[1] - 100 / 25.4 * 100) <= 1


def test_animate(dimmscope, scenario, tmp_path):
    target = tmp_path / "out.gif"
    code, _, err = dimmscope(
        "animate", scenario, "--out", target, "--range", "2:6", "--every", "2", "--width", "640"
    )
    assert code == 0
    assert "2 frames" in err
    assert target.read_bytes().startswith(b"GIF89a")


def test_trace(dimmscope, scenario, tmp_path):
    target = tmp_path / "t.json"
    code, _, err = dimmscope("trace", scenario, "--out", target, "--range", "2:4")
    assert code == 0
    events = check(target.read_text(encoding="utf-8"))
    assert f"{len(events)} events" in err


def test_explain(dimmscope, scenario):
    code, out, _ = dimmscope("explain", scenario, "--step", "2")
    assert code == 0
    assert "cold neurons on DIMM" in out
    assert "bytes / bandwidth" in out
    code, out, _ = dimmscope(
        "explain", scenario, "--step", "2", "--layer", "3", "--op", "wait.sync", "--lane", "gpu"
    )
    assert code == 0
    assert "layer 3" in out
    assert "DIMM" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--step", "99"), "steps 0 to 5"),
        (("--step", "2", "--layer", "99"), "layers 0 to 9"),
        (("--step", "2", "--op", "mlp_colt"), "did you mean 'mlp_cold'"),
        (("--step", "2", "--lane", "dimm7"), "did you mean 'dimm"),
        (("--step", "2", "--lane", "pcie", "--op", "predict"), "no operation"),
    ],
)
def test_explain_what_is_not_there(dimmscope, scenario, arguments, message):
    code, _, err = dimmscope("explain", scenario, *arguments)
    assert code == 2
    assert message in err


def test_report(dimmscope, scenario, tmp_path):
    code, _, err = dimmscope("report", scenario, "--out", tmp_path / "r.html")
    assert code == 0
    assert "fake-slow" in (tmp_path / "r.html").read_text(encoding="utf-8")
    code, _, err = dimmscope("report", scenario, "--out", tmp_path / "r.md", "--no-compare")
    assert code == 0
    assert len(err.splitlines()) == 1 + len(ALL)  # those of single systems are left out


@pytest.mark.parametrize("kind", ["systems", "models", "hardware", "charts", "scenarios"])
def test_list(dimmscope, kind):
    code, out, _ = dimmscope("list", kind)
    assert code == 0
    code, listed, _ = dimmscope("list", kind, "--json")
    rows = json.loads(listed)
    assert rows
    for row in rows:
        assert row["id"] in out
    if kind == "systems":
        assert {row["id"] for row in rows} == set(SYSTEMS)


def test_validate(dimmscope, scenario, bad):
    assert dimmscope("validate", scenario) == (0, f"{scenario}: ok\n", "")
    code, out, err = dimmscope("validate", bad, scenario, "nowhere.yaml")
    assert code == 2
    assert f"{scenario}: ok" in out
    assert f"{bad}:5: hardware.ndp_dimms.cout" in err
    assert "did you mean 'count'" in err
    assert f"{bad}:8: workload.batch" in err
    assert f"{bad}:9: workload.output_tokens" in err
    assert "nowhere.yaml" in err
    assert "2 of 3 scenarios" in err


def test_shipped_scenarios_are_found_by_name(dimmscope):
    rows = json.loads(dimmscope("list", "scenarios", "--json")[1])
    code, out, err = dimmscope("validate", *(row["id"] for row in rows))
    assert code == 0, err
    assert out.count(": ok") == len(rows)

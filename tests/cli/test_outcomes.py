"""Exit codes, messages and files when things go wrong."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simcore.cli import main
from simcore.cli.console import Console, amount, printable, table_lines
from simcore.cli.loading import parse_edit
from simcore.cli.tables import _workload as workload_text
from simcore.errors import Cancelled, UserError
from simcore.units import rounded

ROOT = Path(__file__).resolve().parents[2]


def _process(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.Popen(
        [sys.executable, "-m", "simcore.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, **options.pop("env", {})},
        **options,
    )


def test_bad_scenario_names_line_path_and_remedy(dimmscope, bad):
    code, out, err = dimmscope("run", bad)
    assert code == 2
    assert out == ""
    assert f"{bad}:5: hardware.ndp_dimms.cout" in err
    assert "did you mean 'count'" in err
    assert f"3 problems in {bad}" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "usage"),
        (("rum", "x"), "did you mean 'run'"),
        (("run",), "SCENARIO"),
        (("run", "nowhere.yaml"), "no file 'nowhere.yaml'"),
        (("run", "FAKE", "--tokens", "0"), "1 to 1000000"),
        (("run", "FAKE", "--set", "seed"), "PATH=VALUE"),
        (("run", "FAKE", "--set", "sed=1"), "did you mean 'seed'"),
        (("run", "FAKE", "--set", "seed=[1"), "not a YAML value"),
        (("run", "FAKE", "--set", "workload.batch=0"), "workload.batch"),
        (("run", "FAKE", "--export", "x.what"), "endings"),
        (("run", "FAKE", "--export", "x.svg"), "which chart"),
        (("run", "FAKE", "--theme", "no", "--export", "timeline.svg"), "theme"),
        (("run", "FAKE", "--range", "x"), "range of steps"),
        (("run", "FAKE", "--json", "/nowhere/x.json"), "cannot write /nowhere/x.json"),
        (("run", "FAKE", "--json", "/"), "cannot write"),
        (("export", "FAKE", "--chart", "timelines", "--out", "x.svg"), "did you mean 'timeline'"),
        (("export", "FAKE", "--chart", "timeline", "--out", "x.gif"), ".svg"),
        (("export", "FAKE", "--chart", "tokens", "--out", "x.svg", "--range", "9:"), "does not ex"),
        (("export", "FAKE", "--chart", "tokens", "--out", "/nowhere/x.svg"), "cannot write"),
        (("trace", "FAKE", "--out", "x.txt"), ".json.gz"),
        (("animate", "FAKE", "--out", "x.avi"), ".gif, .webp, .mp4"),
        (("animate", "FAKE", "--out", "x.gif", "--fps", "0"), "0.5 to 60"),
        (("animate", "FAKE", "--out", "x.gif", "--theme", "drak"), "dark"),
        (("report", "FAKE", "--out", "x.pdf"), ".html"),
        (("list", "nothing"), "invalid choice"),
        (("run", "FAKE", "--unknown"), "unrecognized"),
    ],
)
def test_bad_input(dimmscope, scenario, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, _, err = dimmscope(*(scenario if a == "FAKE" else a for a in arguments))
    assert code == 2
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_folder_or_binary_file_as_scenario(dimmscope, tmp_path):
    assert dimmscope("run", tmp_path)[0] == 2
    (tmp_path / "x.yaml").write_bytes(bytes(range(256)))
    assert dimmscope("run", tmp_path / "x.yaml")[0] == 2
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 not really")
    code, _, err = dimmscope("run", tmp_path / "x.npz")
    assert code == 2
    assert "damaged" in err


def test_a_bug_writes_a_report(dimmscope, scenario, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr("simcore.results.summary.summarise", broken)
    code, _, err = dimmscope("run", scenario)
    assert code == 70
    assert "boom" in err
    report = Path(err.rsplit("written to ", 1)[1].strip())
    assert report.parent == tmp_path / "state"
    text = report.read_text()
    assert "Traceback" in text
    assert "RuntimeError: boom" in text
    assert "numpy" in text
    assert "PATH" not in text


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Cancelled])
def test_interrupted(dimmscope, scenario, monkeypatch, interrupt):
    def stop(*_, **__):
        raise interrupt

    monkeypatch.setattr("simcore.engine.simulator.simulate", stop)
    code, _, err = dimmscope("run", scenario)
    assert code == 3
    assert "cancelled" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_leave_no_half_written_file(tmp_path, number):
    target = tmp_path / "trace.json"
    # A shell that runs the tests in the background has them ignore Ctrl-C, and children inherit it.
    process = _process(
        "trace",
        "hermes-llama2-70b",
        "--out",
        target,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "cancelled" in err
    assert list(tmp_path.iterdir()) == []


def test_closed_pipe_is_no_error():
    process = _process("list", "models", "--json")
    process.stdout.close()
    with process.stderr as stream:
        err = stream.read()
    assert process.wait(60) == 0, err
    assert err == ""


def test_full_disk_is_a_message():
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full IS NOT THERE: a full disk is NOT checked")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "simcore.cli", "list", "models"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_plain_ascii_terminal():
    process = _process(
        "run",
        "hermes-llama2-70b",
        "--tokens",
        "2",
        "--no-compare",
        env={"PYTHONIOENCODING": "ascii"},
    )
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err == ""
    assert "tokens/s" in out


def test_the_core_needs_no_qt_and_lists_load_little():
    code = (
        "import sys; from simcore.cli import main; "
        "main(['list', 'charts']); "
        "bad = {'PySide6', 'pyqtgraph', 'matplotlib', 'app'} & set(sys.modules); "
        "assert not bad, bad"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_only_on_a_terminal():
    assert Console(io.StringIO(), io.StringIO()).progress("x") is None
    terminal = _Terminal()
    console = Console(io.StringIO(), terminal)
    show = console.progress("a\x1b[31m")
    for done in range(1, 5):
        show(done, 4)
    assert "4/4 steps" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_terminals_are_not_steered_by_names(dimmscope, scenario):
    code, out, _ = dimmscope("run", scenario, "--set", 'name="\\e[2Jx"', "--no-compare")
    assert code == 0
    assert "\x1b" not in out
    assert printable("a\x07b\n") == "a\N{REPLACEMENT CHARACTER}b\n"


def test_tables_align():
    assert table_lines(("a", "b"), [("x", "1"), ("yy", "22")]) == [
        "a    b",
        "--  --",
        "x    1",
        "yy  22",
    ]
    assert table_lines(("a",), []) == ["a", "-"]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("a.b=1", ("a.b", 1)),
        ("a=1e3", ("a", 1000.0)),
        ("a=null", ("a", None)),
        ("a=", ("a", None)),
        ("a=[x, y]", ("a", ["x", "y"])),
        ("a=x=y", ("a", "x=y")),
        ("a=true", ("a", True)),
    ],
)
def test_edits(edit, expected):
    assert parse_edit(edit) == expected


@pytest.mark.parametrize("edit", ["=1", "", "a={", "a=" + "[" * 5000, "a=!!python/object:x y"])
def test_wrong_edits(edit):
    with pytest.raises(UserError):
        parse_edit(edit)


def test_scenario_from_stdin(monkeypatch, capsys, scenario):
    with open(scenario) as file:
        monkeypatch.setattr("sys.stdin", io.StringIO(file.read()))
    assert main(["run", "-", "--json", "-", "--no-compare"]) == 0
    assert '"fake machine"' in capsys.readouterr().out


def test_a_source_is_never_overwritten(dimmscope, scenario, tmp_path):
    before = Path(scenario).read_text()
    code, _, err = dimmscope("run", scenario, "--json", scenario)
    assert code == 2
    assert "read too" in err
    saved = tmp_path / "a.npz"
    assert dimmscope("run", scenario, "--export", saved)[0] == 0
    assert dimmscope("run", saved, "--export", saved)[0] == 2
    assert Path(scenario).read_text() == before


def test_arguments_that_are_not_utf8(dimmscope, scenario, tmp_path):
    odd = b"a\xff.json".decode("utf-8", "surrogateescape")
    assert dimmscope("run", scenario, "--json", tmp_path / odd, "--no-compare")[0] == 0
    assert dimmscope("run", odd)[0] == 2
    assert dimmscope("run", scenario, "--set", f"name={odd}")[0] == 2
    assert dimmscope("run", scenario, "--set", f"{odd}=1")[0] == 2


def test_the_workload_in_a_few_words():
    fixed = {"kind": "fixed", "batch": 4, "prompt_tokens": 128, "output_tokens": 16}
    uneven = {**fixed, "kind": "uneven", "longest_prompt_tokens": 1920}
    assert workload_text(fixed) == "batch 4 · 128 + 16 tokens"
    assert workload_text(uneven) == "batch 4 · (128 to 1920) + 16 tokens"


def test_numbers_have_no_exponent_when_large():
    assert amount(49_926e12, "B") == "49,926 TB"
    assert amount(1.5e9, "B") == "1.5 GB"
    assert [rounded(value, 4) for value in (16312.0, 9999.7, 1008.0, 0.01234567)] == [
        "16,312",
        "10,000",
        "1008",
        "0.01235",
    ]


def test_explain_lists_the_sensitivity_of_a_step(dimmscope, scenario):
    code, out, err = dimmscope("explain", scenario, "--step", "3", "--sensitivity")
    assert code == 0
    assert err == ""
    table = out[out.index("sensitivity to +10 %") :]
    assert "3 decode steps from a context of" in table
    # The fake's times do not depend on its machine; every parameter has been tried.
    assert "less than 0.005 %:" in table
    assert "hardware.gpu.bandwidth_GBps" in table


def test_explain_speaks_of_microseconds_in_one_way(dimmscope):
    code, out, _ = dimmscope("explain", "hermes-opt-66b", "--step", "2", "--tokens", "3")
    assert code == 0
    assert "µs" in out
    assert " us" not in out
    assert "to change that:" in out


def test_comparing_a_scenario_with_itself_says_that_they_are_equal(dimmscope, scenario):
    code, out, _ = dimmscope("compare", scenario, scenario)
    assert code == 0
    assert "A and B make the same tokens/s (exactly)" in out
    assert "1 times" not in out

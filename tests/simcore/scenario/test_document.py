"""Documents: edits change one value and nothing else; saving loses nothing."""

import difflib
import os

import pytest

from simcore.errors import DataFileError, ScenarioErrors, UnknownNameError
from simcore.scenario.document import Document, open_document
from tests.simcore.scenario.texts import COMMENTED


def changed_lines(before, after):
    lines = difflib.ndiff(before.text().splitlines(), after.text().splitlines())
    return [line for line in lines if line[0] in "+-"]


@pytest.fixture
def document():
    return Document.from_text(COMMENTED)


def test_text_is_kept_to_the_character(document):
    assert document.text() == COMMENTED


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        ("seed", 12, ["- seed: 1  # of every stream", "+ seed: 12  # of every stream"]),
        (
            "hardware.gpu.bandwidth_GBps",
            936.0,
            [
                "-   gpu: rtx-4090       # a preset",
                "+   gpu: {preset: rtx-4090, bandwidth_GBps: 936}  # a preset",
            ],
        ),
        (
            "hardware.gpu",
            "rtx-3090",
            ["-   gpu: rtx-4090       # a preset", "+   gpu: rtx-3090       # a preset"],
        ),
        (
            "hardware.gpu.preset",
            "t4",
            ["-   gpu: rtx-4090       # a preset", "+   gpu: t4             # a preset"],
        ),
        ("hardware.pcie.bandwidth_GBps", 32, ["+   pcie: {bandwidth_GBps: 32}"]),
        (
            "hardware.ndp_dimms.count",
            16,
            [
                "-   ndp_dimms: {preset: hermes-ddr4-3200, count: 8}  # eight",
                "+   ndp_dimms: {preset: hermes-ddr4-3200, count: 16}  # eight",
            ],
        ),
        ("policy.threshold", 12, ["+   threshold: 12"]),
        ("policy.gpu_hot_GB", None, ["+   gpu_hot_GB: null"]),
        ("name", 'say "hi"', ['- name: "A quoted: name"', '+ name: "say \\"hi\\""']),
        (
            "compare",
            ["hermes", "x y"],
            ["- compare:", "- - hermes-random", "+ compare: [hermes, x y]"],
        ),
        (
            "model.stats.mlp_density",
            0.25,
            [
                "- model: relullama2-70b",
                "+ model: {preset: relullama2-70b, stats: {mlp_density: 0.25}}",
            ],
        ),
    ],
)
def test_edit_touches_only_its_line(document, path, value, lines):
    after = document.with_value(path, value)
    assert after.get(path) == value
    assert sorted(line.rstrip() for line in changed_lines(document, after)) == sorted(lines)
    assert document.text() == COMMENTED


def test_new_key_of_a_block_stays_in_front_of_the_next_comment(document):
    text = document.with_value("hardware.host.memory_GiB", 64).text()
    assert text.index("host:") < text.index("# The model")
    text = document.with_value("policy.threshold", 3).text()
    assert text.index("  threshold: 3") < text.index("compare:")


def test_new_top_level_key():
    assert Document.from_text("version: 1").with_value("seed", 3).text() == "version: 1\nseed: 3\n"
    assert Document.from_text("").with_value("a.b.c", 1).data() == {"a": {"b": {"c": 1}}}
    assert Document.from_text("# c\n").with_value("seed", 3).text() == "# c\nseed: 3\n"


def test_without(document):
    assert changed_lines(document, document.without("seed")) == ["- seed: 1  # of every stream"]
    after = document.without("hardware.ndp_dimms.count")
    assert after.data()["hardware"]["ndp_dimms"] == {"preset": "hermes-ddr4-3200"}
    assert "# eight" in after.text()
    assert document.without("policy.window_tokens").data()["policy"] == {}
    assert document.without("nothing.here") is document


def test_edit_and_remove_is_where_it_began():
    document = Document.from_text(COMMENTED)
    assert (
        document.with_value("policy.threshold", 3).without("policy.threshold").text() == COMMENTED
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "\n"])
def test_line_ends(newline, tail):
    text = newline.join(["a:", "  b: 1 # c", "c: 2"]) + tail.replace("\n", newline)
    after = Document.from_text(text).with_value("a.x", 1).with_value("d", 4)
    assert after.data() == {"a": {"b": 1, "x": 1}, "c": 2, "d": 4}
    assert after.text().count("\n") == after.text().count(newline)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1}\nc: *x\n",
        "? a\n: {b: 1}\n",
        "a: {b: 1,}\n",
        'a: {"b" : 1}\n',
        "a:\n    b: |\n      text\n      more\n",
        "a:\n  b: >-\n    folded\n\nc: 1\n",
        "a:\n  b:\nc: 1\n",
        "a: {b: [1, {c: 2}]}\n",
        "a:   # nothing\nc: 1\n",
        "{a: {b: 1}}\n",
        "{}",
        "---\na: {b: 'it''s'}\n...\n",
        "a:\n- b\n- c\n",
        "'a': 'b'\n",
    ],
)
@pytest.mark.parametrize("value", [2, "new text", None, 1.5, True, ["p", 1], {"k": "v"}])
def test_any_shape_can_be_edited_and_loses_no_key(text, value):
    before = Document.from_text(text)
    for path in ("a.b", "a", "new", "a.new"):
        after = before.with_value(path, value)
        assert after.get(path) == value
        others = [c for c in before.changes(after) if not (c[0] + ".").startswith("a.")]
        assert [c for c in others if c[0].split(".")[0] not in ("new", "a")] == []
        removed = after.without(path)
        assert removed.get(path, "gone") == "gone" or path == "a.b"


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        "null",
        "1",
        "1e3",
        " x ",
        "",
        "#a",
        "a: b",
        "a #b",
        "[x]",
        "é😀",
        "a\nb",
        "\x07",
        "'",
        "-",
    ],
)
def test_text_comes_back_as_it_went_in(value):
    for text in ("name: x\n", "name: 'x'\n", 'name: "x"\n', "other: {a: 1}\n", ""):
        after = Document.from_text(text).with_value("name", value)
        assert after.data()["name"] == value
        assert Document.from_text(after.text()).get("name") == value


@pytest.mark.parametrize("value", [0.1, 1e-9, 1e22, -0.5, 3.0, float("inf"), 2**62])
def test_numbers_come_back(value):
    assert Document.from_text("x: 1").with_value("x", value).get("x") == value


def test_numpy_numbers_are_numbers():
    import numpy as np

    after = Document.from_text("x: 1").with_value("x", np.float32(0.5)).with_value("y", np.int64(3))
    assert after.text() == "x: 0.5\ny: 3\n"


def test_what_a_file_cannot_hold_is_refused():
    with pytest.raises(ScenarioErrors):
        Document.from_text("x: 1").with_value("x", object())
    with pytest.raises(ScenarioErrors):
        Document.from_text("x: 1").with_value("x", "\ud800")
    with pytest.raises(ScenarioErrors):
        Document.from_text("x: 1").with_value("a..b", 1)


def test_broken_text_has_problems_and_refuses_edits():
    document = Document.from_text("a: [1\n")
    assert document.problems()[0].line == 2
    assert document.problems()[0].hint == "begun in line 1"
    assert document.get("a") is None
    with pytest.raises(ScenarioErrors):
        document.with_value("a", 1)
    with pytest.raises(ScenarioErrors):
        document.resolve()


def test_another_source_of_activations_drops_what_it_does_not_know(document):
    after = document.with_value("activations.source", "recorded")
    assert after.data()["activations"] == {"source": "recorded"}
    assert after.problems() == ()


def test_get(document):
    assert document.get("hardware.gpu") == "rtx-4090"
    assert document.get("hardware.gpu.preset") == "rtx-4090"
    assert document.get("hardware.ndp_dimms.preset") == "hermes-ddr4-3200"
    assert document.get("compare.0") == "hermes-random"
    assert document.get("hardware.gpu.memory_GiB") is None
    assert document.get("nope", 3) == 3


def test_changes(document):
    after = document.with_value("hardware.gpu.bandwidth_GBps", 936).without("seed")
    assert set(document.changes(after)) == {
        ("hardware.gpu.bandwidth_GBps", None, 936),
        ("seed", 1, None),
    }
    assert document.changes(document) == ()
    assert Document.from_text("a: 1").changes(Document.from_text("a: true")) == (("a", 1, True),)


def test_save_keeps_the_mode_and_replaces_whole(tmp_path, document):
    path = tmp_path / "s.yaml"
    path.write_text("old")
    os.chmod(path, 0o640)
    document.save(path)
    assert path.read_text() == COMMENTED
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.yaml"]


def test_save_of_a_new_file_follows_the_umask(tmp_path, document):
    old = os.umask(0o027)
    try:
        document.save(tmp_path / "new.yaml")
    finally:
        os.umask(old)
    assert (tmp_path / "new.yaml").stat().st_mode & 0o777 == 0o640


def test_save_follows_links(tmp_path, document):
    target = tmp_path / "target.yaml"
    target.write_text("old")
    (tmp_path / "link.yaml").symlink_to(target)
    document.save(tmp_path / "link.yaml")
    assert target.read_text() == COMMENTED
    assert (tmp_path / "link.yaml").is_symlink()


def test_failed_save_leaves_the_old_file(tmp_path, document, monkeypatch):
    path = tmp_path / "s.yaml"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        document.save(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.yaml"]


def test_save_without_a_path(document):
    with pytest.raises(ValueError, match="path"):
        document.save()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataFileError, match="cannot be read"):
        Document.from_file(tmp_path / "none.yaml")
    with pytest.raises(DataFileError, match="cannot be read"):
        Document.from_file(tmp_path)
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(DataFileError, match=r"bad\.yaml:2: not UTF-8"):
        Document.from_file(bad)
    bad.write_bytes("a: 1".encode("utf-16"))
    with pytest.raises(DataFileError, match="not UTF-8"):
        Document.from_file(bad)
    bad.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(DataFileError, match="too large"):
        Document.from_file(bad)


def test_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = Document.from_file(path)
    assert document.with_value("a", 2).text() == "a: 2\n"


def test_shipped_scenarios_open_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_document("hermes-llama2-70b").resolve().system == "hermes"
    with pytest.raises(UnknownNameError, match="did you mean 'hermes-llama2-70b'"):
        open_document("hermes-lama2-70b")

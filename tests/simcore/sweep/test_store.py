"""Results by content: found again, never lost, shared by many writers."""

import multiprocessing
import sqlite3
import threading

import pytest

from simcore.errors import DataFileError
from simcore.scenario.document import Document
from simcore.sweep.evaluate import Failure, Outcome, evaluate, failed
from simcore.sweep.resolve import point_document, scenario_key
from simcore.sweep.store import Store
from tests.simcore.sweep.conftest import SMALL


def key_of(text=SMALL, **edits):
    document = Document.from_text(text)
    for path, value in edits.items():
        document = document.with_value(path.replace("__", "."), value)
    return scenario_key(document.resolve())


def test_a_key_is_of_the_content():
    assert key_of() == key_of("# another comment\n" + SMALL)
    assert key_of() == key_of(name="another name", compare=["h2m2-oracle"])
    others = {
        key_of(seed=2),
        key_of(workload__batch=5),
        key_of(system="lpddr-only"),
        key_of(hardware__hbm__bandwidth_GBps=77.5),
    }
    assert len(others | {key_of()}) == 5


def test_a_key_depends_on_the_files_a_scenario_reads(tmp_path):
    trace = tmp_path / "mine.csv"
    trace.write_text("prompt_tokens,output_tokens\n10,20\n")
    text = f"""\
system: l3
model: opt-66b
workload: {{kind: serving, source: trace, trace: {trace}, requests: 1}}
"""
    before = key_of(text)
    trace.write_text("prompt_tokens,output_tokens\n10,30000\n")
    assert key_of(text) != before


def test_a_key_depends_on_the_code(monkeypatch):
    before = key_of()
    monkeypatch.setattr("simcore.sweep.resolve.code_version", lambda: "other")
    assert key_of() != before


def test_points_keep_settings_beside_a_preset(make):
    spec = make("model=opt-13b,opt-30b", "model.layers=3,4")
    document = point_document(spec.document, spec.axes, ("opt-13b", 3))
    model = document.resolve().model
    assert (model.preset, model.layers, model.hidden) == ("opt-13b", 3, 256)


def test_outcomes_come_back_bit_for_bit(tmp_path, document):
    outcome = evaluate(document.resolve())
    assert outcome.failure is None
    with Store(tmp_path / "a.sqlite") as store:
        store.put({"k": outcome})
    with Store(tmp_path / "a.sqlite") as store:
        (again,) = store.get(["k", "other"]).values()
    assert again.figures == outcome.figures
    assert repr(again.figures) == repr(outcome.figures)


def test_failures_that_last_are_kept_and_others_tried_again(store):
    store.put({kind.name: failed(kind, f"said {kind}") for kind in Failure})
    found = store.get([kind.name for kind in Failure])
    assert set(found) == {"CAPACITY", "INPUT"}
    assert found["CAPACITY"].error == "said does not fit"
    assert found["CAPACITY"].figures == {"fits": False}
    store.put({"CRASH": Outcome({"tokens_per_s": 1.0})})
    store.put({"CRASH": failed(Failure.BUG, "later")})  # a result stays
    assert store.get(["CRASH"])["CRASH"].figures == {"tokens_per_s": 1.0}


def test_a_batch_is_stored_whole_or_not_at_all(store):
    class Broken:
        failure, error, wall_s = None, "", 0.0

        @property
        def figures(self):
            return {"x": object()}

    with pytest.raises(TypeError):
        store.put({"a": Outcome({"x": 1}), "b": Broken()})
    assert len(store) == 0


def test_many_keys(store):
    keys = [f"k{n}" for n in range(1700)]
    store.put({key: Outcome({"n": n}) for n, key in enumerate(keys)})
    found = store.get(keys)
    assert [found[key].figures["n"] for key in keys] == list(range(1700))


def write_many(path, name, count):
    with Store(path) as store:
        for n in range(count):
            store.put({f"{name}{n}": Outcome({"n": n}), "shared": Outcome({"n": 0})})


def test_concurrent_writers_lose_nothing(tmp_path):
    path = tmp_path / "shared.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, name, 100)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with Store(path) as store:
        assert len(store) == 301
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_wrong_files_are_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("my notes, not a database at all, and long enough to look at twice\n" * 20)
    before = text.read_bytes()
    with pytest.raises(DataFileError, match="give another file"):
        Store(text)
    assert text.read_bytes() == before
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(DataFileError, match="another program"):
        Store(other)
    with pytest.raises(DataFileError, match="folder"):
        Store(tmp_path)
    newer = tmp_path / "newer.sqlite"
    Store(newer).close()
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(DataFileError, match="newer version"):
        Store(newer)


def test_many_may_set_the_same_file_up_at_once(tmp_path):
    problems = []

    def set_up(path, together):
        together.wait()
        try:
            Store(path).close()
        except DataFileError as error:
            problems.append(str(error))

    for number in range(40):
        together = threading.Barrier(4)
        arguments = (tmp_path / f"{number}.sqlite", together)
        threads = [threading.Thread(target=set_up, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []

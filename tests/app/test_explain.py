"""The explanation of what happens at the cursor, while playing and afterwards."""

from tests.app.conftest import wait_for_run


def test_it_never_calls_another_moment_that_of_the_cursor(window, qtbot):
    wait_for_run(qtbot, window)
    window.show()
    window.show_view("explain")
    state, view = window.state, window.docks["explain"].view
    state.cursor.seek(0)
    qtbot.waitUntil(lambda: view._where.text() == "prefill, at the cursor")
    state.playback.play()
    assert view._where.text() == "prefill, until paused"
    qtbot.waitUntil(lambda: state.cursor.step >= 2)
    assert view._where.text() == "prefill, until paused"
    state.playback.pause()
    qtbot.waitUntil(lambda: view._where.text() == f"token {state.cursor.step}, at the cursor")
    assert (
        view.explanation.text()
        == state.runs.current.explain(state.cursor.step, state.cursor.op()).text()
    )

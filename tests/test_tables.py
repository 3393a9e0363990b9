"""Tables stay readable whatever the number of frames, and say the same on a terminal and in Markdown."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from classifier.codebook import Codebook, Task
from classifier.metrics import MACRO, MICRO, Scores, summarize
from classifier.report.tables import NOTHING, confusion_table, markdown, slices_table, summary_tables, terminal


def summary_of(n_frames: int, task: Task = "multilabel"):
    rng = np.random.default_rng(0)
    truth = np.eye(n_frames, dtype=bool)[rng.integers(n_frames, size=120)]
    guess = np.eye(n_frames, dtype=bool)[rng.integers(n_frames, size=120)]
    if task == "multilabel":
        truth[:10] = False
    frames = tuple(f"frame {i}" for i in range(n_frames))
    scores = Scores(truth, guess, guess * 0.9, np.arange(120) // 3)
    by = {"outlet": ["paper" if row % 2 else "wire" for row in range(120)]}
    return summarize(scores, frames, task, by=by, n_resamples=20), Codebook.from_names(frames)


def test_confusions_of_many_frames_have_numbered_columns() -> None:
    summary, codebook = summary_of(9)
    table = confusion_table(summary.confusion, codebook)
    assert table.header[1:3] == ("→ 1", "→ 2")
    assert table.rows[0][0] == "1 frame 0"
    few, codebook = summary_of(3)
    assert confusion_table(few.confusion, codebook).header[1] == "→ frame 0"


def test_confusions_of_classes_have_no_empty_set() -> None:
    summary, codebook = summary_of(3, "multiclass")
    assert len(confusion_table(summary.confusion, codebook).rows) == 3
    summary, codebook = summary_of(3)
    assert len(confusion_table(summary.confusion, codebook).rows) == 4


@pytest.mark.parametrize(("n_frames", "columns"), [(3, ["frame 0", "frame 1", "frame 2", MICRO]), (9, [MACRO, MICRO])])
def test_values_show_each_frame_where_there_is_room(n_frames: int, columns: list[str]) -> None:
    summary, codebook = summary_of(n_frames)
    table = slices_table("outlet", summary.by["outlet"], codebook)
    assert list(table.header) == ["outlet", *columns, "sentences", "articles"]


def test_a_figure_without_support_is_left_open() -> None:
    summary, _ = summary_of(3)
    codebook = Codebook.from_names(summary.frames)
    part = summary.by["outlet"][0]
    rows = [type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"support": 0}) for row in part.rows]
    emptied = type(part)(part.value, part.sentences, part.articles, rows)
    assert slices_table("outlet", [emptied], codebook).rows[0][1:4] == (NOTHING,) * 3


def test_a_terminal_and_markdown_show_the_same_cells() -> None:
    summary, codebook = summary_of(3)
    tables = summary_tables(summary, codebook)
    stream = io.StringIO()
    Console(file=stream, width=400).print(terminal(tables))
    text = markdown(tables)
    for table in tables:
        for row in table.rows:
            for cell in row:
                assert cell in stream.getvalue()
                assert cell in text


def test_control_characters_do_not_reach_a_terminal() -> None:
    summary, codebook = summary_of(3)
    codebook = Codebook.from_names(summary.frames)
    table = slices_table("a\x1b[31mb", summary.by["outlet"], codebook)
    stream = io.StringIO()
    Console(file=stream, width=200).print(terminal([table]))
    assert "\x1b" not in stream.getvalue()

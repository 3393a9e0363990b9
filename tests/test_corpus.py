"""The labeled CSV: every problem with its line, a round trip through disk, folds that keep articles whole."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Codebook, InputError, LabeledCorpus, check_corpus, read_corpus, write_corpus
from classifier.corpus import Columns, Problem, choose_codebook

FRAMES = Codebook.from_names(["flood", "strike"])

#: A file without problems for two folds.
GOOD = """\
text,labels
Rain fell all night.,flood
The river rose.,flood
Drivers walked out.,strike
Pickets stood at the gate.,strike|flood
The museum reopened.,
"""


@pytest.fixture
def csv_file(tmp_path: Path):
    def write(content: str | bytes, name: str = "labels.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def check(path: Path, codebook: Codebook | None = FRAMES, n_folds: int = 2, **columns: str) -> list[Problem]:
    return check_corpus(path, Columns(**columns), codebook, n_folds)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


class TestCheck:
    def test_a_good_file_has_no_problems(self, csv_file) -> None:
        assert check(csv_file(GOOD)) == []

    def test_missing_columns_are_both_named_with_the_header_and_the_option(self, csv_file) -> None:
        first, second = check(csv_file("Example,Category\nRain fell.,flood\n"))
        assert (first.line, first.severity) == (second.line, second.severity) == (1, "error")
        assert "no column 'labels'; the header has 'Example', 'Category'" in first.message
        assert "--label-column" in first.message
        assert "no column 'text'" in second.message
        assert "--text-column" in second.message

    def test_a_column_named_twice(self, csv_file) -> None:
        problem = only(check(csv_file("text,labels,text\na,flood,b\n")))
        assert (problem.line, problem.severity) == (1, "error")
        assert "'text' appears 2 times" in problem.message

    def test_an_unknown_label_is_named_with_the_nearest_known_one(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD + "The dam broke.,flod\n")))
        assert (problem.line, problem.severity) == (7, "error")
        assert "unknown label 'flod'; did you mean 'flood'?" in problem.message

    def test_an_unknown_label_like_no_other_is_followed_by_all_of_them(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD + "The dam broke.,zzz\n")))
        assert "unknown label 'zzz'; the frames are 'flood', 'strike'" in problem.message

    def test_every_unknown_label_of_a_cell_is_reported(self, csv_file) -> None:
        problems = check(csv_file(GOOD + "The dam broke.,flod|stroke\n"))
        assert [problem.line for problem in problems] == [7, 7]

    @pytest.mark.parametrize("text", ["", "  ", "\t", "\u00a0"])
    def test_empty_text(self, csv_file, text: str) -> None:
        problem = only(check(csv_file(GOOD + f"{text},flood\n")))
        assert (problem.line, problem.severity) == (7, "error")
        assert "empty text" in problem.message

    def test_same_text_with_different_labels_names_both_lines_and_both_labels(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD + "The river rose.,strike|flood\n")))
        assert (problem.line, problem.severity) == (7, "warning")
        assert "line 3" in problem.message
        assert "flood there, flood|strike here" in problem.message

    def test_order_of_labels_makes_no_difference(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD + "Pickets stood at the gate.,flood|strike\n")))
        assert "duplicate of line 5" in problem.message

    def test_duplicate_rows(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD + "The river rose. ,flood\n")))
        assert (problem.line, problem.severity) == (7, "warning")
        assert "duplicate of line 3" in problem.message

    def test_page_furniture_may_recur_from_article_to_article_but_not_within_one(self, csv_file) -> None:
        rows = "article_id,text,labels\n1,Rain fell.,flood\n1,Read more,\n2,Rain rose.,flood\n2,Read more,\n"
        assert check(csv_file(rows), Codebook.from_names(["flood"])) == []
        problem = only(check(csv_file(rows + "2,Read more,\n"), Codebook.from_names(["flood"])))
        assert (problem.line, problem.severity) == (6, "warning")

    def test_not_utf8_names_line_byte_and_offset(self, csv_file) -> None:
        data = b"text,labels\nfine,flood\nriv\xe8re,flood\nwet,strike\ndry,strike\n"
        problem = only(check(csv_file(data)))
        assert (problem.line, problem.severity) == (3, "error")
        assert "not UTF-8: byte 0xe8 at byte 4 of the line" in problem.message
        assert f"(byte {data.index(0xE8)} of the file)" in problem.message

    def test_not_utf8_behind_a_byte_order_mark_names_the_same_byte(self, csv_file) -> None:
        data = b"\xef\xbb\xbftext,labels\nfine,flood\nriv\xe8re,flood\nwet,strike\ndry,strike\n"
        problem = only(check(csv_file(data)))
        assert problem.line == 3
        assert "byte 0xe8 at byte 4 of the line" in problem.message
        assert f"(byte {data.index(0xE8)} of the file)" in problem.message

    def test_ragged_rows(self, csv_file) -> None:
        few, many = check(csv_file(GOOD + "The dam broke.\nRain, again,flood\n"))
        assert (few.line, few.severity) == (7, "error")
        assert "1 cells where the header has 2" in few.message
        assert (many.line, many.severity) == (8, "error")
        assert "3 cells where the header has 2" in many.message

    def test_line_numbers_count_lines_of_the_file_not_rows(self, csv_file) -> None:
        content = GOOD + '"A sentence\nof two lines.",flood\n\nThe dam broke.,flod\n'
        assert only(check(csv_file(content))).line == 10

    def test_labels_that_look_like_numbers_are_doubtful(self, csv_file) -> None:
        problem = only(check(csv_file("text,labels\na b,0\nc d,1\ne f,0\ng h,1\n"), None))
        assert problem.severity == "warning"
        assert "'labels' look like numbers (0, 1)" in problem.message

    @pytest.mark.parametrize("labels", ["flood", ""])
    def test_one_class_only(self, csv_file, labels: str) -> None:
        problem = only(check(csv_file(f"text,labels\na b,{labels}\nc d,{labels}\ne f,{labels}\n"), None))
        assert (problem.line, problem.severity) == (0, "error")
        assert f"same labels ({labels or 'no frame'})" in problem.message

    def test_too_few_examples_for_the_folds_asked(self, csv_file) -> None:
        path = csv_file(GOOD)
        assert check(path, n_folds=2) == []
        problem = only(check(path, n_folds=3))
        assert (problem.line, problem.severity) == (0, "error")
        assert "'strike': 2 in 2" in problem.message
        assert "--folds" in problem.message

    def test_examples_are_counted_in_articles_where_there_are_articles(self, csv_file) -> None:
        rows = "article_id,text,labels\n" + "".join(f"{i // 4},Text {i}.,{'ab'[i % 2]}\n" for i in range(8))
        assert check(csv_file(rows), None, n_folds=2) == []
        first, second = check(csv_file(rows), None, n_folds=3)
        assert "'a': 4 in 2 articles" in first.message
        assert "'b': 4 in 2 articles" in second.message

    def test_without_articles_a_text_that_recurs_is_one_example(self, csv_file) -> None:
        rows = "text,labels\n" + "Always the same.,a\n" * 5 + "".join(f"Text {i}.,b\n" for i in range(5))
        errors = [p for p in check(csv_file(rows), None, n_folds=2) if p.severity == "error"]
        assert "'a': 5 in 1" in only(errors).message

    def test_a_frame_of_the_codebook_without_examples(self, csv_file) -> None:
        problem = only(check(csv_file(GOOD), Codebook.from_names(["flood", "strike", "drought"])))
        assert "'drought': 0 in 0" in problem.message

    def test_a_label_that_occurs_once_and_resembles_another_is_doubtful(self, csv_file) -> None:
        problems = check(csv_file(GOOD + "The dam broke.,floood\n"), None, n_folds=1)
        assert "'floood' occurs once; did you mean 'flood'?" in only(problems).message
        assert only(problems).severity == "warning"

    @pytest.mark.parametrize("label", ["a\x1b[31mb", "a\u202eb", "a|b"])
    def test_a_label_that_cannot_be_a_frames_name(self, csv_file, label: str) -> None:
        path = csv_file(f"text;labels\nRain fell.;{label}\nThe river rose.;{label}\nA walkout.;c\nA picket.;c\n")
        first, second = check(path, None, separator="/")
        assert (first.line, first.severity) == (2, "error")
        assert second.line == 3
        assert f"{label!r} cannot be a frame's name" in first.message

    def test_an_unclosed_quotation_mark_in_the_first_of_the_columns(self, csv_file) -> None:
        problems = check(csv_file(GOOD + '"The dam broke.,flood\nAnother row.,strike\n'))
        assert (problems[0].line, problems[0].severity) == (7, "error")
        assert "quotation mark" in problems[0].message

    def test_an_unclosed_quotation_mark_in_the_last_of_the_columns(self, csv_file) -> None:
        rows = "labels,text\nflood,Rain.\nflood,River.\nstrike,Gate.\nstrike,Picket.\n"
        problem = only(check(csv_file(rows + 'flood,"The dam broke.\nstrike,Another row.\n')))
        assert (problem.line, problem.severity) == (6, "error")
        assert "quotation mark" in problem.message

    def test_quotation_marks_within_a_cell_are_text(self, csv_file) -> None:
        path = csv_file(GOOD + 'He said "no" twice.,strike\n"She said ""yes"".",strike\n')
        assert check(path) == []
        assert read_corpus(path, codebook=FRAMES).texts[-2:] == ('He said "no" twice.', 'She said "yes".')

    @pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n\n"])
    def test_an_empty_file(self, csv_file, content: bytes) -> None:
        problem = only(check(csv_file(content)))
        assert (problem.line, problem.severity) == (0, "error")
        assert "the file is empty" in problem.message

    def test_a_header_alone(self, csv_file) -> None:
        assert "no labeled sentences below the header" in only(check(csv_file("text,labels\n"))).message

    def test_every_problem_at_once_in_order_of_line(self, csv_file) -> None:
        problems = check(csv_file(GOOD + ",flood\nThe dam broke.,flod\nThe river rose.,flood\none cell\n"), n_folds=5)
        assert [problem.line for problem in problems] == [0, 0, 7, 8, 9, 10]

    @pytest.mark.parametrize("name", ["missing.csv", "."])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="cannot read it"):
            check(tmp_path / name)

    @given(st.binary(max_size=200))
    def test_whatever_the_bytes_the_answer_is_a_list_of_problems(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "any.csv"
            path.write_bytes(b"text,labels\n" + data)
            problems = check(path, None)
        assert problems == sorted(problems)
        assert all(0 <= problem.line <= data.count(b"\n") + data.count(b"\r") + 2 for problem in problems)


class TestRead:
    def test_texts_labels_groups_and_every_other_column(self, csv_file) -> None:
        content = (
            "article_id,text,labels,event\n1,Rain fell.,flood,e1\n1,Gate shut.,strike|flood,e1\n"
            "2,Wet.,flood,e2\n2,Shut.,strike,\n"
        )
        path = csv_file(content)
        corpus = read_corpus(path, codebook=FRAMES)
        assert corpus.texts == ("Rain fell.", "Gate shut.", "Wet.", "Shut.")
        assert corpus.labels == (("flood",), ("flood", "strike"), ("flood",), ("strike",))
        assert corpus.groups == ("1", "1", "2", "2")
        assert corpus.columns["event"] == ("e1", "e1", "e2", "")
        assert corpus.columns["labels"][1] == "strike|flood"
        assert corpus.sha256 == hashlib.sha256(content.encode()).hexdigest()
        assert corpus.path == str(path)
        assert corpus.targets.tolist() == [[True, False], [True, True], [True, False], [False, True]]
        assert list(corpus.to_frame().columns) == ["article_id", "text", "labels", "event"]
        assert len(corpus) == len(corpus.to_frame()) == 4

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_byte_order_mark_line_ends_and_delimiters_make_no_difference(
        self, csv_file, mark: bytes, ending: str, delimiter: str
    ) -> None:
        content = GOOD.replace(",", delimiter).replace("\n", ending)
        corpus = read_corpus(csv_file(mark + content.encode()), codebook=FRAMES)
        expected = read_corpus(csv_file(GOOD, "other.csv"), codebook=FRAMES)
        assert (corpus.texts, corpus.labels) == (expected.texts, expected.labels)

    def test_columns_and_separator_of_other_peoples_files(self, csv_file) -> None:
        path = csv_file("Example,Category,Page\na b,x;y,1\nc d,x,1\ne f,y,2\ng h,x,2\n")
        corpus = read_corpus(path, Columns("Example", "Category", "Page", ";"))
        assert corpus.labels == (("x", "y"), ("x",), ("y",), ("x",))
        assert corpus.groups == ("1", "1", "2", "2")

    def test_errors_are_all_in_the_message_with_their_lines(self, csv_file) -> None:
        path = csv_file(GOOD + ",flood\nThe dam broke.,flod\n")
        with pytest.raises(InputError) as caught:
            read_corpus(path, codebook=FRAMES)
        message = str(caught.value)
        assert message.startswith(f"{path}: 2 error(s)")
        assert "line 7: empty text" in message
        assert "line 8: unknown label" in message

    def test_a_thousand_errors_are_cut_short(self, csv_file) -> None:
        with pytest.raises(InputError, match="… and 980 more"):
            read_corpus(csv_file(GOOD + ",flood\n" * 1000), codebook=FRAMES)

    def test_warnings_do_not_stop_reading(self, csv_file) -> None:
        path = csv_file(GOOD + "The river rose.,strike\n")
        assert len(read_corpus(path, codebook=FRAMES)) == 6

    def test_frames_found_in_the_file_are_ordered_by_frequency_then_name(self, csv_file) -> None:
        path = csv_file("text,labels\na b,x\nc d,z\ne f,z\ng h,y\ni j,y\nk l,y\nm n,x\n")
        assert read_corpus(path).frames == ("y", "x", "z")

    def test_labels_with_a_no_break_space_are_names_like_any_other(self, csv_file) -> None:
        corpus = read_corpus(csv_file("text,labels\na b,New\u00a0York\nc d,New\u00a0York\ne f,Rome\ng h,Rome\n"))
        assert corpus.frames == ("New\u00a0York", "Rome")
        assert Codebook.from_dict(corpus.codebook.to_dict()).names == corpus.frames

    def test_the_codebook_beside_the_file_is_used_where_it_fits(self, csv_file, tmp_path: Path) -> None:
        path = csv_file(GOOD)
        toml = '[[frames]]\nname = "strike"\ntitle = "Strikes"\n[[frames]]\nname = "flood"\n'
        (tmp_path / "codebook.toml").write_text(toml, encoding="utf-8")
        assert read_corpus(path).frames == ("strike", "flood")
        assert read_corpus(path).codebook["strike"].title == "Strikes"
        (tmp_path / "codebook.toml").write_text('[[frames]]\nname = "other"\n', encoding="utf-8")
        assert read_corpus(path).frames == ("flood", "strike")

    def test_the_default_codebook_is_used_where_it_fits(self, csv_file) -> None:
        default = Codebook.from_names(["flood", "strike", "drought"])
        assert choose_codebook(csv_file(GOOD), Columns(), default) is default
        assert choose_codebook(csv_file(GOOD), Columns(), Codebook.from_names(["war"])) is None
        assert choose_codebook(csv_file(GOOD), Columns(label="none"), default) is None


class TestTask:
    def test_exactly_one_label_each_is_multiclass(self, csv_file) -> None:
        assert read_corpus(csv_file("text,labels\na b,x\nc d,y\ne f,x\ng h,y\n")).task == "multiclass"

    @pytest.mark.parametrize("cell", ["", "x|y"])
    def test_any_row_of_none_or_several_is_multilabel(self, csv_file, cell: str) -> None:
        path = csv_file(f"text,labels\na b,x\nc d,y\ne f,x\ng h,y\ni j,{cell}\n")
        assert read_corpus(path).task == "multilabel"

    def test_multilabel_may_be_asked_of_a_file_that_looks_multiclass(self, csv_file) -> None:
        path = csv_file("text,labels\na b,x\nc d,y\ne f,x\ng h,y\n")
        assert read_corpus(path, task="multilabel").task == "multilabel"

    def test_multiclass_asked_of_a_file_that_is_not_names_the_line(self, csv_file) -> None:
        with pytest.raises(InputError, match="line 5: 2 labels where --task multiclass needs exactly one"):
            read_corpus(csv_file(GOOD), codebook=FRAMES, task="multiclass")


texts = st.text(st.characters(codec="utf-8")).filter(str.strip)


@st.composite
def corpora(draw: st.DrawFn) -> LabeledCorpus:
    """Corpora fit for two folds: at least two distinct texts and two articles a frame."""
    found = draw(st.lists(texts, min_size=4, max_size=12, unique=True))
    extra = draw(st.lists(st.sampled_from([(), ("flood",), ("flood", "strike")]), min_size=len(found) - 4))
    labels = [("flood",), ("flood",), ("strike",), ("strike",), *extra][: len(found)]
    groups = draw(st.none() | st.lists(texts, min_size=len(found), max_size=len(found), unique=True).map(tuple))
    notes = tuple(draw(st.lists(st.text(st.characters(codec="utf-8")), min_size=len(found), max_size=len(found))))
    labels += [()] * (len(found) - len(labels))
    return LabeledCorpus(tuple(found), tuple(labels), FRAMES, "multilabel", groups, {"note": notes})


@given(corpora())
def test_write_and_read_give_the_same_corpus(corpus: LabeledCorpus) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written.csv"
        write_corpus(corpus, path)
        back = read_corpus(path, codebook=FRAMES, task="multilabel")
        again = Path(folder) / "again.csv"
        write_corpus(back, again)
        assert again.read_bytes() == path.read_bytes()
    assert (back.texts, back.labels, back.groups) == (corpus.texts, corpus.labels, corpus.groups)
    assert back.columns["note"] == corpus.columns["note"]


def test_writing_replaces_the_file_whole_and_leaves_nothing_beside_it(csv_file, tmp_path: Path) -> None:
    path = csv_file(GOOD)
    corpus = read_corpus(path, codebook=FRAMES)
    write_corpus(corpus, path)
    assert read_corpus(path, codebook=FRAMES).labels == corpus.labels
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def labeled(groups: tuple[str, ...] | None, texts: tuple[str, ...], labels: tuple[tuple[str, ...], ...]):
    return LabeledCorpus(texts, labels, FRAMES, "multilabel", groups)


class TestFolds:
    @given(
        st.lists(
            st.tuples(st.integers(0, 9), st.sampled_from([(), ("flood",), ("strike",), ("flood", "strike")])),
            min_size=10,
            max_size=80,
        ),
        st.integers(2, 5),
        st.integers(0, 2**32 - 1),
    )
    def test_an_article_is_never_divided_and_every_row_is_tested_once(self, rows, n_folds: int, seed: int) -> None:
        rows = [*rows, *((article, ("flood",)) for article in range(10))]
        corpus = labeled(
            tuple(str(article) for article, _ in rows),
            tuple(f"text {i}" for i in range(len(rows))),
            tuple(labels for _, labels in rows),
        )
        tested = []
        for train, test in corpus.folds(n_folds, seed):
            assert not set(corpus.group_ids[train]) & set(corpus.group_ids[test])
            assert sorted([*train, *test]) == list(range(len(rows)))
            tested += test.tolist()
        assert sorted(tested) == list(range(len(rows)))

    @given(st.lists(st.integers(0, 7), min_size=10, max_size=60), st.integers(2, 5), st.integers(0, 1000))
    def test_without_articles_equal_texts_stay_together(self, numbers: list[int], n_folds: int, seed: int) -> None:
        numbers = [*numbers, *range(8)]
        corpus = labeled(
            None,
            tuple(f"text {number}" for number in numbers),
            tuple(("flood",) if i % 3 else () for i in range(len(numbers))),
        )
        for train, test in corpus.folds(n_folds, seed):
            assert not {corpus.texts[row] for row in train} & {corpus.texts[row] for row in test}

    def test_the_seed_decides(self, corpus: LabeledCorpus) -> None:
        def tests(seed: int) -> list[list[int]]:
            return [test.tolist() for _, test in corpus.folds(3, seed)]

        assert tests(1) == tests(1)
        assert len({str(tests(seed)) for seed in range(5)}) > 1

    def test_a_part_of_the_rows_is_divided_in_row_numbers_of_the_corpus(self, corpus: LabeledCorpus) -> None:
        rows = np.arange(10, 50)
        tested = np.concatenate([test for _, test in corpus.folds(3, 0, rows)])
        assert sorted(tested) == list(rows)

    def test_frames_are_spread_over_the_folds(self, corpus: LabeledCorpus) -> None:
        for _, test in corpus.folds(3, 0):
            assert corpus.targets[test].any(axis=0).all()

    def test_fewer_articles_than_folds_are_refused(self) -> None:
        corpus = labeled(("1", "1", "2"), ("a", "b", "c"), (("flood",), ("strike",), ()))
        with pytest.raises(InputError, match="2 articles"):
            list(corpus.folds(3, 0))


class TestByArticle:
    @staticmethod
    def corpus(
        groups: tuple[str, ...] | None, texts: tuple[str, ...] = (), **columns: tuple[str, ...]
    ) -> LabeledCorpus:
        n = len(groups or texts)
        texts = texts or tuple(f"Text {i}." for i in range(n))
        return LabeledCorpus(texts, ((),) * n, Codebook.from_names(["a"]), groups=groups, columns=columns)

    def test_interleaved_articles_are_put_together_in_the_order_of_their_rows(self) -> None:
        order, sizes = self.corpus(("x", "y", "x", "y", "x")).by_article()
        assert order.tolist() == [0, 2, 4, 1, 3]
        assert sizes.tolist() == [3, 2]

    def test_sentence_index_tells_the_order_where_it_holds_numbers(self) -> None:
        corpus = self.corpus(("x", "x", "y", "y"), sentence_index=("10", "9", "b", "a"))
        assert corpus.by_article()[0].tolist() == [1, 0, 2, 3]

    def test_places_are_those_in_the_rows_given(self) -> None:
        order, sizes = self.corpus(("x", "y", "x", "y")).by_article(np.array([1, 2, 3]))
        assert sizes.tolist() == [1, 2]
        assert order.tolist() == [1, 0, 2]

    def test_a_sentence_without_an_article_stands_alone_whatever_its_text(self) -> None:
        for groups in (None, ("", "", "")):
            corpus = self.corpus(groups, ("Same.", "Same.", "Other."))
            assert corpus.by_article()[1].tolist() == [1, 1, 1]
            assert corpus.group_ids.tolist() == [0, 0, 1]

    def test_an_empty_article_is_told(self, csv_file) -> None:
        rows = "article_id,text,labels\n" + "".join(f"{i // 2},Text {i}.,{'ab'[i % 2]}\n" for i in range(12))
        found = check_corpus(csv_file(rows + ",Lost.,a\n"), n_folds=2)
        assert [(problem.severity, "article of its own" in problem.message) for problem in found] == [("warning", True)]

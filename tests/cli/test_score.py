"""``framing score``: from the real command line, into pipes, files and terminals."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from classifier import Model, load_model
from tests.conftest import ARTICLE, REPOSITORY

SCHEMA = json.loads((REPOSITORY / "docs" / "score.schema.json").read_text(encoding="utf-8"))
DOCUMENT = Draft202012Validator(SCHEMA)


@pytest.fixture
def score(cli, model_directory: Path) -> Callable:
    return lambda *arguments, **options: cli("score", "--model", model_directory, *arguments, **options)


def no_traceback(result: subprocess.CompletedProcess[bytes]) -> bool:
    return b"Traceback" not in result.stderr


class TestFormats:
    def test_json_lines_where_nobody_watches(self, score, article_file: Path) -> None:
        result = score(article_file)
        assert result.exit_code == 0
        (line,) = result.stdout.splitlines()
        DOCUMENT.validate([json.loads(line)])
        assert json.loads(line)["source"] == str(article_file)

    def test_offsets_reproduce_every_sentence(self, score, article_file: Path) -> None:
        sentences = json.loads(score(article_file).stdout)["sentences"]
        assert len(sentences) == 6
        for sentence in sentences:
            assert ARTICLE[sentence["start"] : sentence["end"]] == sentence["text"]

    def test_json_of_several_articles(self, score, article_file: Path, tmp_path: Path) -> None:
        (tmp_path / "two.txt").write_text("Rain fell.", encoding="utf-8")
        document = json.loads(score(article_file, tmp_path / "two.txt", "--format", "json", "--explain", "2").stdout)
        DOCUMENT.validate(document)
        assert [article["source"] for article in document] == [str(article_file), str(tmp_path / "two.txt")]
        assert all("terms" in sentence for sentence in document[0]["sentences"])

    def test_csv(self, score, article_file: Path) -> None:
        rows = list(csv.DictReader(io.StringIO(score(article_file, "--format", "csv").stdout, newline="")))
        assert rows[0]["text"] == "River rises again"
        assert [row["labels"] for row in rows if row["text"].startswith("Bus")] == ["strike"]

    def test_parquet(self, score, article_file: Path, tmp_path: Path) -> None:
        import pandas as pd

        target = tmp_path / "scores.parquet"
        assert score(article_file, "--format", "parquet", "--output", target).exit_code == 0
        assert pd.read_parquet(target)["text"].tolist()[0] == "River rises again"

    def test_table(self, score, article_file: Path) -> None:
        text = score(article_file, "--format", "table").stdout
        assert "■ strike" in text
        assert "\x1b" not in text

    @pytest.mark.parametrize("format_", ["jsonl", "json", "csv", "table"])
    def test_the_level_of_articles(self, score, article_file: Path, format_: str) -> None:
        text = score(article_file, "--level", "article", "--format", format_).stdout
        assert "Bus drivers" not in text
        assert "flood" in text
        if format_.startswith("json"):
            document = json.loads(text)
            DOCUMENT.validate(document if format_ == "json" else [document])

    def test_an_output_file_holds_what_stdout_would(self, score, article_file: Path, tmp_path: Path) -> None:
        assert score(article_file, "--output", tmp_path / "out.jsonl").stdout == ""
        assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == score(article_file).stdout

    @pytest.mark.parametrize("name", ["out.csv", "out.HTML", "out.json", "out.jsonl", "out"])
    def test_the_extension_of_the_output_names_its_format(
        self, score, article_file: Path, tmp_path: Path, name: str
    ) -> None:
        format_ = {"csv": "csv", "html": "html", "json": "json"}.get(name.lower().partition(".")[2], "jsonl")
        for target, options in ((tmp_path / name, ()), (tmp_path / "other", ("--format", format_))):
            assert score(article_file, "--output", target, *options).exit_code == 0
        assert (tmp_path / name).read_bytes() == (tmp_path / "other").read_bytes()

    def test_a_folder_is_walked(self, score, tmp_path: Path) -> None:
        for name in ("b.txt", "a/c.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("Rain fell.", encoding="utf-8")
        lines = score(tmp_path).stdout.splitlines()
        assert [json.loads(line)["source"] for line in lines] == [str(tmp_path / "a/c.txt"), str(tmp_path / "b.txt")]

    def test_standard_input(self, score) -> None:
        article = json.loads(score("-", input=b"Rain fell.\r\nThe strike ended.").stdout)
        assert article["source"] == "-"
        assert [sentence["text"] for sentence in article["sentences"]] == ["Rain fell.", "The strike ended."]

    def test_the_default_model(self, cli, article_file: Path) -> None:
        article = json.loads(cli("score", article_file).stdout)
        assert set(article["profile"]) == {"western_condemnation", "russian_support", "belarusian_official_narrative"}
        furniture = next(sentence for sentence in article["sentences"] if sentence["text"] == "Read more")
        assert furniture["labels"] == []


class TestExplain:
    def test_a_bare_option_gives_five_terms(self, score, article_file: Path) -> None:
        sentences = json.loads(score(article_file, "--explain").stdout)["sentences"]
        assert max(len(terms) for sentence in sentences for terms in sentence["terms"].values()) == 5

    def test_a_number_gives_that_many(self, score, article_file: Path) -> None:
        sentences = json.loads(score(article_file, "--explain", "2").stdout)["sentences"]
        assert max(len(terms) for sentence in sentences for terms in sentence["terms"].values()) == 2
        for sentence in sentences:
            assert set(sentence["terms"]) == set(sentence["labels"])

    @pytest.mark.parametrize("n", ["0", "-1", "many"])
    def test_other_numbers_are_bad_usage(self, score, article_file: Path, n: str) -> None:
        assert score(article_file, "--explain", n).exit_code == 2


class TestAlone:
    def test_every_sentence_is_read_without_its_article(self, cli, roles_directory: Path, article_file: Path) -> None:
        model = load_model(roles_directory)
        read = {}
        for options in ((), ("--alone",)):
            article = json.loads(cli("score", article_file, "--model", roles_directory, *options).stdout)
            read[options] = [list(sentence["scores"].values()) for sentence in article["sentences"]]
        texts = [sentence["text"] for sentence in article["sentences"]]
        np.testing.assert_allclose(read["--alone",], model.predict_proba(texts), atol=6e-5)
        np.testing.assert_allclose(read[()], model.read(texts, [len(texts)]).probabilities, atol=6e-5)
        assert read[()] != read["--alone",]


class TestThreshold:
    def labels(self, result) -> list[list[str]]:
        assert result.exit_code == 0, result.stderr
        return [sentence["labels"] for sentence in json.loads(result.stdout)["sentences"]]

    def test_one_value_for_all_frames(self, score, article_file: Path) -> None:
        assert self.labels(score(article_file, "--threshold", "0")) == [["flood", "strike"]] * 6
        assert self.labels(score(article_file, "--threshold", "1.0")) == [[]] * 6

    def test_one_frame_and_the_models_own_for_the_others(self, score, article_file: Path) -> None:
        own = self.labels(score(article_file))
        changed = self.labels(score(article_file, "--threshold", "flood=0"))
        assert all("flood" in names for names in changed)
        assert [set(names) - {"flood"} for names in changed] == [set(names) - {"flood"} for names in own]

    def test_the_last_one_counts(self, score, article_file: Path) -> None:
        given = ("--threshold", "strike=0", "--threshold", "1")
        assert self.labels(score(article_file, *given)) == self.labels(score(article_file, *given[2:], *given[:2]))
        labels = self.labels(score(article_file, "--threshold", "1", "--threshold", "strike=0"))
        assert labels == [["strike"]] * 6

    @pytest.mark.parametrize("value", ["2", "-0.1", "nan", "x", "", "flood=", "flood=2", "hail=0.5", "=0.5x"])
    def test_what_is_no_probability_or_no_frame_is_bad_usage(self, score, article_file: Path, value: str) -> None:
        result = score(article_file, f"--threshold={value}")
        assert result.exit_code == 2
        assert "--threshold" in result.stderr

    def test_an_unknown_frame_is_answered_with_those_there_are(self, score, article_file: Path) -> None:
        assert "flood, strike" in score(article_file, "--threshold", "hail=0.5").stderr

    def test_multiclass(self, cli, rooms_directory: Path, article_file: Path) -> None:
        own = self.labels(cli("score", article_file, "--model", rooms_directory))
        assert [len(names) for names in own] == [1] * 6
        none = self.labels(cli("score", article_file, "--model", rooms_directory, "--threshold", "1"))
        assert none == [[]] * 6


class TestTroubledInput:
    """Each a clear sentence or a result, never a traceback."""

    def test_a_missing_file(self, framing) -> None:
        result = framing("score", "missing.txt")
        assert result.returncode == 2
        assert result.stdout == b""
        assert re.fullmatch(rb"Error: missing\.txt: .*\n", result.stderr)

    def test_an_empty_file(self, framing, tmp_path: Path) -> None:
        (tmp_path / "empty.txt").write_bytes(b"")
        result = framing("score", "empty.txt")
        assert no_traceback(result)
        if result.returncode:
            assert b"empty.txt" in result.stderr
        else:
            assert json.loads(result.stdout)["sentences"] == []

    def test_a_binary_file(self, framing, tmp_path: Path) -> None:
        (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 20)
        result = framing("score", "binary.txt")
        assert no_traceback(result)
        assert b"binary.txt" in result.stderr
        assert result.stdout == b""

    def test_an_empty_folder(self, framing, tmp_path: Path) -> None:
        (tmp_path / "nothing").mkdir()
        result = framing("score", "nothing")
        assert result.returncode == 2
        assert no_traceback(result)
        assert b"nothing" in result.stderr

    @pytest.mark.parametrize("names", [("model.joblib",), ("a.txt", "b")])
    def test_what_is_no_model(self, framing, article_file: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
        (tmp_path / "odd").mkdir()
        for name in names:
            (tmp_path / "odd" / name).write_bytes(b"\x80\x04")
        for place in ("odd", f"odd/{names[0]}", "missing"):
            result = framing("score", article_file, "--model", place)
            assert result.returncode == 2
            assert no_traceback(result)
            assert place.encode() in result.stderr

    def test_an_output_that_cannot_be_written(self, framing, article_file: Path) -> None:
        result = framing("score", article_file, "--output", "missing/out.jsonl")
        assert result.returncode in (1, 2)
        assert no_traceback(result)
        assert b"missing/out.jsonl" in result.stderr

    def test_a_failure_leaves_the_old_output(self, framing, tmp_path: Path) -> None:
        (tmp_path / "out.jsonl").write_text("old", encoding="utf-8")
        assert framing("score", "missing.txt", "--output", "out.jsonl").returncode == 2
        assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "old"

    @pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
    @pytest.mark.parametrize("format_", ["jsonl", "json", "csv", "table"])
    def test_a_file_name_that_is_not_utf8(self, score, tmp_path: Path, format_: str) -> None:
        name = os.fsdecode(os.fsencode(tmp_path) + b"/n\xe9.txt")
        Path(name).write_text("Rain fell.", encoding="utf-8")
        result = score(tmp_path, "--format", format_)
        assert result.exit_code == 0
        assert "n\ufffd.txt" in result.stdout.replace("\n", "")

    def test_closed_standard_input(self, environment) -> None:
        command = f"exec {sys.executable} -m classifier score - <&-"
        result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=False)
        assert result.returncode in (0, 1, 2)
        assert no_traceback(result)
        assert b"standard input" in result.stderr

    def test_closed_standard_output(self, environment, article_file: Path) -> None:
        command = f"exec {sys.executable} -m classifier score {article_file} >&-"
        result = subprocess.run(["bash", "-c", command], env=environment, stderr=subprocess.PIPE, check=False)
        assert result.returncode in (1, 2)
        assert no_traceback(result)
        assert b"output" in result.stderr

    @pytest.mark.slow
    @pytest.mark.parametrize("unit", ["The river rose in the rain. ", "river rain strike ", "flood"])
    def test_fifty_megabytes_in_one_line(self, framing, model_directory: Path, tmp_path: Path, unit: str) -> None:
        path = tmp_path / "line.txt"
        path.write_text(unit * (50_000_000 // len(unit)), encoding="utf-8")
        result = framing("score", path, "--model", model_directory, "--level", "article", timeout=600)
        assert no_traceback(result)
        if result.returncode:
            assert b"line.txt" in result.stderr
        else:
            assert json.loads(result.stdout)["n_sentences"] >= 1


class TestPipes:
    @pytest.mark.parametrize("format_", ["jsonl", "json", "csv", "table"])
    def test_a_reader_that_leaves_early_ends_it_quietly(
        self, environment, model_directory: Path, tmp_path: Path, format_: str
    ) -> None:
        for number in range(300):
            (tmp_path / f"{number}.txt").write_text(ARTICLE * 5, encoding="utf-8")
        arguments = ["score", str(tmp_path), "--model", str(model_directory), "--format", format_]
        command = [sys.executable, "-m", "classifier", *arguments]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) in (0, 1, 141, -13)

    def test_head_of_standard_input(self, environment, model_directory: Path, article_file: Path) -> None:
        command = f"cat {article_file} | {sys.executable} -m classifier score - --model {model_directory} | head -1"
        result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=True)
        assert json.loads(result.stdout)["source"] == "-"
        assert result.stderr == b""

    def test_a_named_pipe_as_output(self, framing, article_file: Path, model_directory: Path, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
            result = framing("score", article_file, "--model", model_directory, "--output", "pipe")
            assert result.returncode == 0, result.stderr
            assert json.loads(reader.communicate(timeout=20)[0])["source"] == str(article_file)


def on_terminal(arguments: list[object], environment: dict[str, str], width: int) -> str:
    """Run the command on a pseudo-terminal of this width and return what a person sees."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [sys.executable, "-m", "classifier", *map(str, arguments)]
    environment = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs, stdin=theirs) as process:
        os.close(theirs)
        chunks = []
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            chunks.append(chunk)
        process.wait(60)
    os.close(ours)
    return b"".join(chunks).decode("utf-8").replace("\r\n", "\n")


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
class TestTerminal:
    def test_a_readable_page_in_the_codebooks_colours(
        self, environment, model_directory: Path, article_file: Path, loaded: Model
    ) -> None:
        text = on_terminal(["score", article_file, "--model", model_directory], environment, 100)
        red, green, blue = (int(loaded.codebook["strike"].colour[i : i + 2], 16) for i in (1, 3, 5))
        assert f"38;2;{red};{green};{blue}m" in text
        assert "■ strike" in without_styles(text)

    @pytest.mark.parametrize("width", [40, 80])
    def test_narrow_windows(self, environment, model_directory: Path, article_file: Path, width: int) -> None:
        text = on_terminal(["score", article_file, "--model", model_directory, "--explain"], environment, width)
        lines = without_styles(text).splitlines()
        assert "River rises again" in without_styles(text)
        assert max(map(cell_len, lines)) <= width

    def test_no_color_is_honoured(self, environment, model_directory: Path, article_file: Path) -> None:
        arguments = ["score", article_file, "--model", model_directory]
        text = on_terminal(arguments, {**environment, "NO_COLOR": "1"}, 100)
        codes = {code for match in re.findall(r"\x1b\[([0-9;]*)m", text) for code in match.split(";")}
        assert codes <= {"", "0", "1", "2"}  # bold and dim are no colours
        assert "■ strike" in without_styles(text)

    def test_escape_sequences_of_an_article_and_its_name_steer_nothing(
        self, environment, model_directory: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "\x1b]0;owned\x07.txt"
        path.write_text("Rain \x1b[2J fell \x9b31m on \u202eus. \x07\n", encoding="utf-8")
        arguments = ["score", path, "--model", model_directory]
        text = without_styles(on_terminal([*arguments, "--encoding", "utf-8"], environment, 100))
        assert "Rain" in text
        assert not set(text) & set("\x1b\x07\x9b\u202e")

    def test_an_error_that_names_such_a_file_steers_nothing(self, environment, model_directory: Path) -> None:
        text = on_terminal(["score", "\x1b[2Jmissing.txt", "--model", model_directory], environment, 100)
        assert "missing.txt" in text
        assert "\x1b[2J" not in text

    def test_parquet_is_not_for_a_terminal(self, environment, model_directory: Path, article_file: Path) -> None:
        arguments = ["score", article_file, "--model", model_directory, "--format", "parquet"]
        assert "give --output FILE" in on_terminal(arguments, environment, 100)

    def test_training_shows_its_progress(self, environment, corpus_csv: Path, tmp_path: Path) -> None:
        arguments = ["train", corpus_csv, "-o", tmp_path / "model", "--folds", "2"]
        text = on_terminal(arguments, environment, 100)
        assert "Training" in text
        assert "%" in text
        assert "macro average" in text

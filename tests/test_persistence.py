"""A model directory: saved whole or not at all; anything tampered with is refused with a sentence."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import FramingError, InputError, LabeledCorpus, Model, load_model, save_model, train
from classifier.model.load import MANIFEST, PIPELINE, VOCABULARY, WEIGHTS
from tests.conftest import REPOSITORY

TEXTS = ["The river rose.", "A strike at the gate.", "", "Дождь"]
VERIFIED = (MANIFEST, WEIGHTS, VOCABULARY)


@pytest.fixture
def copy(model_directory: Path, tmp_path: Path) -> Path:
    """A saved model to be damaged."""
    return Path(shutil.copytree(model_directory, tmp_path / "model"))


def same(one: Model, other: Model) -> bool:
    return bool((one.predict_proba(TEXTS) == other.predict_proba(TEXTS)).all())


class TestRoundTrip:
    def test_everything_comes_back(self, model: Model, loaded: Model) -> None:
        assert loaded.name == model.name == "tiny"
        assert loaded.codebook == model.codebook
        assert loaded.task == model.task
        assert loaded.blocks == model.blocks
        assert loaded.vocabulary == model.vocabulary
        for name in ("idf", "coefficients", "intercepts", "thresholds", "thresholds_alone"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(model, name))
        assert loaded.metrics == model.metrics
        assert loaded.provenance == model.provenance
        assert same(loaded, model)

    def test_provenance_names_corpus_sentences_seed_and_versions(self, loaded: Model, corpus: LabeledCorpus) -> None:
        assert loaded.provenance["corpus"] == "floods.csv"
        assert loaded.provenance["corpus_sha256"] == corpus.sha256
        assert loaded.provenance["sentences"] == 60
        assert loaded.provenance["articles"] == 12
        assert loaded.provenance["seed"] == 0
        assert "numpy" in loaded.provenance["versions"]

    def test_metrics_are_a_file_of_their_own_for_people(self, model_directory: Path, model: Model) -> None:
        assert json.loads((model_directory / "metrics.json").read_text(encoding="utf-8")) == model.metrics

    def test_saving_what_was_loaded_writes_the_same_bytes(self, loaded: Model, tmp_path: Path) -> None:
        save_model(loaded, tmp_path / "one")
        save_model(load_model(tmp_path / "one"), tmp_path / "two")
        for name in VERIFIED:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

    def test_training_twice_writes_the_same_weights(
        self, corpus: LabeledCorpus, model_directory: Path, tmp_path: Path
    ) -> None:
        again, _ = train(corpus, name="tiny", n_folds=3)
        save_model(again, tmp_path / "again")
        for name in (WEIGHTS, VOCABULARY):
            assert (tmp_path / "again" / name).read_bytes() == (model_directory / name).read_bytes()

    def test_the_pipeline_is_scikit_learns_own(self, model_directory: Path) -> None:
        pipeline = joblib.load(model_directory / PIPELINE)
        assert type(pipeline).__module__.startswith("sklearn.")
        assert pipeline.predict(["The river rose in the rain."]).tolist() == [[1, 0]]
        assert list(pipeline.classes_) == ["flood", "strike"]

    def test_the_pipeline_of_two_classes(self, rooms_corpus: LabeledCorpus, tmp_path: Path) -> None:
        two = [i for i, (label,) in enumerate(rooms_corpus.labels) if label != "garden"]
        from classifier import Codebook

        part = LabeledCorpus(
            tuple(rooms_corpus.texts[i] for i in two),
            tuple(rooms_corpus.labels[i] for i in two),
            Codebook.from_names(["kitchen", "harbour"]),
            "multiclass",
        )
        model, _ = train(part, n_folds=2)
        save_model(model, tmp_path / "two")
        pipeline = joblib.load(tmp_path / "two" / PIPELINE)
        np.testing.assert_allclose(
            pipeline.predict_proba(TEXTS), load_model(tmp_path / "two").predict_proba(TEXTS), atol=1e-5
        )


class TestRefusal:
    @pytest.mark.parametrize("name", VERIFIED)
    @given(data=st.data())
    def test_any_byte_changed(self, model_directory: Path, copy: Path, name: str, data: st.DataObject) -> None:
        original = (model_directory / name).read_bytes()
        position = data.draw(st.integers(0, len(original) - 1))
        changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[position]))
        (copy / name).write_bytes(original[:position] + bytes([changed]) + original[position + 1 :])
        with pytest.raises(InputError) as caught:
            load_model(copy)
        assert str(copy) in str(caught.value)

    @pytest.mark.parametrize("name", VERIFIED)
    @given(data=st.data())
    def test_truncated_or_extended(self, model_directory: Path, copy: Path, name: str, data: st.DataObject) -> None:
        original = (model_directory / name).read_bytes()
        kept = data.draw(st.integers(0, len(original) - 1))
        more = data.draw(st.sampled_from([b"", b" ", b"\n", b"\0" * 8]))
        (copy / name).write_bytes(original[:kept] if not more else original + more)
        with pytest.raises(InputError, match=str(copy)):
            load_model(copy)

    def test_white_space_changed_in_the_manifest(self, copy: Path) -> None:
        manifest = (copy / MANIFEST).read_bytes()
        (copy / MANIFEST).write_bytes(manifest.replace(b"\n ", b"\n\t", 1))
        with pytest.raises(InputError, match="changed since it was saved"):
            load_model(copy)

    @pytest.mark.parametrize("name", VERIFIED)
    def test_a_missing_file(self, copy: Path, name: str) -> None:
        (copy / name).unlink()
        with pytest.raises(InputError, match=name):
            load_model(copy)

    @pytest.mark.parametrize("name", VERIFIED)
    def test_a_folder_in_place_of_a_file(self, copy: Path, name: str) -> None:
        (copy / name).unlink()
        (copy / name).mkdir()
        with pytest.raises(InputError, match=name):
            load_model(copy)

    @pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
    def test_another_format_version(self, copy: Path, version: object) -> None:
        manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
        (copy / MANIFEST).write_text(json.dumps({**manifest, "format": version}), encoding="utf-8")
        with pytest.raises(InputError, match=f"format {version!r}, but this version reads format"):
            load_model(copy)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"\x80\x04\x95"])
    def test_a_manifest_that_is_none(self, copy: Path, content: bytes) -> None:
        (copy / MANIFEST).write_bytes(content)
        with pytest.raises(InputError, match=MANIFEST):
            load_model(copy)

    @given(data=st.data())
    def test_a_forged_manifest_with_a_valid_checksum_is_damaged_not_a_crash(
        self, model_directory: Path, copy: Path, data: st.DataObject
    ) -> None:
        import hashlib

        manifest = json.loads((model_directory / MANIFEST).read_text(encoding="utf-8"))
        key = data.draw(st.sampled_from(["task", "codebook", "blocks", "thresholds", "thresholds_alone", "files"]))
        values = [[], {}, "x", 1, [{}], [1.0], [2.0, 0.5]]
        # Models of old have no thresholds of sentences read alone.
        manifest[key] = data.draw(st.sampled_from(values if key == "thresholds_alone" else [None, *values]))
        del manifest["checksum"]
        checksum = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        text = json.dumps({**manifest, "checksum": checksum}, indent=1, ensure_ascii=False) + "\n"
        (copy / MANIFEST).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=str(copy)):
            load_model(copy)

    def test_a_pickle_offered_as_a_model_is_never_loaded(self, tmp_path: Path) -> None:
        witness = tmp_path / "witness"

        class Trap:
            def __reduce__(self):
                return (os.mkdir, (str(witness),))

        joblib.dump(Trap(), tmp_path / "model.joblib")
        with pytest.raises(InputError, match="Pickled models are never loaded"):
            load_model(tmp_path / "model.joblib")
        assert not witness.exists()

    def test_a_tampered_pipeline_is_not_even_read(self, copy: Path, loaded: Model) -> None:
        (copy / PIPELINE).write_bytes(b"not a pickle")
        assert same(load_model(copy), loaded)

    @pytest.mark.parametrize("name", ["missing", "."])
    def test_a_directory_without_a_model(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="no model there"):
            load_model(tmp_path / name)


class TestSaving:
    def test_over_an_old_model_keeps_other_files_and_leaves_nothing_beside(
        self, rooms_model: Model, copy: Path, tmp_path: Path
    ) -> None:
        (copy / "NOTES.md").write_text("mine", encoding="utf-8")
        (copy / "plots").mkdir()
        (copy / "plots" / "one.svg").write_text("<svg/>", encoding="utf-8")
        (copy / "link").symlink_to("NOTES.md")
        save_model(rooms_model, copy)
        assert load_model(copy).frames == rooms_model.frames
        assert (copy / "NOTES.md").read_text(encoding="utf-8") == "mine"
        assert (copy / "plots" / "one.svg").read_text(encoding="utf-8") == "<svg/>"
        assert (copy / "link").readlink() == Path("NOTES.md")
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_through_a_symbolic_link_the_link_stays(self, rooms_model: Model, copy: Path, tmp_path: Path) -> None:
        (tmp_path / "current").symlink_to("model")
        save_model(rooms_model, tmp_path / "current")
        assert (tmp_path / "current").is_symlink()
        assert load_model(copy).frames == rooms_model.frames

    def test_new_directories_are_made(self, loaded: Model, tmp_path: Path) -> None:
        save_model(loaded, tmp_path / "a" / "b" / "c")
        assert same(load_model(tmp_path / "a" / "b" / "c"), loaded)

    def test_an_empty_directory_is_filled(self, loaded: Model, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        save_model(loaded, tmp_path / "empty")
        assert same(load_model(tmp_path / "empty"), loaded)

    def test_a_directory_of_other_files_is_refused_and_left_alone(self, loaded: Model, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
        with pytest.raises(InputError, match="holds files but no model"):
            save_model(loaded, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_file_is_refused(self, loaded: Model, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(InputError, match="is a file"):
            save_model(loaded, tmp_path / "file")

    def test_where_nothing_can_be_written_is_a_sentence(self, loaded: Model, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(FramingError, match="cannot write there"):
            save_model(loaded, tmp_path / "file" / "model")

    def test_a_failure_half_way_leaves_the_old_model(self, copy: Path, loaded: Model, rooms_model: Model) -> None:
        os.mkfifo(copy / "pipe")  # an extra file that cannot be copied
        with pytest.raises(FramingError):
            save_model(rooms_model, copy)
        assert same(load_model(copy), loaded)
        assert [path.name for path in copy.parent.iterdir()] == ["model"]


SAVE_FOR_EVER = """
import sys
from classifier import load_model, save_model
models = [load_model(path) for path in sys.argv[2:]]
print("ready", flush=True)
while True:
    for model in models:
        save_model(model, sys.argv[1])
"""


def kill_while_saving(target: Path, sources: list[Path], environment: dict[str, str], kills: int, seed: int) -> None:
    """Save two models in turn until killed, again and again; after each kill one of the two must load."""
    rng = random.Random(seed)
    known = [load_model(path) for path in sources]
    for _ in range(kills):
        command = [sys.executable, "-c", SAVE_FOR_EVER, str(target), *map(str, sources)]
        with subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
        if target.exists():
            found = load_model(target)
            assert any(found.frames == model.frames and same(found, model) for model in known)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
class TestKilled:
    """SIGKILL at a random moment leaves the old model or the new one."""

    def test_while_saving(
        self, model_directory: Path, rooms_directory: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        target = Path(shutil.copytree(model_directory, tmp_path / "model"))
        kill_while_saving(target, [rooms_directory, model_directory], environment, kills=4, seed=0)

    @pytest.mark.slow
    def test_while_saving_many_times(
        self, model_directory: Path, rooms_directory: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        kill_while_saving(tmp_path / "model", [rooms_directory, model_directory], environment, kills=60, seed=1)

    @pytest.mark.slow
    def test_while_training(
        self, model_directory: Path, rooms_csv: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        target = tmp_path / "model"
        old = load_model(model_directory)
        command = [sys.executable, "-m", "classifier", "train", str(rooms_csv), "-o", str(target), "--folds", "2"]
        command += ["--text-column", "Example", "--label-column", "Category"]
        rng = random.Random(2)
        seconds = 12.0
        outcomes = set()
        for _ in range(12):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(model_directory, target)
            started = time.monotonic()
            with subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as run:
                try:
                    run.wait(rng.uniform(0, seconds))
                    seconds = time.monotonic() - started
                except subprocess.TimeoutExpired:
                    run.send_signal(signal.SIGKILL)
            found = load_model(target)
            assert same(found, old) if found.frames == old.frames else found.frames == ("garden", "harbour", "kitchen")
            outcomes.add(found.frames)
        assert old.frames in outcomes

"""What the tests share: tiny trained models, a runner of the real command, and texts of every script."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from classifier import LabeledCorpus, Model, TrainingReport, load_model, read_codebook, read_corpus, train
from classifier.cli import main
from classifier.corpus import Columns
from classifier.release import save_model
from tests.corpora import write_floods_and_strikes, write_rooms
from tests.weather import write_weather

settings.register_profile(
    "default",
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("default")

REPOSITORY = Path(__file__).parent.parent

ARTICLE = """\
River rises again

Rain fell on the valley for a third day. The river passed the flood wall at noon, said Dr. Hale, who
measures it. “We have seen worse.”

Bus drivers meanwhile called a strike over wages.
Read more
"""


@pytest.fixture(scope="session")
def corpus_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multilabel CSV with articles."""
    return write_floods_and_strikes(tmp_path_factory.mktemp("corpus") / "floods.csv")


@pytest.fixture(scope="session")
def corpus(corpus_csv: Path) -> LabeledCorpus:
    return read_corpus(corpus_csv)


@pytest.fixture(scope="session")
def trained(corpus: LabeledCorpus) -> tuple[Model, TrainingReport]:
    return train(corpus, name="tiny", n_folds=3)


@pytest.fixture(scope="session")
def model(trained: tuple[Model, TrainingReport]) -> Model:
    return trained[0]


@pytest.fixture(scope="session")
def model_directory(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved multilabel model; tests that change it copy it first."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    save_model(model, path)
    return path


@pytest.fixture(scope="session")
def loaded(model_directory: Path) -> Model:
    return load_model(model_directory)


@pytest.fixture(scope="session")
def rooms_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multiclass CSV without articles and with column names of its own."""
    return write_rooms(tmp_path_factory.mktemp("corpus") / "rooms.csv")


@pytest.fixture(scope="session")
def rooms_corpus(rooms_csv: Path) -> LabeledCorpus:
    return read_corpus(rooms_csv, Columns(text="Example", label="Category"))


@pytest.fixture(scope="session")
def rooms_trained(rooms_corpus: LabeledCorpus) -> tuple[Model, TrainingReport]:
    return train(rooms_corpus, name="rooms", n_folds=3)


@pytest.fixture(scope="session")
def rooms_directory(rooms_trained: tuple[Model, TrainingReport], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved multiclass model."""
    path = tmp_path_factory.mktemp("models") / "rooms"
    save_model(rooms_trained[0], path)
    return path


@pytest.fixture(scope="session")
def rooms_model(rooms_directory: Path) -> Model:
    return load_model(rooms_directory)


ROLES = """
[roles.actors]
water = { title = "Water", subject = "Water", terms = ["river", "rain", "flood*", "water"] }
workers = { title = "Workers", subject = "Work", terms = ["union*", "driver*", "worker*", "picket*", "nurses"] }
employers = { title = "Employers", subject = "Work", terms = ["employer*", "ministry"] }

[roles.acts]
rise = { title = "rises", terms = ["rose", "rise*", "burst", "rising", "fall", "fell"] }
strike = { title = "strikes", terms = ["strike*", "walked out"] }
damage = { title = "damages", terms = ["enter*", "cut", "close*", "wash*"] }

[roles.marks]
not = { title = "not", terms = ["not", "no", "nobody", "unless"] }

[roles.links]
at = { title = "at", terms = ["at", "in", "on"] }
of = { title = "of", terms = ["of"] }
"""


@pytest.fixture(scope="session")
def roles_directory(corpus_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved multilabel model that also reads who does what to whom."""
    folder = tmp_path_factory.mktemp("roles")
    text = "".join(f'[[frames]]\nname = "{name}"\n' for name in ("flood", "strike"))
    (folder / "codebook.toml").write_text(text + ROLES, encoding="utf-8")
    corpus = read_corpus(corpus_csv, codebook=read_codebook(folder / "codebook.toml"))
    model, _ = train(corpus, name="roles", n_folds=2)
    assert len(model.blocks) > 2
    save_model(model, folder / "model")
    return folder / "model"


@pytest.fixture
def article_file(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    return path


@pytest.fixture
def cli() -> Callable[..., Result]:
    """The command, run in this process: ``cli("score", path)``."""

    def run(*arguments: object, **options: Any) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="framing", **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of commands run as processes: this checkout, and nothing that decides on colours."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def framing(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The command, run as a process of its own: ``framing("score", path)``."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "classifier", *map(str, arguments)]
        given: dict[str, Any] = {"env": environment, "cwd": tmp_path, "timeout": 120, "capture_output": True, **options}
        return subprocess.run(command, check=False, **given)

    return run


@pytest.fixture(scope="session")
def weather_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weather(tmp_path_factory.mktemp("weather") / "weather.csv")


@pytest.fixture(scope="session")
def unseen_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weather(tmp_path_factory.mktemp("unseen") / "unseen.csv", n_articles=20, seed=1)


@pytest.fixture(scope="session")
def weather(weather_csv: Path) -> LabeledCorpus:
    return read_corpus(weather_csv)


@pytest.fixture(scope="session")
def unseen(unseen_csv: Path, weather: LabeledCorpus) -> LabeledCorpus:
    return read_corpus(unseen_csv, codebook=weather.codebook)


@pytest.fixture(scope="session")
def weather_directory(weather: LabeledCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model, _ = train(weather, name="weather", n_folds=3)
    path = tmp_path_factory.mktemp("model") / "weather"
    save_model(model, path)
    return path


@pytest.fixture(scope="session")
def weather_model(weather_directory: Path) -> Model:
    return load_model(weather_directory)

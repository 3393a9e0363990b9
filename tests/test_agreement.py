"""Agreement is what scikit-learn and krippendorff compute, with intervals over articles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from classifier.corpus import LabeledCorpus
from classifier.errors import InputError
from classifier.metrics import Bootstrap
from classifier.metrics.agreement import SETS, chance_corrected
from notebooks.studies.annotators import agreement

krippendorff = pytest.importorskip("krippendorff", reason="comes with the extra 'agreement'")


@given(st.integers(0, 10_000), st.integers(2, 5), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_every_resample_is_computed_as_the_libraries_do(seed: int, n_categories: int, likeness: float) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(n_categories, size=60)
    second = np.where(rng.random(60) < likeness, first, rng.integers(n_categories, size=60))
    bootstrap = Bootstrap(np.arange(60) // 4, 3, seed)
    observed, kappa, alpha = chance_corrected(first, second, bootstrap)
    for row, weights in enumerate(bootstrap.weights[:, bootstrap.groups].astype(int)):
        one, other = np.repeat(first, weights), np.repeat(second, weights)
        assert observed[row] == pytest.approx((one == other).mean())
        assert kappa[row] == pytest.approx(cohen_kappa_score(one, other))
        assert alpha[row] == pytest.approx(krippendorff.alpha(np.array([one, other]), level_of_measurement="nominal"))


def with_second(corpus: LabeledCorpus, cells: list[str]) -> LabeledCorpus:
    return replace(corpus, columns={**corpus.columns, "labels_second": tuple(cells)})


def test_of_a_column_with_itself_is_one(weather: LabeledCorpus) -> None:
    rows = agreement(with_second(weather, ["|".join(names) for names in weather.labels]))
    assert [row.name for row in rows] == [*weather.frames, SETS]
    for row in rows:
        assert row.kappa and row.alpha
        assert row.observed.value == row.kappa.value == row.alpha.value == 1
        assert row.sentences == len(weather)


def test_of_chance_is_about_nought(weather: LabeledCorpus) -> None:
    cells = ["|".join(names) for names in weather.labels]
    row = agreement(with_second(weather, cells[4:] + cells[:4]))[0]
    assert row.alpha and row.kappa
    assert row.alpha.low < 0 < row.alpha.high
    assert row.kappa.value == pytest.approx(row.alpha.value, abs=0.02)


def test_leaves_out_sentences_labeled_once(weather: LabeledCorpus) -> None:
    cells = ["|".join(names) if row % 3 else "?" for row, names in enumerate(weather.labels)]
    rows = agreement(with_second(weather, cells), missing="?")
    assert rows[0].sentences == len(weather) - len(weather) // 3


def test_is_undefined_where_both_always_say_the_same(weather: LabeledCorpus) -> None:
    quiet = replace(weather, labels=((),) * len(weather))
    row = agreement(with_second(quiet, [""] * len(weather)))[0]
    assert row.observed.value == 1
    assert row.kappa is None and row.alpha is None


def test_names_an_unknown_label_and_a_missing_column(weather: LabeledCorpus) -> None:
    with pytest.raises(InputError, match="'strom' is no frame"):
        agreement(with_second(weather, ["strom"] * len(weather)))
    with pytest.raises(InputError, match="no column 'labels_second'"):
        agreement(weather)
    with pytest.raises(InputError, match="no sentence has labels in both"):
        agreement(with_second(weather, [""] * len(weather)), missing="")

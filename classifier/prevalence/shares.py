"""Shares of a population: as counted, by the sample alone, and corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.errors import InputError
from classifier.prevalence.census import Census, Groups, Level, take_census
from classifier.prevalence.estimators import MIN_TUNED, Design, Estimate, contrast, difference, holm, sample_alone
from classifier.prevalence.labels import Labels, read_labels
from classifier.prevalence.population import Population, population_of, read_population
from classifier.prevalence.rules import doubt
from classifier.system.arrays import Bools

if TYPE_CHECKING:
    import pandas as pd

    from classifier.corpus import LabeledCorpus
    from classifier.model.model import Model

#: Groups compared each with each; more are compared with the whole.
ALL_PAIRS = 6

_TIMES = ("day", "month", "year")


@dataclass(frozen=True)
class Share:
    """The share of one frame in one group.

    Parameters
    ----------
    by, group : str
        The column and its value; empty for the population as a whole.
    frame : str
    units, labels : int
        Of the population, and of the sample.
    naive : float
        The share that the model labeled.
    sample, corrected : Estimate or None
        None where there is no valid answer.
    saved : int
        Labels that the sample alone would need besides for an interval as short as the corrected one.
    note : str
        Why there is no answer, or why it is approximate.
    """

    by: str
    group: str
    frame: str
    units: int
    labels: int
    naive: float
    sample: Estimate | None
    corrected: Estimate | None
    saved: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return the share as plain data."""

        def parts(name: str, estimate: Estimate | None) -> dict[str, Any]:
            values = (None,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
            rounded = (None if value is None else round(value, 6) for value in values)
            return dict(zip((name, f"{name}_low", f"{name}_high"), rounded, strict=True))

        return {
            "by": self.by,
            "group": self.group,
            "frame": self.frame,
            "units": self.units,
            "labels": self.labels,
            "naive": round(self.naive, 6),
            **parts("sample", self.sample),
            **parts("corrected", self.corrected),
            "power": None if self.corrected is None else round(self.corrected.power, 4),
            "labels_saved": self.saved,
            "note": self.note,
        }


@dataclass(frozen=True)
class Difference:
    """How much two groups differ in a frame's corrected share.

    Parameters
    ----------
    by, one, other, frame : str
        The column, its two values, and the frame; `other` is empty for the population as a whole.
    value, low, high : float
        `one` less `other`, and its 95 % interval.
    p_value, adjusted : float
        Of no difference; the second one for the number of comparisons of this column (Holm 1979).
    """

    by: str
    one: str
    other: str
    frame: str
    value: float
    low: float
    high: float
    p_value: float
    adjusted: float

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain data."""
        names = ("value", "low", "high", "p_value", "adjusted")
        numbers = {name: round(getattr(self, name), 6) for name in names}
        return {"by": self.by, "one": self.one, "other": self.other, "frame": self.frame, **numbers}


@dataclass(frozen=True)
class SharesReport:
    """Shares, and how they came about.

    Parameters
    ----------
    level : {"sentence", "article"}
    model : str
    sentences, articles, labels : int
        Of the population; and labels.
    method : str
        Sentences for a paper.
    shares : list of Share
        The population as a whole first, then group by group.
    differences : list of Difference
    notes : list of str
        What a reader must know.
    """

    level: Level
    model: str
    sentences: int
    articles: int
    labels: int
    method: str
    shares: list[Share]
    differences: list[Difference]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        names = ("level", "model", "sentences", "articles", "labels", "method", "notes")
        return {
            **{name: getattr(self, name) for name in names},
            "references": list(REFERENCES),
            "shares": [share.to_dict() for share in self.shares],
            "differences": [one.to_dict() for one in self.differences],
        }


#: Where the method comes from.
REFERENCES = (
    "Angelopoulos, A. N., Bates, S., Fannjiang, C., Jordan, M. I., Zrnic, T. (2023). Prediction-powered inference. "
    "Science 382, 669–674.",
    "Angelopoulos, A. N., Duchi, J. C., Zrnic, T. (2023). PPI++: Efficient prediction-powered inference. "
    "arXiv:2311.01453.",
    "Egami, N., Hinck, M., Stewart, B. M., Wei, H. (2023). Using imperfect surrogates for downstream inference: "
    "design-based supervised learning. NeurIPS 36.",
    "Särndal, C.-E., Swensson, B., Wretman, J. (1992). Model Assisted Survey Sampling. Springer.",
    "Zrnic, T., Candès, E. J. (2024). Cross-prediction-powered inference. PNAS 121, e2322083121.",
)


def shares(
    scores: pd.DataFrame | str | Path | Sequence[str | Path],
    labels: pd.DataFrame | str | Path,
    by: str | Sequence[str] | None = None,
    level: Level = "sentence",
    model: Model | str | Path | None = None,
    training: LabeledCorpus | None = None,
) -> pd.DataFrame:
    """Estimate the shares of frames in a scored population from the labels of a random sample of it.

    Parameters
    ----------
    scores : DataFrame, str, Path or sequence of these paths
        What ``framing score`` writes, a row a sentence; files are read in flat memory.
    labels : DataFrame, str or Path
        What ``framing sample`` drew, with labels.
    by : str or sequence of str, optional
        Columns whose values get shares of their own: outlet, source, ``month`` of the date, a column kept in scoring.
    level : {"sentence", "article"}
        Sentences with the frame, or articles in which a sentence has it.
    model : Model, str or Path, optional
        What scored the population, so that it is noticed where it was trained on these labels; by default the model
        that comes with the package, where its name is that in the scores.
    training : LabeledCorpus, optional
        What the model was trained on, where that is more than these labels.

    Returns
    -------
    DataFrame
        A row for each group and frame, the whole first: ``by``, ``group``, ``frame``, ``units``, ``labels``, ``naive``,
        ``sample`` and ``corrected`` with ``_low`` and ``_high``, ``power``, ``labels_saved``, ``note``. Its ``attrs``
        hold the method, notes and the differences of groups.

    Raises
    ------
    InputError
        If the labels are no probability sample of these scores.
    """
    import pandas as pd

    columns = (by,) if isinstance(by, str) else tuple(by or ())
    if isinstance(scores, pd.DataFrame):
        table = scores

        def population() -> Any:
            return population_of(table)
    else:
        paths = [scores] if isinstance(scores, str | Path) else list(scores)

        def population() -> Any:
            return read_population(paths)

    report = estimate_shares(population, labels, columns, level, _model(model), training)
    result = pd.DataFrame([share.to_dict() for share in report.shares])
    result.attrs["method"] = report.method
    result.attrs["notes"] = report.notes
    result.attrs["differences"] = [one.to_dict() for one in report.differences]
    return result


def _model(model: Model | str | Path | None) -> Model | None:
    from classifier.model.load import load_model

    return load_model(model) if isinstance(model, str | Path) else model


def estimate_shares(
    population: Population,
    labels: Any,
    by: Sequence[str] = (),
    level: Level = "sentence",
    model: Model | None = None,
    training: LabeledCorpus | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SharesReport:
    """Estimate shares; parameters as for `shares`, but for the population, which is a function that returns its blocks.

    Returns
    -------
    SharesReport
    """
    from classifier.prevalence.crossing import cross, has_learned

    with closing(population()) as blocks:
        first = next(blocks, None)
    if first is None:
        raise InputError("there are no sentences in the scores.")
    coded = read_labels(labels, first.frames)
    notes = list(coded.notes)
    model, said = _scorer(model, first.model)
    notes += [said] if said else []
    suspected = model is not None and bool(model.seen(coded.texts).any())
    watched = model.trained_on if model is not None and suspected else None
    census = take_census(population, coded, by, level, watched)
    usable, crossed = True, False
    if model is not None and suspected:
        count, learned = has_learned(model, coded, census.learned)
        if learned:
            found = cross(model, coded, training, progress)
            if found is None:
                usable = False
                notes.append(
                    f"{model.name} was trained on {count:,} of these {len(coded):,} sentences, so its scores of them "
                    "say nothing of its errors, and the sample stands alone. Name what it was trained on, with "
                    "these labels in it, by --training."
                )
            else:
                crossed = True
                census = take_census(population, coded, by, level, None, found.rescoring, found.folds)
                notes.append(
                    f"{model.name} was trained on {count:,} of these {len(coded):,} sentences: scores come from "
                    f"{len(found.models)} models, each trained anew without a fold of the labels (cross-fitting)."
                )
        else:
            notes.append(
                f"{model.name} was trained on {count:,} of these sentences, no larger a share than of the population "
                f"({census.learned:.1%}): no correction is needed for that."
            )
    design = Design(census.inclusion, census.strata, census.clusters)
    unit = "article" if coded.unit == "article" or level == "article" else "label"
    found_shares = _estimates(census, design, usable, unit)
    if all(share.corrected is None for share in found_shares[0]):
        raise InputError(
            f"{coded.place}: no valid share can be given: {found_shares[0][0].note}. Draw a larger sample, or more "
            "where a frame may be, with: framing sample --by probability"
        )
    differences = list(chain.from_iterable(_differences(census, groups, found_shares) for groups in census.groups[1:]))
    return SharesReport(
        level,
        census.model,
        census.sentences,
        census.articles,
        len(census.found),
        _method(census, coded, level, usable, crossed),
        list(chain.from_iterable(found_shares)),
        differences,
        notes,
    )


def _scorer(model: Model | None, name: str) -> tuple[Model | None, str]:
    """Return the model that scored the population, and what to say where it is not at hand."""
    if model is not None:
        if name and model.name != name:
            raise InputError(f"the scores come from {name!r}, and --model is {model.name!r}; give the one that scored.")
        return model, ""
    from classifier.errors import FramingError
    from classifier.model.load import load_model

    try:
        known = load_model()
    except FramingError:
        known = None
    if known is not None and known.name == name:
        return known, ""
    return None, (
        f"Whether {name or 'the model'} was trained on these very labels is not known; name its folder by --model. "
        "If it was, the corrected intervals are too short."
    )


def _estimates(census: Census, design: Design, usable: bool, unit: str) -> list[list[Share]]:
    """Return the shares of each group, frame by frame: the whole first."""
    result: list[list[Share]] = []
    powers: list[float] = []
    for groups in census.groups:
        for g in _order(groups):
            inside = groups.of == g
            row = []
            for j in range(len(census.frames)):
                power = None if inside.sum() >= MIN_TUNED or not result else powers[j]
                share = _share(census, design, groups, g, j, inside, power if usable else 0.0, unit)
                row.append(share)
                if not result:
                    powers.append(0.0 if share.corrected is None else share.corrected.power)
            result.append(row)
    return result


def _order(groups: Groups) -> list[int]:
    if groups.column in _TIMES:
        return sorted(range(len(groups.names)), key=lambda g: groups.names[g])
    return sorted(range(len(groups.names)), key=lambda g: (-int(groups.sizes[g]), groups.names[g]))


def _share(
    census: Census, design: Design, groups: Groups, g: int, j: int, inside: Bools, power: float | None, unit: str
) -> Share:
    labels, n = census.found[:, j], int(inside.sum())
    alone = corrected = None
    note = ""
    if n < 2:
        note = (
            f"{'no' if n == 0 else 'only one'} {unit} of the sample is of this group"
            if groups.column
            else f"{n} labels"
        )
    else:
        alone = sample_alone(design, labels, inside)
        part = labels[inside]
        if part.min() == part.max():
            whose, have = ("none", "has") if part[0] == 0 else ("all", "have")
            note = f"{whose} of its {n:,} labels {have} it: no correction is valid"
        else:
            mean = float(groups.scores[g, j])
            corrected = difference(design, labels, census.scores[:, j], mean, inside, power)
            if power is not None and corrected.variance >= alone.variance:
                corrected = alone
            note = doubt(design, labels, census.labeled[:, j], corrected.support, inside, unit)
            note = f"approximate: {note}" if note else ""
    saved = 0
    if alone is not None and corrected is not None and 0 < corrected.width < alone.width:
        saved = round(n * ((alone.width / corrected.width) ** 2 - 1))
    return Share(
        groups.column, groups.names[g], census.frames[j], int(groups.sizes[g]), n, float(groups.labeled[g, j]), alone,
        corrected, saved, note,
    )  # fmt: skip


def _differences(census: Census, groups: Groups, found: list[list[Share]]) -> list[Difference]:
    """Compare groups: a month with the one before, few groups each with each, many with the whole."""
    rows = [row for row in found if row[0].by == groups.column]
    pairs: Iterable[tuple[list[Share], list[Share]]]
    if groups.column in _TIMES:
        pairs = [(later, earlier) for earlier, later in pairwise(rows)]
    elif len(rows) <= ALL_PAIRS:
        pairs = combinations(rows, 2)
    else:
        pairs = [(row, found[0]) for row in rows]
    result = []
    for one, other in pairs:
        for a, b in zip(one, other, strict=True):
            if a.corrected is not None and b.corrected is not None:
                result.append((a, b, contrast(a.corrected, b.corrected)))
    adjusted = holm(np.array([values[3] for _, _, values in result])) if result else np.zeros(0)
    return [
        Difference(groups.column, a.group, b.group, a.frame, *values, float(p))
        for (a, b, values), p in zip(result, adjusted, strict=True)
    ]


def _method(census: Census, labels: Labels, level: Level, usable: bool, crossed: bool) -> str:
    """Return the method in the words of a paper."""
    drawn = "articles" if labels.unit == "article" else "sentences"
    n_drawn = len(set(labels.articles)) if drawn == "articles" else len(labels)
    strata = len(np.unique(labels.strata))
    equal = np.ptp(census.inclusion) < 1e-12
    kind = (
        f"stratified random sample of {n_drawn:,} {drawn} from {strata} strata"
        if strata > 1
        else f"{'simple ' if equal else ''}random sample of {n_drawn:,} {drawn}"
    )
    what = (
        "sentences that carry each frame" if level == "sentence" else "articles in which a sentence carries each frame"
    )
    text = (
        f"Shares of {what} were estimated for {census.sentences:,} sentences of {census.articles:,} articles, scored "
        f"by {census.model or 'a classifier'}, with the labels that people gave to a {kind} drawn from them. "
    )
    if usable:
        text += (
            "They are corrected by prediction-powered inference, power tuned (Angelopoulos et al. 2023a, 2023b), in "
            "the form of a model-assisted difference estimator under the sampling design (Särndal et al. 1992; cf. "
            "Egami et al. 2023). "
        )
    if crossed:
        text += "Because the model had learned from these labels its scores were cross-fitted (Zrnic and Candès 2024). "
    clustered = len(np.unique(census.clusters)) < len(census.found) or level == "article"
    return text + (
        "Intervals are 95 % score intervals with t quantiles and stratified jackknife "
        f"variances{' over articles' if clustered else ''}, corrected for the finite population."
    )

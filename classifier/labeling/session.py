"""What a server does for its coders: shows the next sentence, records what they decide, keeps the model at work."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from classifier.errors import FramingError, InputError
from classifier.labeling.agreement import coders_agreement
from classifier.labeling.behind import Behind, Outcome, Work, pool_of
from classifier.labeling.frames import MAX_TEXT, checked, codebook_of, write_frames
from classifier.labeling.ledger import Decision, Ledger, value_of
from classifier.labeling.queue import AHEAD, Queue
from classifier.labeling.selection import DOUBLE_SHARE, POOL, RANDOM_SHARE, SETTLED, Pool, is_stable
from classifier.labeling.store import Event, Project
from classifier.report.colours import initials

#: Sentences, and characters, of the article shown on each side at most.
AROUND, CHARACTERS = 200, 60_000

#: New labels after which the model is fitted again: at least these, and this part of all.
REFIT, REFIT_PART = 5, 0.02

#: Labels after which a pool that is a part of the project is drawn anew.
POOL_LIFE = 500

#: Sentences at the head of the random order of which no coder ever sees what the model says.
RESERVE = 5_000

#: A pause longer than this, in seconds, is no work.
PAUSE = 300.0

#: Resamples behind the interval of alpha on the page.
RESAMPLES = 400


class StaleError(FramingError):
    """Another tab of the same coder has gone on; the page must look again."""


class Session:
    """The state of a server; every method may be called from any thread.

    Parameters
    ----------
    project : Project
        Opened for writing.
    codebook_path : Path
        Where the codebook is written whenever the page changes it.
    random_share, double_share : float
    second_look : bool
        Whether the model's doubts are shown after a decision.
    learn : bool
        Whether a model is fitted behind the page.
    """

    def __init__(
        self,
        project: Project,
        codebook_path: Path,
        *,
        random_share: float = RANDOM_SHARE,
        double_share: float = DOUBLE_SHARE,
        second_look: bool = False,
        learn: bool = True,
    ) -> None:
        self.project, self.codebook_path = project, codebook_path
        self.second_look = second_look
        self.lock = threading.RLock()
        self.ledger = Ledger.of(project.events())
        draws = project.draws()
        self.n = len(draws)
        self._seed = int(project.settings["seed"])
        self.queue = Queue(draws, self._seed, self.ledger, random_share, double_share)
        self._articles: dict[int, int] = {}
        self._pool: tuple[int, ...] = ()
        self._generation = -1
        self._fitted_at = -1
        self.message = ""
        self._behind = Behind(project.path, self._on_outcome, self._on_failure) if learn and self.n else None
        self._learn()

    def close(self) -> None:
        """End the model's process; the project stays open."""
        if self._behind is not None:
            self._behind.close()

    # ---- coders

    def add_coder(self, name: str) -> str:
        """Return the token of a coder, who is added where there is none of this name.

        Raises
        ------
        InputError
            If the name cannot be one.
        """
        with self.lock:
            return add_coder(self.project, self.ledger, name)

    # ---- what is shown

    def view(self, coder: str, at: int | None = None) -> dict[str, Any]:
        """Return what the page of a coder shows.

        Parameters
        ----------
        coder : str
        at : int, optional
            A sentence to show, instead of the next one to decide.
        """
        with self.lock:
            self._replenish(coder)
            waiting = list(self.ledger.waiting[coder])
            ahead = [number for number in waiting if number != at][: AHEAD - (at is not None)]
            shown = [*([at] if at is not None else []), *ahead]
            items = [self._item(coder, number) for number in shown]
            return {
                "coder": coder,
                "codebook": self._codebook(),
                "item": items[0] if items else None,
                "next": items[1] if len(items) > 1 else None,
                "progress": self.progress(coder),
                "seen": self.ledger.seen[coder],
                "second_look": self.second_look,
            }

    def changes(self, coder: str) -> dict[str, Any]:
        """Return by what a page tells whether it is behind."""
        with self.lock:
            return {
                "seen": self.ledger.seen[coder],
                "codebook": self.ledger.codebook_event,
                "progress": self.progress(coder),
            }

    def _codebook(self) -> dict[str, Any]:
        book = self.ledger.codebook
        short = initials(codebook_of(book)) if book["frames"] else []
        frames = [{**frame, "initials": letters} for frame, letters in zip(book["frames"], short, strict=True)]
        return {
            "title": book["title"],
            "frames": frames,
            "event": self.ledger.codebook_event,
            "path": self.codebook_path.name,
        }

    def _item(self, coder: str, sentence: int) -> dict[str, Any]:
        passage = self.project.passage(sentence)
        around = self.project.around(sentence, AROUND, CHARACTERS)
        decision = self.ledger.decision(sentence, coder)
        undone = self.ledger.undone[coder].get(sentence)
        marks = {}
        for number, _, _ in around:
            own = self.ledger.decision(number, coder)
            if own is not None and not own.skipped and number != sentence:
                marks[number] = sorted(own.frames)
        return {
            "sentence": sentence,
            "place": passage.place + 1,
            "of": passage.n,
            "title": passage.title or "",
            "source": passage.source,
            "outlet": passage.outlet or "",
            "date": passage.date or "",
            "around": [[number, text, new_line, marks.get(number)] for number, text, new_line in around],
            "decision": None if decision is None else _plain(decision),
            "undone": None if undone is None else _plain(undone),
            "comment": self.ledger.comments.get(sentence, {}).get(coder, ""),
        }

    def progress(self, coder: str) -> dict[str, Any]:
        """Return what is done: by the coder, by all, per frame, and the pace of today."""
        with self.lock:
            ledger = self.ledger
            history = ledger.history[coder]
            midnight = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))
            today = [decision.time for decision in history if decision.time >= midnight]
            working = sum(min(b - a, PAUSE) for a, b in pairwise(today) if b - a <= PAUSE)
            finals = ledger.finals
            fit = ledger.fits[-1] if ledger.fits else None
            agreements = [
                float("nan") if fit["agreement"] is None else float(fit["agreement"]) for fit in ledger.fits[-10:]
            ]
            return {
                "sentences": self.n,
                "labeled": len(finals),
                "none": ledger.examples[0],
                "mine": len({decision.sentence for decision in history}),
                "today": len(today),
                "pace": round(3600 * (len(today) - 1) / working) if working > 0 and len(today) > 4 else None,
                "examples": {number: ledger.examples[number] for number in ledger.frame_ids},
                "coders": len(ledger.tokens),
                "conflicts": len(ledger.disputed),
                "doubled": sum(len(coders) > 1 for coders in ledger.decisions.values()),
                "outdated": len(ledger.outdated(coder)) if len(ledger.codebooks) > 1 else 0,
                "random": self.queue.count_sampled(finals.keys()),
                "stable": len(finals) >= SETTLED and is_stable(agreements),
                "agreement": fit["agreement"] if fit else None,
                "f1": fit["f1"] if fit else None,
                "fits": [
                    [one["labels"], one["f1"]["value"], one["f1"]["low"], one["f1"]["high"]]
                    for one in ledger.fits[-200:]
                    if one.get("f1")
                ],
                "message": self.message,
            }

    # ---- what coders do

    def decide(
        self,
        coder: str,
        sentence: int,
        frames: Collection[int],
        *,
        skip: bool = False,
        unsure: bool = False,
        comment: str | None = None,
        looked: bool = False,
        request: str | None = None,
        seen: int | None = None,
    ) -> None:
        """Record what a coder decides about a sentence; when this returns it is on the disk.

        Parameters
        ----------
        coder : str
        sentence : int
        frames : collection of int
            Numbers of frames; empty for none.
        skip : bool
            Leave the sentence undecided, and do not show it again.
        unsure : bool
        comment : str, optional
            Recorded with it.
        looked : bool
            Whether the coder has been shown what the model says.
        request : str, optional
            The same request is recorded once.
        seen : int, optional
            The coder's last event that the page knows of.

        Raises
        ------
        StaleError
            If another page of the coder has gone on since `seen`.
        InputError
            If there is no such sentence or frame.
        FramingError
            If it cannot be written.
        """
        with self.lock:
            request = f"{coder}/{request}" if request else None
            if request in self.ledger.requests:
                return
            if seen is not None and seen != self.ledger.seen[coder]:
                raise StaleError("Another page of yours has gone on; this one shows the same again now.")
            if not 1 <= sentence <= self.n:
                raise InputError(f"there is no sentence {sentence}; they are numbered from 1 to {self.n}.")
            known = self.ledger.frame_ids
            if not known:
                raise InputError("make a frame first: there is nothing to label with.")
            unknown = [number for number in frames if number not in known]
            if unknown:
                raise InputError("a frame that was chosen is no longer in the codebook; look at it again.")
            events = []
            if comment is not None and comment != self.ledger.comments.get(sentence, {}).get(coder, ""):
                events.append(Event("comment", coder, sentence, {"text": _short(comment)}))
            if skip:
                events.append(Event("skip", coder, sentence, {}, request=request))
            else:
                value = value_of(frames, unsure, self.ledger.codebook_event, looked)
                events.append(Event("label", coder, sentence, value, request=request))
            self._record([*events, *self.queue.draws(coder, without=sentence)])
            self._learn()

    def comment(self, coder: str, sentence: int, text: str) -> None:
        """Record a coder's comment on a sentence; the last one holds."""
        with self.lock:
            if not 1 <= sentence <= self.n:
                raise InputError(f"there is no sentence {sentence}; they are numbered from 1 to {self.n}.")
            self._record([Event("comment", coder, sentence, {"text": _short(text)})])

    def undo(self, coder: str, request: str | None = None) -> Decision | None:
        """Take back the last decision of a coder.

        Returns
        -------
        Decision or None
            What was taken back, its sentence to be decided again; None where there is nothing, or the same request
            has done so already.
        """
        with self.lock:
            request = f"{coder}/{request}" if request else None
            history = self.ledger.history[coder]
            if not history or request in self.ledger.requests:
                return None
            last = history[-1]
            self._record([Event("undo", coder, last.sentence, {}, undoes=last.event, request=request)])
            self._learn()
            return last

    def goto(self, words: str) -> list[tuple[int, str]]:
        """Find sentences: by number, else by what they say.

        Returns
        -------
        list of (int, str)
            Numbers and texts.
        """
        words = words.strip()
        if words.isdecimal() and len(words) < 12 and 1 <= int(words) <= self.n:
            with self.lock:
                return [(int(words), self.project.passage(int(words)).text)]
        # A search takes its time, and nobody waits for it: it has a connection of its own.
        with Project(self.project.path) as reader:
            return reader.find(words) if words else []

    def outdated(self, coder: str) -> int | None:
        """Return a sentence that the coder decided before a frame existed; None where there is none."""
        with self.lock:
            return next(iter(self.ledger.outdated(coder)), None)

    def save_codebook(self, coder: str, data: Any, event: int | None = None) -> None:
        """Record a codebook, and write it as TOML.

        Parameters
        ----------
        coder : str
        data : mapping
            See `classifier.labeling.frames.checked`; roles stay as they are.
        event : int, optional
            Of the codebook that the page edited.

        Raises
        ------
        StaleError
            If someone has edited it since.
        InputError
            If a field is malformed.
        """
        with self.lock:
            if event is not None and event != self.ledger.codebook_event:
                raise StaleError("Someone else has edited the codebook meanwhile; look at it and edit it again.")
            if not isinstance(data, Mapping):
                raise InputError("the codebook is not an object.")
            found = checked({**data, "roles": self.ledger.codebook.get("roles", {})}, self.ledger.last_frame)
            self._record([Event("codebook", coder, None, found)])
            self._fitted_at = -1
            self.queue.choose_from((), (), None)
            self._learn()
            if found["frames"]:
                self._write_codebook(found)

    def _write_codebook(self, data: Mapping[str, Any]) -> None:
        """Write the codebook beside the project, which has it already: where that fails it is told, and no more."""
        try:
            write_frames(data, self.codebook_path)
        except FramingError as error:
            self.message = f"The codebook is saved in the project, but not as TOML: {error}"
        else:
            self.message = ""

    # ---- several coders

    def agreement(self) -> dict[str, Any]:
        """Return how far the coders agree so far, blind decisions alone."""
        with self.lock:
            ledger = self.ledger
            numbers = [number for number, coders in ledger.decisions.items() if len(coders) > 1]
            coders: dict[str, dict[int, frozenset[str]]] = {}
            for number in sorted(numbers):
                votes = ledger.votes(number, blind=True)
                if len(votes) > 1:
                    for coder, frames in votes.items():
                        coders.setdefault(coder, {})[number] = frozenset(ledger.names(frames))
            groups = {number: self._article(number) for labels in coders.values() for number in labels}
            names = [frame["name"] for frame in ledger.codebook["frames"]]
            titles = {frame["name"]: frame["title"] for frame in ledger.codebook["frames"]}
        rows = coders_agreement(coders, names, groups, n_resamples=RESAMPLES)
        return {"rows": [{**row.to_dict(), "title": titles.get(row.name, "Whole sets")} for row in rows]}

    def conflicts(self, n: int = 100) -> list[dict[str, Any]]:
        """Return the sentences on which coders disagree, with what each said."""
        with self.lock:
            found = []
            for number in self.ledger.conflicts()[:n]:
                passage = self.project.passage(number)
                comments = self.ledger.comments.get(number, {})
                found.append(
                    {
                        "sentence": number,
                        "text": passage.text,
                        "title": passage.title or "",
                        "source": passage.source,
                        "around": [
                            [other, text, new_line] for other, text, new_line in self.project.around(number, 2, 2_000)
                        ],
                        "votes": [
                            {
                                "coder": coder,
                                "frames": sorted(frames),
                                "unsure": bool(one and one.unsure),
                                "comment": comments.get(coder, ""),
                            }
                            for coder, frames in sorted(self.ledger.votes(number).items())
                            for one in [self.ledger.decision(number, coder)]
                        ],
                    }
                )
            return found

    def rule(self, coder: str, sentence: int, frames: Collection[int], request: str | None = None) -> None:
        """Record how a conflict is decided, and by whom.

        Raises
        ------
        InputError
            If the sentence has not been decided by two coders, or a frame is unknown.
        """
        with self.lock:
            request = f"{coder}/{request}" if request else None
            if request in self.ledger.requests:
                return
            if len(self.ledger.votes(sentence)) < 2:
                raise InputError("only what two coders have decided can be ruled on.")
            if any(number not in self.ledger.frame_ids for number in frames):
                raise InputError("a frame that was chosen is no longer in the codebook; look at it again.")
            self._record([Event("ruling", coder, sentence, {"frames": sorted(set(frames))}, request=request)])
            self._learn()

    def undo_ruling(self, coder: str) -> int | None:
        """Take back the last ruling of a coder; returns its sentence, or None."""
        with self.lock:
            judged = self.ledger.judged[coder]
            if not judged:
                return None
            last = judged[-1]
            self._record([Event("undo", coder, last.sentence, {}, undoes=last.event)])
            return last.sentence

    # ---- the second look

    def look(self, coder: str, sentence: int, seconds: float = 3.0) -> dict[str, Any] | None:
        """Return where the model disagrees with what a coder has just decided.

        Returns
        -------
        dict or None
            None where it agrees or knows nothing, and always for sentences of the random sample and those that are
            coded twice: what the model says would colour the figures.
        """
        with self.lock:
            if not self.second_look or self._behind is None or not 1 <= sentence <= self.n:
                return None
            if self.queue.rank[sentence - 1] < min(RESERVE, self.n // 2) or self.queue.is_double(sentence):
                return None
            if self.queue.is_sampled(sentence) or len(self.ledger.decisions.get(sentence, {})) != 1:
                return None
            decision = self.ledger.decision(sentence, coder)
            if decision is None or decision.skipped or decision.looked:
                return None
            chosen, known = decision.frames, set(self.ledger.frame_ids)
        found = self._behind.explain(sentence, 4, seconds)
        frames = [
            {"frame": key, "says": margin > 0, "terms": terms}
            for key, margin, terms in found or []
            if key in known and (margin > 0) != (key in chosen)
        ]
        return {"sentence": sentence, "frames": frames} if frames else None

    # ---- what is recorded

    def _record(self, events: list[Event]) -> None:
        for event in self.project.append(events):
            self.ledger.apply(event)
            self.queue.note(event)

    def _replenish(self, coder: str) -> None:
        events = self.queue.draws(coder)
        if events:
            self._record(events)

    def _article(self, sentence: int) -> int:
        if sentence not in self._articles:
            self._articles[sentence] = self.project.article_of(sentence)
        return self._articles[sentence]

    # ---- the model

    def _learn(self) -> None:
        """Hand the labels to the model's process where there are enough new ones."""
        if self._behind is None:
            return
        labeled = self.ledger.finals
        new = abs(self.ledger.n_labels - self._fitted_at) if self._fitted_at >= 0 else None
        if new is not None and new < max(REFIT, REFIT_PART * len(labeled)):
            return
        self._fitted_at = self.ledger.n_labels
        generation = self.ledger.n_labels // POOL_LIFE if self.n > POOL else 0
        if self._generation != generation:
            self._generation, self._pool = generation, pool_of(self.n, POOL, [self._seed, 2, generation])
        pool = self._pool
        column = {number: i for i, number in enumerate(self.ledger.frame_ids)}
        m = self.queue.n_sampled
        items = list(self.ledger.labeled().items())
        self._behind.give(
            Work(
                pool,
                tuple(column),
                tuple(tuple(frame["keywords"]) for frame in self.ledger.codebook["frames"]),
                tuple(number for number, _ in items),
                tuple(tuple(column[frame] for frame in sorted(frames)) for _, frames in items),
                tuple(self._article(number) for number, _ in items),
                tuple(bool(self.queue.rank[number - 1] < m) for number, _ in items),
            )
        )

    def _on_outcome(self, outcome: Outcome) -> None:
        with self.lock:
            if outcome.work.keys != tuple(self.ledger.frame_ids):
                return
            pool = Pool(outcome.clusters, outcome.closeness, outcome.hits, outcome.margins)
            self.queue.choose_from(outcome.work.pool, outcome.work.keys, pool)
            if outcome.report is not None:
                report = {**outcome.report, "labels": len(outcome.work.sentences)}
                try:
                    self._record([Event("fit", None, None, report)])
                except FramingError as error:  # coders are told when they save; the model can wait
                    self.message = str(error)

    def _on_failure(self, message: str) -> None:
        with self.lock:
            self.message = message


def add_coder(project: Project, ledger: Ledger, name: str) -> str:
    """Return the token of a coder, who is added where there is none of this name.

    Raises
    ------
    InputError
        If the name cannot be one.
    """
    if name not in ledger.tokens:
        if not name or name != name.strip() or len(name) > 60 or not name.isprintable() or set(name) & set('|/,;"'):
            raise InputError(f"{name!r} cannot be a coder's name; use up to 60 printable characters without |/,;\".")
        for event in project.append([Event("coder", name, None, {"token": secrets.token_urlsafe(24)})]):
            ledger.apply(event)
    return ledger.tokens[name]


def _plain(decision: Decision) -> dict[str, Any]:
    return {"frames": sorted(decision.frames), "skipped": decision.skipped, "unsure": decision.unsure}


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise InputError(f"a comment has at most {MAX_TEXT:,} characters.")
    return text

"""Which sentence each coder sees next: the random sample, what is chosen, and what another coder has decided."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.labeling.ledger import Ledger
from classifier.labeling.selection import (
    DOUBLE_SHARE,
    RANDOM_SHARE,
    Pool,
    Turns,
    choose,
    inclusion_probability,
    is_random,
    random_order,
)
from classifier.labeling.store import Event

#: Sentences that a coder has waiting: the one shown, and the next.
AHEAD = 2

#: Of a coder's sentences this many times the double share may be others' at most, while there are new ones.
SECOND_LIMIT = 2


class Queue:
    """What is shown next, by the state of a project.

    Parameters
    ----------
    draws : ndarray of shape (n_sentences,)
        The random number of each sentence; see `classifier.labeling.store.Project.add_articles`.
    seed : int
        The project's.
    ledger : Ledger
        Kept up to date by the owner, who tells every event to `note`, too.
    random_share, double_share : float

    Attributes
    ----------
    n : int
        Sentences of the project.
    rank : ndarray of int of shape (n_sentences,)
        The place of each in the random order.
    n_sampled : int
        The size of the random sample so far, answered or not.
    """

    def __init__(
        self,
        draws: npt.NDArray[np.float64],
        seed: int,
        ledger: Ledger,
        random_share: float = RANDOM_SHARE,
        double_share: float = DOUBLE_SHARE,
    ) -> None:
        self.ledger, self.random_share, self.double_share = ledger, random_share, double_share
        self.n = len(draws)
        self._order = random_order(draws)
        self.rank = np.empty(self.n, dtype=np.int64)
        self.rank[self._order] = np.arange(self.n)
        # Whether a sentence is coded twice is settled by a number of its own, whoever comes first.
        self._double = np.random.default_rng([seed, 1]).random(self.n, dtype=np.float32)
        self._taken = np.zeros(self.n + 1, dtype=bool)
        self._walked = 0
        self.n_sampled = sampled(ledger, self.rank)
        self._ids: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._pool: Pool | None = None
        self._keys: tuple[int, ...] = ()
        self._turns = Turns()
        for sentence in ledger.draws.keys() | ledger.decisions.keys():
            self._taken[sentence] = True

    def note(self, event: Event) -> None:
        """Take note of an event that was recorded."""
        if event.kind in ("draw", "label", "skip") and event.sentence is not None:
            self._taken[event.sentence] = True
        if event.kind == "draw" and event.value["origin"] == "random" and event.sentence is not None:
            self.n_sampled = max(self.n_sampled, int(self.rank[event.sentence - 1]) + 1)

    def choose_from(self, sentences: tuple[int, ...], keys: tuple[int, ...], pool: Pool | None) -> None:
        """Choose from these sentences from now on, for these frames; None for none."""
        self._ids, self._keys, self._pool = np.array(sentences, dtype=np.int64), keys, pool

    def is_double(self, sentence: int) -> bool:
        """Tell whether a sentence is to be labeled by two coders."""
        return bool(self._double[sentence - 1] < self.double_share)

    def count_sampled(self, sentences: Collection[int]) -> int:
        """Return how many of these sentences are in the random sample."""
        numbers = np.fromiter(sentences, dtype=np.int64, count=len(sentences))
        return int((self.rank[numbers - 1] < self.n_sampled).sum())

    def is_sampled(self, sentence: int) -> bool:
        """Tell whether a sentence is in the random sample: among those that come first in the random order."""
        return bool(self.rank[sentence - 1] < self.n_sampled)

    @property
    def probability(self) -> float:
        """The probability with which each sentence is in the random sample so far."""
        return inclusion_probability(self.n_sampled, self.n)

    def draws(self, coder: str, without: int = 0) -> list[Event]:
        """Choose what a coder sees after what is waiting already.

        Parameters
        ----------
        coder : str
        without : int
            A sentence that is about to be decided, and waits no longer.

        Returns
        -------
        list of Event
            To be recorded; until then nothing has happened.
        """
        waiting = [number for number in self.ledger.waiting[coder] if number != without]
        events: list[Event] = []
        n_draws = len(self.ledger.draws)
        self._random()  # those that are taken for good need not be passed again
        walked, fresh = self._walked, []
        if without and not self._taken[without]:
            fresh.append(without)
            self._taken[without] = True
        while len(waiting) < AHEAD and self.n:
            sentence, value = self._next(coder, [*waiting, without], n_draws + len(events))
            if not sentence:
                break
            events.append(Event("draw", coder, sentence, value))
            waiting.append(sentence)
            if not self._taken[sentence]:
                fresh.append(sentence)
                self._taken[sentence] = True
        # What cannot be recorded must not be lost.
        self._taken[fresh] = False
        self._walked = walked
        return events

    def _next(self, coder: str, waiting: list[int], n: int) -> tuple[int, dict[str, Any]]:
        history = self.ledger.history[coder]
        seconds = sum(1 for one in history if self.ledger.draws.get(one.sentence, one).coder != coder)
        second = self._second(coder, waiting)
        if second and seconds < SECOND_LIMIT * self.double_share * (len(history) + 1):
            return second, {"origin": "second"}
        if is_random(n, self.random_share):
            sentence = self._random()
            if sentence:
                return sentence, {"origin": "random", "rank": int(self.rank[sentence - 1]), "of": self.n}
        found = self._chosen()
        if found[0]:
            return found
        sentence = self._random()
        if sentence:
            return sentence, {"origin": "random", "rank": int(self.rank[sentence - 1]), "of": self.n}
        return second or self._left(coder, waiting), {"origin": "second"}

    def _left(self, coder: str, waiting: list[int]) -> int:
        """Return a sentence that others were shown and have not decided, when nothing else is left; 0 for none."""
        for other, shown in self.ledger.waiting.items():
            for number in shown if other != coder else ():
                if number not in waiting and coder not in self.ledger.decisions.get(number, {}):
                    return number
        return 0

    def _second(self, coder: str, waiting: list[int]) -> int:
        """Return a sentence that another coder has decided and this one is to decide too, in random order."""
        if len(self.ledger.tokens) < 2:
            return 0
        open_ = [
            number
            for number, coders in self.ledger.decisions.items()
            if self.is_double(number)
            and len(coders) == 1
            and coder not in coders
            and number not in waiting
            and not any(decisions[-1].skipped for decisions in coders.values())
            and not any(number in others for others in self.ledger.waiting.values())
        ]
        return min(open_, key=lambda number: (float(self._double[number - 1]), number), default=0)

    def _random(self) -> int:
        while self._walked < self.n and self._taken[self._order[self._walked] + 1]:
            self._walked += 1
        return int(self._order[self._walked]) + 1 if self._walked < self.n else 0

    def _chosen(self) -> tuple[int, dict[str, Any]]:
        pool = self._pool
        if pool is None or not len(self._ids):
            return 0, {}
        free = ~self._taken[self._ids]
        if not free.any():
            return 0, {}
        keys = self._keys
        examples = [self.ledger.examples[key] for key in keys]
        row, key = choose(pool, free, keys, examples, self._turns, len(self.ledger.draws))
        if key is None:
            return int(self._ids[row]), {"origin": "start"}
        fitted = not np.isnan(pool.margins[:, keys.index(key)]).all()
        return int(self._ids[row]), {"origin": "margin" if fitted else "start", "frame": key}


def sampled(ledger: Ledger, rank: npt.NDArray[np.int64]) -> int:
    """Return the size of the random sample: up to the last sentence that was drawn at random.

    Parameters
    ----------
    ledger : Ledger
    rank : ndarray of int of shape (n_sentences,)
        The place of each sentence in the random order.
    """
    drawn = [int(rank[number - 1]) for number, draw in ledger.draws.items() if draw.origin == "random"]
    return max(drawn, default=-1) + 1

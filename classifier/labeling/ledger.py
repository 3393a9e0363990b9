"""What holds in a project now, as its events tell it from the first to the last."""

from __future__ import annotations

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.errors import InputError
from classifier.labeling.frames import codebook_of
from classifier.labeling.store import Event

#: Why a sentence was shown. The first is the random sample; what model and rules chose says nothing of shares.
ORIGINS = ("random", "start", "margin", "second", "chosen")

#: What an event can be.
KINDS = ("codebook", "coder", "draw", "label", "skip", "comment", "ruling", "undo", "fit")


@dataclass(frozen=True, slots=True)
class Decision:
    """What one coder decided about one sentence.

    Parameters
    ----------
    event : int
        The number of the event.
    coder : str
    sentence : int
    frames : frozenset of int
        The frames' numbers; empty for none.
    skipped : bool
        Whether the coder left the sentence undecided.
    unsure : bool
    codebook : int
        The event of the codebook that the coder saw.
    time : float
        Seconds since 1970.
    looked : bool
        Whether the coder had seen what the model says.
    """

    event: int
    coder: str
    sentence: int
    frames: frozenset[int]
    skipped: bool
    unsure: bool
    codebook: int
    time: float
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a conflict was decided.

    Parameters
    ----------
    event, sentence : int
    frames : frozenset of int
    coder : str
        Who decided.
    time : float
    """

    event: int
    sentence: int
    frames: frozenset[int]
    coder: str
    time: float


@dataclass(frozen=True, slots=True)
class Draw:
    """Why a sentence was shown to a coder.

    Parameters
    ----------
    sentence : int
    coder : str
    origin : str
        One of `ORIGINS`.
    """

    sentence: int
    coder: str
    origin: str


@dataclass
class Ledger:
    """The state of a project: `apply` takes its events in order.

    Attributes
    ----------
    codebook : dict
        Plain data; see `classifier.labeling.frames`. Without frames until there are some.
    codebooks : dict of int to set of int
        The numbers of the frames of every codebook, by event.
    last_frame : int
        The highest number a frame ever had.
    tokens : dict of str to str
        Of each coder, in the order they joined.
    decisions : dict of int to dict of str to list of Decision
        By sentence and coder, the earlier ones first; the last one holds.
    rulings : dict of int to list of Ruling
        By sentence; the last one holds.
    comments : dict of int to dict of str to str
        By sentence and coder.
    draws : dict of int to Draw
        By sentence: why it was first shown.
    waiting : dict of str to dict of int to Draw
        By coder: shown, and not decided.
    fits : list of dict
        What each refit measured.
    last : int
        The number of the last event.
    """

    codebook: dict[str, Any] = field(default_factory=lambda: {"title": "Frames", "frames": [], "roles": {}})
    codebook_event: int = 0
    codebooks: dict[int, frozenset[int]] = field(default_factory=dict)
    last_frame: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    decisions: dict[int, dict[str, list[Decision]]] = field(default_factory=dict)
    rulings: dict[int, list[Ruling]] = field(default_factory=dict)
    comments: dict[int, dict[str, str]] = field(default_factory=dict)
    draws: dict[int, Draw] = field(default_factory=dict)
    waiting: dict[str, dict[int, Draw]] = field(default_factory=lambda: defaultdict(dict))
    #: By coder and sentence: what was taken back, and not decided anew.
    undone: dict[str, dict[int, Decision]] = field(default_factory=lambda: defaultdict(dict))
    history: dict[str, list[Decision]] = field(default_factory=lambda: defaultdict(list))
    judged: dict[str, list[Ruling]] = field(default_factory=lambda: defaultdict(list))
    fits: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    #: The frames that hold for every sentence for which some do.
    finals: dict[int, frozenset[int]] = field(default_factory=dict)
    #: How many sentences each frame holds for; 0 for no frame.
    examples: Counter[int] = field(default_factory=Counter)
    #: The sentences whose coders disagree and that nobody has ruled on.
    disputed: set[int] = field(default_factory=set)
    n_labels: int = 0
    last: int = 0
    #: The last event that changed what a coder sees, by coder.
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def of(cls, events: Iterable[Event]) -> Ledger:
        """Return the state after events.

        Raises
        ------
        InputError
            If an event is none that this project could have written.
        """
        ledger = cls()
        for event in events:
            try:
                ledger.apply(event)
            except (AssertionError, AttributeError, InputError, LookupError, TypeError, ValueError):
                raise InputError(
                    f"event {event.id} of the project ({event.kind}) is damaged; go on with a backup."
                ) from None
        return ledger

    def apply(self, event: Event) -> None:
        """Take the next event."""
        self.last = event.id
        if event.request:
            self.requests[event.request] = event.id
        if event.kind in KINDS:
            getattr(self, f"_{event.kind}")(event)

    def _codebook(self, event: Event) -> None:
        self.codebook = dict(event.value)
        self.codebook_event = event.id
        if self.codebook["frames"]:
            codebook_of(self.codebook)
        ids = frozenset(int(frame["id"]) for frame in self.codebook["frames"])
        self.codebooks[event.id] = ids
        self.last_frame = max([self.last_frame, *ids])
        for sentence in self.decisions.keys() | self.rulings.keys():
            self._touch(sentence)

    def _coder(self, event: Event) -> None:
        self.tokens[str(event.coder)] = str(event.value["token"])

    def _draw(self, event: Event) -> None:
        assert event.sentence is not None and event.coder is not None
        draw = Draw(event.sentence, event.coder, str(event.value["origin"]))
        self.draws.setdefault(event.sentence, draw)
        self.waiting[event.coder][event.sentence] = draw

    def _label(self, event: Event) -> None:
        self._decide(event, frozenset(map(int, event.value["frames"])), False)

    def _skip(self, event: Event) -> None:
        self._decide(event, frozenset(), True)

    def _decide(self, event: Event, frames: frozenset[int], skipped: bool) -> None:
        assert event.sentence is not None and event.coder is not None
        value = event.value
        decision = Decision(
            event.id,
            event.coder,
            event.sentence,
            frames,
            skipped,
            bool(value.get("unsure")),
            int(value.get("codebook", 0)),
            event.time,
            bool(value.get("looked")),
        )
        self.decisions.setdefault(event.sentence, {}).setdefault(event.coder, []).append(decision)
        self.history[event.coder].append(decision)
        self.waiting[event.coder].pop(event.sentence, None)
        self.undone[event.coder].pop(event.sentence, None)
        self.n_labels += 1
        self.seen[event.coder] = event.id
        self._touch(event.sentence)

    def _comment(self, event: Event) -> None:
        assert event.sentence is not None and event.coder is not None
        self.comments.setdefault(event.sentence, {})[event.coder] = str(event.value["text"])

    def _ruling(self, event: Event) -> None:
        assert event.sentence is not None and event.coder is not None
        ruling = Ruling(event.id, event.sentence, frozenset(event.value["frames"]), event.coder, event.time)
        self.rulings.setdefault(event.sentence, []).append(ruling)
        self.judged[event.coder].append(ruling)
        self._touch(event.sentence)

    def _undo(self, event: Event) -> None:
        coder = str(event.coder)
        self.seen[coder] = event.id
        for stack in (self.history[coder], self.judged[coder]):
            for i in range(len(stack) - 1, -1, -1):
                if stack[i].event == event.undoes:
                    self._take_back(stack.pop(i))
                    return

    def _touch(self, sentence: int) -> None:
        """Work out again what holds for a sentence."""
        before, frames = self.finals.pop(sentence, None), self.final(sentence)
        if before is not None:
            self.examples.subtract(before or (0,))
        if frames is not None:
            self.finals[sentence] = frames
            self.examples.update(frames or (0,))
        if sentence not in self.rulings and len(set(self.votes(sentence).values())) > 1:
            self.disputed.add(sentence)
        else:
            self.disputed.discard(sentence)

    def _take_back(self, one: Decision | Ruling) -> None:
        if isinstance(one, Ruling):
            self.rulings[one.sentence] = [left for left in self.rulings[one.sentence] if left.event != one.event]
            if not self.rulings[one.sentence]:
                del self.rulings[one.sentence]
            self._touch(one.sentence)
            return
        self.n_labels -= 1
        coders = self.decisions[one.sentence]
        coders[one.coder] = [decision for decision in coders[one.coder] if decision.event != one.event]
        if not coders[one.coder]:
            del coders[one.coder]
            origin = self.draws[one.sentence].origin if one.sentence in self.draws else "chosen"
            self.undone[one.coder][one.sentence] = one
            # What was taken back comes first again.
            again = {one.sentence: Draw(one.sentence, one.coder, origin)}
            self.waiting[one.coder] = again | self.waiting[one.coder]
        if not coders:
            del self.decisions[one.sentence]
        self._touch(one.sentence)

    def _fit(self, event: Event) -> None:
        self.fits.append(dict(event.value))

    @property
    def frame_ids(self) -> list[int]:
        """The numbers of the frames, in the codebook's order."""
        return [frame["id"] for frame in self.codebook["frames"]]

    def coder_of(self, token: str) -> str | None:
        """Return whose token this is; it takes the same time whoever's."""
        found = None
        for coder, expected in self.tokens.items():
            if hmac.compare_digest(expected.encode(), token.encode("utf-8", "replace")):
                found = coder
        return found

    def decision(self, sentence: int, coder: str) -> Decision | None:
        """Return what a coder has decided about a sentence."""
        decisions = self.decisions.get(sentence, {}).get(coder)
        return decisions[-1] if decisions else None

    def votes(self, sentence: int, blind: bool = False) -> dict[str, frozenset[int]]:
        """Return the frames by each coder who decided on a sentence, frames that are gone left out.

        Parameters
        ----------
        sentence : int
        blind : bool
            Only decisions made without a look at the model.
        """
        known = frozenset(self.frame_ids)
        votes = {}
        for coder, decisions in self.decisions.get(sentence, {}).items():
            kept = [one for one in decisions if not one.skipped and not (blind and one.looked)]
            if kept and not decisions[-1].skipped:
                votes[coder] = kept[-1].frames & known
        return votes

    def final(self, sentence: int) -> frozenset[int] | None:
        """Return the frames that hold for a sentence: as ruled, else as all who decided agree; None for neither."""
        if sentence in self.rulings:
            return self.rulings[sentence][-1].frames & frozenset(self.frame_ids)
        votes = set(self.votes(sentence).values())
        return votes.pop() if len(votes) == 1 else None

    def labeled(self) -> dict[int, frozenset[int]]:
        """Return the frames of every sentence for which they hold, in the order of the sentences."""
        return {number: self.finals[number] for number in sorted(self.finals)}

    def conflicts(self) -> list[int]:
        """Return the sentences whose coders disagree and that nobody has ruled on, in order."""
        return sorted(self.disputed)

    def outdated(self, coder: str) -> list[int]:
        """Return the sentences that a coder decided before a frame of the codebook existed."""
        known = frozenset(self.frame_ids)
        return [
            number
            for number, coders in self.decisions.items()
            if coder in coders
            and not coders[coder][-1].skipped
            and known - self.codebooks.get(coders[coder][-1].codebook, frozenset())
        ]

    def names(self, frames: Iterable[int]) -> list[str]:
        """Return the names of frames, in the codebook's order."""
        wanted = set(frames)
        return [frame["name"] for frame in self.codebook["frames"] if frame["id"] in wanted]


def value_of(frames: Iterable[int], unsure: bool, codebook: int, looked: bool = False) -> Mapping[str, Any]:
    """Return what a ``label`` event holds."""
    flags = {name: True for name, flag in (("unsure", unsure), ("looked", looked)) if flag}
    return {"frames": sorted(frames), "codebook": codebook, **flags}

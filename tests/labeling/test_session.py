"""A session in any order of events: what is in memory is what the file tells, and nothing is shown twice."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from classifier.articles import Article
from classifier.errors import InputError
from classifier.labeling.ledger import Ledger
from classifier.labeling.session import Session, StaleError, add_coder
from classifier.labeling.store import Project

CODERS = ("Ada", "Ben", "Cem")
N = 24
FACTS = ("codebook", "tokens", "decisions", "rulings", "comments", "draws", "finals", "disputed", "history", "n_labels")


class Coding(RuleBasedStateMachine):
    """Three coders at a small project, taking back, skipping, ruling, renaming, and starting the server again."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "coding.db"
        self.project = Project(self.path, write=True, create=True)
        self.project.add_articles(Article(f"{i}.txt", f"One {i}. Two {i}. Three {i}.") for i in range(N // 3))
        for name in CODERS:
            add_coder(self.project, Ledger.of(self.project.events()), name)
        self.session = self._session()
        self.session.save_codebook("Ada", {"frames": [{"title": "A"}, {"title": "B"}]})
        self.given: dict[str, list[int]] = {name: [] for name in CODERS}

    def _session(self) -> Session:
        return Session(self.project, self.path.with_suffix(".toml"), learn=False, double_share=0.5)

    @rule(coder=st.sampled_from(CODERS), chosen=st.sets(st.sampled_from([0, 1])), skip=st.booleans())
    def decide(self, coder: str, chosen: set[int], skip: bool) -> None:
        view = self.session.view(coder)
        if view["item"] is None:
            return
        sentence = view["item"]["sentence"]
        assert view["item"]["decision"] is None
        assert sentence not in self.given[coder]
        ids = self.session.ledger.frame_ids
        self.session.decide(coder, sentence, [ids[i] for i in chosen if i < len(ids)], skip=skip, seen=view["seen"])
        self.given[coder].append(sentence)
        following = self.session.view(coder)["item"]
        assert (following and following["sentence"]) == (view["next"] and view["next"]["sentence"])

    @rule(coder=st.sampled_from(CODERS), sentence=st.integers(1, N))
    def decide_anew(self, coder: str, sentence: int) -> None:
        self.session.decide(coder, sentence, self.session.ledger.frame_ids[:1])
        self.given[coder].append(sentence)

    @rule(coder=st.sampled_from(CODERS))
    def undo(self, coder: str) -> None:
        undone = self.session.undo(coder)
        taken = None if undone is None else undone.sentence
        assert taken == (self.given[coder].pop() if self.given[coder] else None)
        if taken is not None and taken not in self.given[coder]:
            shown: Any = self.session.view(coder)["item"]
            assert shown["sentence"] == taken

    @rule(coder=st.sampled_from(CODERS))
    def rule_on_a_conflict(self, coder: str) -> None:
        for case in self.session.conflicts(1):
            self.session.rule(coder, case["sentence"], case["votes"][0]["frames"])
            assert case["sentence"] not in self.session.ledger.disputed

    @rule(coder=st.sampled_from(CODERS))
    def undo_a_ruling(self, coder: str) -> None:
        self.session.undo_ruling(coder)

    @rule(drop=st.booleans())
    def edit_the_codebook(self, drop: bool) -> None:
        frames = self.session.ledger.codebook["frames"]
        edited = frames[1:] if drop and len(frames) > 1 else [*frames, {"title": f"New {len(frames)}", "key": ""}]
        if len({frame.get("name", frame["title"]) for frame in edited}) == len(edited) < 9:
            try:
                self.session.save_codebook("Ada", {"frames": edited})
            except InputError as error:
                assert "defined twice" in str(error)

    @rule(coder=st.sampled_from(CODERS))
    def an_old_page_is_told(self, coder: str) -> None:
        try:
            self.session.decide(coder, 1, [], seen=-1)
        except StaleError:
            return
        raise AssertionError("an old page was not told")

    @rule()
    def start_again(self) -> None:
        before = {coder: self.session.view(coder)["item"] for coder in CODERS}
        self.project.close()
        self.project = Project(self.path, write=True)
        self.session = self._session()
        assert {coder: self.session.view(coder)["item"] for coder in CODERS} == before

    @invariant()
    def memory_is_what_the_file_tells(self) -> None:
        told = Ledger.of(self.project.events())
        for fact in FACTS:
            mine, theirs = getattr(self.session.ledger, fact), getattr(told, fact)
            if fact == "history":
                mine, theirs = ({name: found[name] for name in CODERS} for found in (mine, theirs))
            assert mine == theirs, fact

    @invariant()
    def what_holds_is_agreed_or_ruled(self) -> None:
        ledger = self.session.ledger
        counts = Counter(frame for frames in ledger.finals.values() for frame in frames or (0,))
        assert +ledger.examples == counts
        for number in range(1, N + 1):
            votes = set(ledger.votes(number).values())
            if number in ledger.rulings:
                assert number in ledger.finals
            else:
                assert (number in ledger.finals) == (len(votes) == 1)
                assert (number in ledger.disputed) == (len(votes) > 1)

    def teardown(self) -> None:
        if hasattr(self, "project"):
            self.project.close()
            self.folder.cleanup()


TestCoding = Coding.TestCase
TestCoding.settings = settings(max_examples=25, stateful_step_count=40, deadline=None, derandomize=True)

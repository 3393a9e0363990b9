"""The tagger of actors and acts, and the features made of what it finds."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from classifier.codebook import Codebook, default_codebook, read_codebook
from classifier.corpus import read_corpus
from classifier.errors import InputError
from classifier.features.counts import CountMatrix
from classifier.features.ngrams import Block, RoleAnalyzer
from classifier.features.tagger import Tagger, normalise, punctuation, quoted_spans
from classifier.features.tfidf import Tfidf
from classifier.model.load import load_model
from classifier.model.model import Model
from classifier.release import save_model, to_pipeline
from classifier.training.linear import blocks_for
from classifier.training.train import train

SMALL = {
    "actors": {
        "west": {"title": "West", "terms": ["EU", "US", "U.S.", "European Union", "Brussels", "Élysée"]},
        "minsk": {"title": "Minsk", "terms": ["Minsk", "Lukashenk*", "Belarus* foreign minist*", "Łukaszenka"]},
        "belarus": {"title": "Belarus", "terms": ["Belarus*"]},
        "joint": {"title": "Both", "terms": ["Union State", "Moscow and Minsk"]},
        "opposition": {"title": "Opposition", "terms": ["Union of Poles", "O'Brien"]},
        "neighbours": {"title": "Neighbours", "terms": ["Pole*", "Warsaw"]},
        "russia": {"title": "Russia", "terms": ["Moscow", "Russia*", "S-400"]},
    },
    "acts": {
        "condemn": {"title": "condemns", "terms": ["condemn*", "speak* out against"]},
        "relieve": {"title": "relieves", "terms": ["lift* sanction*", "ease*"]},
        "punish": {"title": "punishes", "terms": ["sanction*"]},
        "support": {"title": "supports", "terms": ["support*"]},
        "talk": {"title": "meets", "terms": ["meet", "visit"]},
    },
    "marks": {"not": {"title": "not", "terms": ["not", "no", "never", "without", "refus*", "declin*"]}},
    "links": {"by": {"title": "by", "terms": ["by", "from"]}},
}
ROLES = Tagger(SMALL)
FIELD = Tagger(default_codebook().roles)


def found(text: str, roles: Tagger = ROLES) -> list[tuple[str, str]]:
    """Return each match's role and text."""
    return [(match.role, text[match.start : match.end]) for match in roles.tag(text).matches]


def names(text: str, roles: Tagger = ROLES) -> list[str]:
    """Return the sequence of tags without the bounds of the sentence."""
    first, *tags, last = (tag.name for tag in roles.tag(text).sequence())
    assert (first, last) == ("^", "$")
    return tags


class TestTerms:
    def test_a_star_matches_any_ending(self) -> None:
        assert names("condemn condemned condemnations") == ["condemn"]
        assert found("Lukashenka") == [("minsk", "Lukashenka")]

    def test_a_word_without_a_star_matches_itself_alone(self) -> None:
        assert found("visit visits visitor") == [("talk", "visit")]

    def test_case_does_not_matter(self) -> None:
        assert names("BRUSSELS CONDEMNS minsk") == ["west", "condemn", "minsk"]

    def test_short_terms_in_capitals_match_capitals_only(self) -> None:
        assert names("US") == ["west"]
        assert names("Let us eat. Us too.") == []

    def test_dotted_capitals(self) -> None:
        assert found("a U.S. envoy of the u.s. army") == [("west", "U.S")]

    def test_the_longest_term_wins(self) -> None:
        assert found("the Belarusian foreign ministry") == [("minsk", "Belarusian foreign ministry")]
        assert names("Belarusian foreign policy") == ["belarus"]
        assert names("they lift sanctions") == ["relieve"]
        assert names("Moscow and Minsk") == ["joint"]
        assert names("Moscow and Warsaw") == ["russia", "neighbours"]

    def test_a_longer_term_that_fails_swallows_nothing(self) -> None:
        assert names("they speak out for Minsk") == ["minsk"]

    def test_the_more_specific_word_wins_among_terms_of_one_length(self) -> None:
        roles = Tagger(
            {
                "acts": {"support": {"terms": ["support*"]}, "call": {"terms": ["supported"]}},
                "actors": {"fans": {"terms": ["supporter*"]}},
            }
        )
        assert names("supports", roles) == ["support"]
        assert names("supporters", roles) == ["fans"]
        assert names("supported", roles) == ["call"]

    def test_capitals_and_the_same_small_word_may_be_different_terms(self) -> None:
        roles = Tagger({"actors": {"america": {"terms": ["US"]}, "we": {"terms": ["us"]}}})
        assert names("US let us", roles) == ["america", "we"]

    def test_a_stem_matches_words_in_capitals_too(self) -> None:
        roles = Tagger({"actors": {"america": {"terms": ["US"]}}, "acts": {"use": {"terms": ["us* it"]}}})
        assert names("US it", roles) == ["use"]
        assert names("US", roles) == ["america"]

    @pytest.mark.parametrize("text", ["Union-State", "Union State", "Union\u00a0State", "union‑state"])
    def test_hyphens_and_spaces_are_alike(self, text: str) -> None:
        assert found(text) == [("joint", text)]

    @pytest.mark.parametrize("text", ["Union, State", "Union; State", "Union (State", "“Union” State"])
    def test_a_term_does_not_cross_punctuation(self, text: str) -> None:
        assert found(text) == []

    def test_a_word_is_found_after_a_hyphen(self) -> None:
        assert names("anti-Russian and pro-EU") == ["russia", "west"]

    @pytest.mark.parametrize("text", ["Minsk's", "Minsk’s", "MINSK'S"])
    def test_possessives_are_left_out(self, text: str) -> None:
        assert found(text) == [("minsk", text[:5])]

    @pytest.mark.parametrize("text", ["Minsk’ll", "Minsk've", "Minsk'd"])
    def test_contracted_endings_do_not_matter(self, text: str) -> None:
        assert found(text) == [("minsk", text)]

    def test_a_possessive_inside_a_term(self) -> None:
        assert found("Belarus's foreign minister") == [("minsk", "Belarus's foreign minister")]

    @pytest.mark.parametrize("text", ["Łukaszenka", "Lukaszenka", "Elysee", "Élysée", "E\u0301lyse\u0301e"])
    def test_diacritics_do_not_matter(self, text: str) -> None:
        assert [match for _, match in found(text)] == [text]

    def test_other_apostrophes_are_dropped(self) -> None:
        assert names("O’Brien and OBrien") == ["opposition"]

    def test_normalise(self) -> None:
        assert [normalise(word) for word in ("Straße", "Øresund", "Can’t")] == ["strasse", "oresund", "not"]


class TestMarks:
    @pytest.mark.parametrize(
        "text",
        [
            "did not condemn",
            "didn't condemn",
            "didn’t condemn",
            "never condemned",
            "refused to condemn",
            "no condemning",
        ],
    )
    def test_negation_is_a_tag(self, text: str) -> None:
        assert names(text) == ["not", "condemn"]

    def test_quotations_are_tags(self) -> None:
        assert names('Minsk said "Warsaw condemns" EU') == ["minsk", "“", "neighbours", "condemn", "”", "west"]
        assert names("“Warsaw”") == ["“", "neighbours", "”"]
        assert [match.quoted for match in ROLES.tag("Minsk: “Warsaw”").matches] == [False, True]

    def test_a_quotation_without_roles_leaves_no_tags(self) -> None:
        assert names('Minsk said "well" to Moscow') == ["minsk", "russia"]

    @pytest.mark.parametrize(
        ("text", "quoted"),
        [
            ('say "a b" c', ["a b"]),
            ("say “a b” c", ["a b"]),
            ("say „a b“ c", ["a b"]),
            ("say «a b» c", ["a b"]),
            ("say 'a b' c", ["a b"]),
            ("say ‘a b’ c", ["a b"]),
            ("say 'the EU's a b' c", ["the EU's a b"]),
            ("the allies' plan and Minsk's", []),
            ("it’s the neighbours’ turn", []),
            ('a b," he said', ["a b,"]),
            ("a b,” he said", ["a b,"]),
            ('he said: "a b', ["a b"]),
            ('"a", "b" and "c"', ["a", "b", "c"]),
            ("“a ‘b’ c” d", ["a ‘b’ c"]),
            ("nothing", []),
        ],
    )
    def test_where_quotations_begin_and_end(self, text: str, quoted: list[str]) -> None:
        assert [text[start:end] for start, end in quoted_spans(text)] == quoted

    @pytest.mark.parametrize(
        "text",
        [
            "Sanctions hurt nobody — Lukashenko",
            "Sanctions hurt nobody – Lukashenko",
            "Sanctions hurt nobody - Lukashenko",
            "Sanctions hurt nobody—spokesman of Lukashenko",
        ],
    )
    def test_the_speaker_after_a_dash(self, text: str) -> None:
        assert names(text) == ["punish", "–", "@minsk"]

    def test_the_speaker_before_a_colon(self) -> None:
        assert names("Lukashenko: sanctions hurt nobody in Minsk") == ["@minsk", ":", "punish", "minsk"]

    @pytest.mark.parametrize(
        "text",
        [
            "At 10:30 Minsk replied",
            "Minsk replied on a long and rainy evening in May: nyet",
            "The visit — the first in years for anybody from that part of Minsk",
            "A Minsk-based firm",
        ],
    )
    def test_other_colons_dashes_and_hyphens_have_no_speaker(self, text: str) -> None:
        assert "minsk" in names(text)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a, b; c,d 1,000", [",", ","]),
            ('"no," he', [","]),
            ("at 10:30 a:b c: d:", [":", ":"]),
            ("a — b—c - d -- e – f", ["–"] * 5),
            ("ex-ally 2020–2026 — -a a-", ["–"]),
            ("", []),
        ],
    )
    def test_punctuation_that_parts_clauses(self, text: str, expected: list[str]) -> None:
        assert [tag.name for tag in punctuation(text)] == expected

    def test_punctuation_stands_in_the_sequence_once(self) -> None:
        assert names("Minsk, , EU “no, no”") == ["minsk", ",", "west", "“", "not", ",", "not", "”"]

    def test_links_stand_in_the_sequence(self) -> None:
        assert names("sanctions by the EU") == ["punish", "by", "west"]

    def test_only_actors_speak(self) -> None:
        assert names("Sanctions: Minsk") == ["punish", ":", "minsk"]


class TestField:
    """Words of the field that are easily confused."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("The Union of Poles protested", "dissidents"),
            ("The Union State protested", "joint"),
            ("Georgia protested", "states"),
            ("Charles Michel protested", "eu"),
            ("Turkey protested", "states"),
            ("The UN protested", "organisations"),
            ("The UK protested", "west"),
            ("The US protested", "us"),
            ("The SVR protested", "russia"),
            ("Belarus’s state television protested", "state_media"),
            ("Russian state television protested", "russia_media"),
            ("The Belarusian opposition protested", "dissidents"),
            ("The Belarusian Foreign Ministry protested", "minsk"),
            ("The Kyiv regime protested", "ukraine"),
            ("Official Minsk protested", "minsk"),
            ("Tikhanovskaya protested", "dissidents"),
            ("Łukaszenka protested", "minsk"),
        ],
    )
    def test_who_protests(self, text: str, expected: str) -> None:
        assert [role for role, _ in found(text, FIELD) if FIELD.kinds[role] == "actors"] == [expected]

    @pytest.mark.parametrize(
        "text", ["A march may begin.", "In March and May rain fell.", "The turkey was done at noon.", "Is that so?"]
    )
    def test_no_actor(self, text: str) -> None:
        actors = [role for role, _ in found(text, FIELD) if FIELD.kinds[role] == "actors"]
        assert actors in ([], ["states"])  # a turkey is Turkey: only short names in capitals are told apart

    def test_us_is_not_the_us(self) -> None:
        assert found("let us, we were well", FIELD) == [("we", "us"), ("we", "we")]
        assert found("The US", FIELD) == [("us", "US")]

    def test_who_does_what_to_whom(self) -> None:
        assert names("Brussels condemns Minsk", FIELD) == ["eu", "condemn", "minsk"]
        assert names("Minsk condemns Brussels", FIELD) == ["minsk", "condemn", "eu"]

    def test_relief_is_not_punishment(self) -> None:
        assert names("Washington lifts sanctions", FIELD) == ["us", "relieve"]
        assert names("Washington imposes sanctions", FIELD) == ["us", "punish"]


class TestTagging:
    @given(st.text())
    def test_any_text_has_valid_offsets(self, text: str) -> None:
        tagging = ROLES.tag(text)
        end = 0
        for match in tagging.matches:
            assert end <= match.start < match.end <= len(text)
            end = match.end
        for start, stop in tagging.quotations:
            assert 0 <= start <= stop <= len(text)
        for tag in tagging.sequence():
            assert 0 <= tag.start <= tag.end <= len(text)

    PARTS = ("EU", "Minsk's", "“", "”", '"', "—", ": ", "condemns", "Union-", "State", "not", "don't", " ")

    @given(st.lists(st.sampled_from(PARTS)).map("".join))
    def test_the_text_of_a_match_has_its_role(self, text: str) -> None:
        for match in ROLES.tag(text).matches:
            assert [role for role, _ in found(text[match.start : match.end])] == [match.role]

    def test_a_symbol_depends_on_the_word_alone(self) -> None:
        assert ROLES.symbol("condemned") == ROLES.symbol("Condemns") != 0
        assert ROLES.symbol("US") != ROLES.symbol("us")
        assert ROLES.symbol("garden") == 0

    def test_the_automaton_is_walked_by_symbols(self) -> None:
        state = ROLES.step[0, ROLES.symbol("European")]
        assert ROLES.accepted[state] == 0
        state = ROLES.step[state, ROLES.symbol("Union")]
        assert list(ROLES.titles)[ROLES.accepted[state] - 1] == "west"

    def test_pickled_and_back(self) -> None:
        text = "Brussels did not condemn Minsk"
        assert pickle.loads(pickle.dumps(ROLES)).tag(text) == ROLES.tag(text)


class TestCodebook:
    @pytest.mark.parametrize(
        ("tables", "message"),
        [
            ({"things": {}}, "roles.things"),
            ({"actors": {"The West": {"terms": ["EU"]}}}, "name"),
            ({"actors": {"west": {"title": "West"}}}, "terms"),
            ({"actors": {"west": ["EU"]}}, "terms"),
            ({"actors": {"west": {"terms": [1]}}}, "terms"),
            ({"actors": {"west": {"title": "two\nlines", "terms": ["EU"]}}}, "one line"),
            ({"actors": {"west": {"terms": ["EU"]}}, "acts": {"west": {"terms": ["go"]}}}, "twice"),
            ({"actors": {"west": {"terms": ["EU"]}, "east": {"terms": ["EU"]}}}, "both"),
            ({"actors": {"west": {"terms": ["*"]}}}, "cannot be a term"),
            ({"actors": {"west": {"terms": [""]}}}, "cannot be a term"),
            ({"actors": {"west": {"terms": ["a, b"]}}}, "cannot be a term"),
            ({"actors": {"west": {"terms": ["a*b"]}}}, "cannot be a term"),
        ],
    )
    def test_mistakes_are_named(self, tables: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            Tagger(tables)

    def test_the_file_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text('[[frames]]\nname = "a"\n[roles.actors.x]\nterms = ["*"]\n', encoding="utf-8")
        with pytest.raises(InputError, match=r"mine\.toml"):
            read_codebook(path)

    def test_a_title_is_optional(self) -> None:
        assert Tagger({"actors": {"west": {"terms": ["EU"]}}}).titles == {"west": "west"}

    def test_no_roles_no_blocks(self) -> None:
        assert not any(block.reads_roles for block in blocks_for(Codebook.from_names(["a"])))
        assert any(block.reads_roles for block in blocks_for(default_codebook()))


TEXTS = ["The EU condemns Minsk.", "Minsk condemned the EU, Minsk did.", "Rain.", "“EU?” — Warsaw"]
KINDS = [Block("roles", 1, 4), Block("role_pairs", 2, 2), Block("masked_words", 1, 2)]


class TestBlocks:
    def test_ngrams_of_roles(self) -> None:
        assert Block("roles", 2, 2).ngrams(TEXTS[0], ROLES.tag(TEXTS[0])) == [
            "^ west",
            "west condemn",
            "condemn minsk",
            "minsk $",
        ]

    def test_pairs_stand_in_order_at_any_distance_once(self) -> None:
        pairs = Block("role_pairs", 2, 2).ngrams("", ROLES.tag("EU EU condemned Minsk condemned Minsk"))
        assert [pair for pair in pairs if not {"^", "$"} & set(pair)] == [
            "west…condemn",
            "west…minsk",
            "condemn…minsk",
            "condemn…condemn",
            "minsk…condemn",
            "minsk…minsk",
        ]

    def test_links_are_not_paired_and_punctuation_is(self) -> None:
        pairs = Block("role_pairs", 2, 2).ngrams("", ROLES.tag("Sanctions, by EU"))
        assert [pair for pair in pairs if not {"^", "$"} & set(pair)] == ["punish…,", "punish…west", ",…west"]

    def test_masked_words(self) -> None:
        text = "The European Union's EU envoys left Minsk"
        ngrams = Block("masked_words", 1, 1).ngrams(text, ROLES.tag(text))
        assert ngrams == ["the", "<west>", "envoys", "left", "<minsk>"]

    def test_a_block_of_roles_needs_them(self) -> None:
        block = Block("roles", 1, 2)
        with pytest.raises(ValueError, match="needs the roles"):
            block.ngrams("EU")
        with pytest.raises(ValueError, match="roles of a codebook"):
            block.vectorizer()
        with pytest.raises(ValueError, match="roles of a codebook"):
            CountMatrix(TEXTS, [block])
        with pytest.raises(ValueError, match="2 units"):
            Block("role_pairs", 1, 2)

    @pytest.mark.parametrize("block", KINDS, ids=str)
    def test_counts_are_those_of_scikit_learn(self, block: Block) -> None:
        vectorizer = CountVectorizer(analyzer=RoleAnalyzer(block, ROLES))
        expected = vectorizer.fit_transform(TEXTS)
        counted = CountMatrix(TEXTS, [block], ROLES)
        assert list(counted.ngrams[0]) == list(vectorizer.get_feature_names_out())
        assert (counted.counts.toarray() == expected.toarray()).all()

    @pytest.mark.parametrize("block", KINDS, ids=str)
    def test_tfidf_is_that_of_scikit_learn(self, block: Block) -> None:
        rows = np.arange(len(TEXTS))
        expected = block.vectorizer(roles=ROLES).fit_transform(TEXTS).toarray()
        assert np.allclose(Tfidf.fit(CountMatrix(TEXTS, [block], ROLES), rows).transform(rows).toarray(), expected)

    def test_a_block_may_be_empty(self) -> None:
        counted = CountMatrix(["Rain.", "Sun."], [Block("words", 1, 1), Block("role_pairs", 2, 2, 3)], ROLES)
        assert Tfidf.fit(counted, np.arange(2)).transform(np.arange(2)).shape == (2, 2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a model trained on sentences that differ in who does what to whom."""
    directory = tmp_path_factory.mktemp("roles")
    actors = ["EU", "Minsk", "Moscow", "Warsaw", "Brussels", "Lukashenko"]
    lines = ["text,labels,article_id"]
    for i, doer in enumerate(actors):
        for k, target in enumerate(actors):
            for act in ("condemned", "did not condemn", "supports"):
                label = "good" if act == "supports" else "bad" if i < k else ""
                lines.append(f"{doer} {act} “{target}” today,{label},{i}{k}")
    path = directory / "corpus.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    frames = Codebook.from_names(["good", "bad"]).frames
    return train(read_corpus(path, codebook=Codebook("test", frames, SMALL)), n_folds=2)[0]


class TestModel:
    TEXTS = (
        "Brussels condemns Minsk",
        "Minsk: “EU”",
        "",
        "It rained.",
        "The Union State supports Moscow’s EU — Warsaw",
    )

    def test_it_reads_roles(self, model: Model) -> None:
        assert model.tagger is not None
        assert any(block.reads_roles for block in model.blocks)

    def test_saved_loaded_and_as_a_pipeline(self, model: Model, tmp_path: Path) -> None:
        save_model(model, tmp_path / "model")
        expected = model.predict_proba(self.TEXTS)
        assert np.allclose(load_model(tmp_path / "model").predict_proba(self.TEXTS), expected)
        pipeline = joblib.load(tmp_path / "model" / "pipeline.joblib")
        assert np.allclose(pipeline.predict_proba(self.TEXTS), expected, atol=1e-5)

    @settings(deadline=None)
    @given(st.text())
    def test_the_pipeline_agrees_on_any_text(self, model: Model, text: str) -> None:
        assert np.allclose(to_pipeline(model).predict_proba([text]), model.predict_proba([text]), atol=1e-5)

    @pytest.mark.parametrize("text", TEXTS)
    def test_terms_sum_to_the_logit(self, model: Model, text: str) -> None:
        terms = model.explain(text)
        logits = model.logits([text])[0]
        for column, frame in enumerate(model.frames):
            assert sum(value for _, value in terms[frame]) + model.intercepts[column] == pytest.approx(logits[column])

    def test_roles_are_explained_with_the_text_found(self, model: Model) -> None:
        terms = dict(model.explain("Brussels condemned “Minsk” today")["bad"])
        assert "West … condemns (Brussels … condemned)" in terms
        assert "[West] condemned" in terms


@pytest.mark.parametrize(
    ("kind", "subject", "message"),
    [
        ("acts", "Sea", "only actors"),
        ("actors", "", "one line"),
        ("actors", 3, "one line"),
        ("actors", "a\nb", "one line"),
    ],
)
def test_a_subject_that_is_none_is_refused(kind: str, subject: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Tagger({kind: {"wave": {"terms": ["wave*"], "subject": subject}}})


def test_subjects_are_named_by_any_of_their_actors() -> None:
    actors = {
        "sea": {"terms": ["sea"], "subject": "Water"},
        "rain": {"terms": ["rain*"], "subject": "Water"},
        "sun": {"terms": ["sun"]},
    }
    roles = Tagger({"actors": actors})
    assert roles.subjects == {"Water": ["sea", "rain"]}
    assert roles.named(["Rains fell", "The sun shone"]) == [[True], [False]]

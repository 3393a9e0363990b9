"""Pages in a browser: nothing fetched, nothing of the input taken for markup, legible, usable by keyboard."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from classifier.articles.sentences import Sentence
from classifier.cli import main
from classifier.codebook import PALETTE, Codebook, Frame, read_codebook
from classifier.report import ArticlesPage, evaluation_page, write_html
from classifier.report.articles import MAX_SENTENCES
from classifier.report.colours import AA, DARK, LIGHT, LINES, contrast, fill, initials, ink, stylesheet
from classifier.report.pages import percent, visible
from classifier.report.totals import PageTotals, day_of, unit_of
from classifier.scoring import ScoredArticle, ScoredSentence
from tests.browser import Browser

ROOT = Path(__file__).parent.parent
BOOK = Codebook.from_names(["calm", "storm", "tide"], "The sea")
HOSTILE = [
    "<script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "</script><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "' onfocus='alert(4)",
    "a\x00b\x1bc\x85",
    "file \u202egnp.exe \u2066x\u2069",
    "lone \ud800 surrogate, noncharacter \ufffe \U0001ffff",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt; &amp; &#0;",
    "<!-- --> <![CDATA[ ]]> \u2028 \u2029",
]
VOID = {"meta", "link", "br", "img", "input"}


class Page(HTMLParser):
    """A page's elements, and the text of its sentences; complains of an end tag that ends nothing."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.sentences: list[str] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, bool]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        sentence = "s" in (values.get("class") or "").split()
        if sentence:
            self.sentences.append("")
        if tag not in VOID:
            self._open.append((tag, sentence))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if any(sentence for _, sentence in self._open):
            self.sentences[-1] += data
        for tag, _ in self._open[-1:]:
            self.texts[tag] = self.texts.get(tag, "") + data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [values for tag, values in self.elements if tag == name]


def article(*texts: str, labels: tuple[str, ...] = ("storm",), score: float = 0.8, **values: Any) -> ScoredArticle:
    sentences, start = [], 0
    for i, text in enumerate(texts):
        scores = {"calm": 0.0312, "storm": score, "tide": 0.4}
        terms = {name: [(text, 1.25), ("wind", 0.5)] for name in labels}
        sentences.append(ScoredSentence(Sentence(i, start, start + len(text), text), labels, scores, terms))
        start += len(text) + 1
    shares = {name: float(name in labels and bool(texts)) for name in BOOK.names}
    defaults: dict[str, Any] = {"source": "sea.txt", "title": None, "model": "weather 1"}
    return ScoredArticle(**{**defaults, **values, "sentences": tuple(sentences), "profile": shares})


def page_of(*articles: ScoredArticle, book: Codebook = BOOK, level: str = "sentence") -> str:
    stream = io.BytesIO()
    write_html(articles, book, stream, level)
    return stream.getvalue().decode()


def several(n: int = 12) -> list[ScoredArticle]:
    return [
        article(
            *(f"Sentence {j} of article {i}." for j in range(4)),
            labels=(("storm",), ("calm", "tide"), ())[i % 3],
            score=(0.3, 0.6, 0.8, 0.95)[i % 4],
            title=f"Article {i}",
            date=f"2021-{i % 12 + 1:02}-03",
            outlet=("The Pilot", "Lloyd's <List>")[i % 2],
        )
        for i in range(n)
    ]


FIGURE = {"value": 0.8, "low": 0.7, "high": 0.9}
REPORT = {
    "method": "3 folds <b>",
    "corpus": "sea.csv",
    "overlap": {"sentences": 4, "neighbours": 2, "recorded": False, "same_file": False},
    "sentences": 100,
    "articles": 10,
    "frames": [
        {"name": name, "support": 9, "precision": FIGURE, "recall": FIGURE, "f1": FIGURE, "roc_auc": None}
        for name in (*BOOK.names, "macro average", "micro average")
    ],
    "overall": {"subset_accuracy": FIGURE},
    "confusion": {
        "frames": [*BOOK.names, "(none)"],
        "counts": [[5, 1, 0, 2]] * 4,
        "shares": [[FIGURE, None, FIGURE, FIGURE]] * 4,
        "sets": [],
    },
    "calibration": {"storm": [{"low": 0.0, "high": 0.1, "n": 9, "probability": 0.05, "share": FIGURE}]},
    "abstention": {"low": 0.3, "high": 0.7, "sentences": FIGURE, "right_inside": FIGURE, "right_outside": None},
    "by": {
        "source": [
            {"value": "<i>", "sentences": 3, "articles": 1, "frames": [{"name": "storm", "support": 1, "f1": FIGURE}]}
        ]
    },
    "mistakes": [
        {"text": HOSTILE[0], "frame": "storm", "kind": "missed", "probability": 0.1, "terms": [["<u>", -0.5]]}
    ],
}


def pages() -> dict[str, str]:
    """Every kind of page."""
    comparison = {
        "name": "storm",
        "figure": "f1",
        "first": 0.8,
        "second": 0.7,
        "p_value": 0.04,
        "difference": {"value": -0.1, "low": -0.2, "high": 0.0},
    }
    return {
        "none": page_of(),
        "empty": page_of(article()),
        "one": page_of(article("It blew.", "It rained.")),
        "several": page_of(*several()),
        "profiles": page_of(*several(), level="article"),
        "evaluation": evaluation_page(REPORT, BOOK),
        "comparison": evaluation_page(
            {"models": ["a<b", "c"], "evaluations": [REPORT, REPORT], "comparison": [comparison]}
        ),
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_an_article_is_markup(text: str) -> None:
    plain = Page(page_of(article("plain", title="plain", outlet="o", date="2021", metadata={"k": "v"})))
    hostile = page_of(article(text, title=text, source=text, outlet=text, date=text, metadata={text: text, "n": None}))
    found = Page(hostile)
    assert found.sentences == [visible(text)]
    assert [tag for tag, _ in found.elements if tag in ("script", "style", "img")] == ["style", "script"]
    assert {name for _, values in found.elements for name in values} <= {
        *(name for _, values in plain.elements for name in values)
    }
    assert json.loads(found.tags("mark")[0]["data-t"] or "")["1"][0] == [visible(text), 1.25]


@given(st.text(st.characters(), min_size=1, max_size=60), st.text(st.characters(), max_size=30))
def test_any_text_is_shown_as_it_is(text: str, title: str) -> None:
    page = page_of(article(text, title=title or None, metadata={title: text}))
    found = Page(page)
    assert found.sentences == [visible(text)]
    assert found.texts["title"].startswith(visible(title or "sea.txt"))
    assert len(found.tags("script")) == 1


@given(st.text(st.characters(), max_size=40))
def test_mistakes_of_an_evaluation_are_text(text: str) -> None:
    mistake = {"text": text, "frame": text, "kind": "false", "probability": 0.9, "terms": [[text, 0.1]]}
    row = {"name": text, "support": 1, "f1": FIGURE}
    slices = {text: [{"value": text, "sentences": 1, "articles": 1, "frames": [row]}]}
    found = Page(evaluation_page({"method": text, "frames": [row], "by": slices, "mistakes": [mistake]}))
    assert len(found.tags("script")) == 1


def test_control_characters_are_seen() -> None:
    assert visible("a\x00b\r\nc\rd\te\u202ef") == "a\ufffdb\nc\nd\te\ufffdf"
    assert visible("👩\u200d🚀 مى\u200cخواهم") == "👩\u200d🚀 مى\u200cخواهم"


@pytest.mark.parametrize("name", pages())
def test_pages_are_whole_and_fetch_nothing(name: str) -> None:
    text = pages()[name]
    found = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert not re.search(r"(?i)https?:|url\(|@import|\ssrc=", text)
    for _, values in found.elements:
        assert not any(key.startswith("on") or key == "style" for key in values)
        assert (values.get("href") or "#").startswith(("#", "data:,"))
    ids = [values["id"] for _, values in found.elements if "id" in values]
    assert len(ids) == len(set(ids))
    for _, values in found.elements:
        for key in ("aria-labelledby", "aria-describedby"):
            assert values.get(key) is None or values[key] in ids
        if (values.get("href") or "").startswith("#"):
            assert (values["href"] or "")[1:] in ids
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert len(found.tags("main")) == len(found.tags("header")) == len(found.tags("footer")) == 1


@pytest.mark.parametrize("name", pages())
def test_pages_are_valid_trees(name: str) -> None:
    etree = pytest.importorskip("lxml.etree")
    parser = etree.HTMLParser(recover=False)
    # libxml2 knows HTML 4: elements of HTML 5 and of SVG are unknown to it, and nothing else may be wrong.
    with contextlib.suppress(etree.XMLSyntaxError):
        etree.fromstring(pages()[name].encode(), parser)
    assert {re.sub(r"Tag \w+ invalid", "unknown", entry.message) for entry in parser.error_log} <= {"unknown"}


@pytest.mark.parametrize("name", pages())
def test_the_policy_allows_this_style_and_script_alone(name: str) -> None:
    found = Page(pages()[name])
    policy = next(v["content"] for v in found.tags("meta") if v.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        digest = base64.b64encode(hashlib.sha256(found.texts[tag].encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("colour", [*PALETTE, "#ffffff", "#000000", "#ffff00", "#0000ff"])
def test_every_colour_is_legible(theme: Any, colour: str) -> None:
    legible = ink(colour, theme)
    assert contrast(legible, theme.background) >= AA
    assert contrast(legible, theme.surface) >= AA
    for share in theme.fills:
        assert contrast(theme.text, fill(legible, theme, share)) >= AA
    for other in (theme.background, theme.surface):
        assert contrast(theme.muted, other) >= AA
        assert contrast(theme.text, other) >= AA


def test_a_colour_that_is_none_does_not_reach_the_page() -> None:
    book = Codebook("x", (Frame("calm", "calm", "", "red;}</style>"),))
    assert "</" not in stylesheet(book.frames)


def test_frames_differ_by_more_than_colour() -> None:
    book = Codebook.from_names(["calm", "cold", "Café au lait", "42", "…"])
    assert initials(book) == ["C", "C2", "CAL", "4", "F"]
    style = stylesheet(book.frames)
    assert all(f"--line-style:{line}" in style for line in LINES)
    page = page_of(article("It blew."))
    assert "(storm, 80 %)" in page


def test_shares_that_are_not_none_do_not_look_it() -> None:
    assert list(map(percent, (0, 0.001, 0.5, 0.999, 1))) == [0, 1, 50, 99, 100]


def test_what_a_sentence_has_beyond_its_labels() -> None:
    found = Page(page_of(article("It blew.", score=0.95)))
    mark = found.tags("mark")[0]
    assert mark["data-p"] == "0.0312 0.95 0.4"
    assert mark["data-l"] == "1:4"
    assert mark["class"] == "s f1 g4"


def test_paragraphs_follow_the_article() -> None:
    texts = ["One.", "Two.", "Three."]
    starts = [0, 5, 11]
    sentences = tuple(
        ScoredSentence(Sentence(i, starts[i], starts[i] + len(text), text), (), dict.fromkeys(BOOK.names, 0.1))
        for i, text in enumerate(texts)
    )
    page = page_of(ScoredArticle("a", None, sentences, dict.fromkeys(BOOK.names, 0.0), "m"))
    assert page.count('<p dir="auto">') == 2
    long = page_of(article(*(f"No. {i}." for i in range(120))))
    assert long.count('<p dir="auto">') == 3


def test_limits_are_said_and_profiles_count_everything() -> None:
    page = ArticlesPage(BOOK, max_sentences=5, max_articles=3)
    for one in several(4):
        page.add(one)
    text = "".join(page.render())
    assert "Of 16 sentences the page shows 5" in page.left_out
    assert "Of 4 articles the page names 3" in page.left_out
    assert page.left_out.replace("'", "&#39;") in text
    assert len(Page(text).sentences) == 5
    assert "8 of 16" in text
    assert "shows 1 of this article’s 4 sentences" in text


def test_thousands_of_articles_stay_within_bounds() -> None:
    page = ArticlesPage(BOOK)
    one = article(*["It blew hard, and then it did not."] * 10)
    for _ in range(6_000):
        page.add(one)
    text = "".join(page.render())
    assert text.count('<mark class="s') == MAX_SENTENCES
    assert len(text) < 16_000_000
    assert "60,000 of 60,000" in text


def test_a_timeline_and_sources_where_the_articles_have_them() -> None:
    text = page_of(*several())
    assert "Over time" in text
    assert "By source" in text
    assert "Lloyd&#39;s &lt;List&gt;" in text
    assert text.count('role="img"') == 1 + len(BOOK.names)
    plain = page_of(article("It blew."), article("It blew."))
    assert "Over time" not in plain
    assert "By source" not in plain


def test_days_are_added_up() -> None:
    tallies = PageTotals(BOOK.names)
    for day in ("2021-05-01T10:00:00Z", "2021-05-01", "20210503", "May", None, "2021-02-31"):
        tallies.add(article("It blew.", date=day))
    unit, bars = tallies.timeline()
    assert unit == "day"
    assert [(bar.label, bar.tally.articles) for bar in bars] == [
        ("2021-05-01", 2),
        ("2021-05-02", 0),
        ("2021-05-03", 1),
    ]
    assert tallies.undated == 3
    first = day_of("2020-11-30")
    assert first is not None
    assert unit_of(first, first.replace(year=2023)) == "month"
    assert unit_of(first, first.replace(year=2033)) == "year"
    tallies.add(article("It blew.", date="2022-02-01"))
    unit, bars = tallies.timeline()
    assert unit == "month"
    assert [bar.label for bar in bars][-2:] == ["2022-01", "2022-02"]
    assert len(bars) == 10
    tallies.add(article("It blew.", date="1990-02-01"))
    assert len(tallies.timeline()[1]) == 33


def test_many_sources_are_added_up() -> None:
    tallies = PageTotals(BOOK.names)
    for i in range(2_100):
        tallies.add(article("It blew.", outlet=f"paper {i}"))
    sources = tallies.sources()
    assert len(sources) == 201
    assert sources[-1][0] == "(others)"
    assert sum(tally.articles for _, tally in sources) == 2_100


def test_a_comparison_names_both_models() -> None:
    text = pages()["comparison"]
    assert "Evaluation of a&lt;b and c" in text
    assert "-0.100" in text


def test_the_command_writes_a_page(tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    example = str(ROOT / "datasets/examples/transit.txt")
    result = CliRunner().invoke(main, ["score", example, "--format", "html", "--output", str(output)])
    assert result.exit_code == 0, result.output
    found = Page(output.read_text(encoding="utf-8"))
    assert len(found.sentences) > 10
    assert any("data-t" in mark for mark in found.tags("mark"))
    result = CliRunner().invoke(main, ["score", example, "--format", "html", "--level", "article"])
    assert result.exit_code == 0
    assert Page(result.stdout).sentences == []


@pytest.mark.slow
def test_in_a_browser_with_the_network_off(tmp_path: Path) -> None:
    kinds = pages()
    kinds["hostile"] = page_of(*(article(text, title=text, outlet=text) for text in HOSTILE))
    for name, text in kinds.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    with Browser() as browser:
        for name in kinds:
            page = tmp_path / f"{name}.html"
            for width in (1280, 390):
                for dark in (False, True):
                    browser.open(page, width, dark=dark)
                    shot = browser.screenshot(tmp_path / f"{name}-{width}-{'dark' if dark else 'light'}.png")
                    assert len(shot) > 5_000
                    background = browser.run("getComputedStyle(document.body).backgroundColor")
                    assert background == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")
                    assert browser.run("document.documentElement.scrollWidth <= innerWidth"), (name, width)
            browser.open(page, media="print")
            assert browser.run("!document.querySelector('.filter, aside') || getComputedStyle("
                               "document.querySelector('.filter')).display === 'none'")  # fmt: skip
        assert browser.messages == []
        assert all(url.startswith(("file://", "data:")) for url in browser.requests)


@pytest.mark.slow
def test_by_keyboard_and_pointer(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_of(*several()), encoding="utf-8")
    panel = "document.querySelector('#panel').textContent"
    shows = "document.querySelector('#panel').textContent.includes('{}')"
    with Browser() as browser:
        browser.open(page)
        browser.hover("mark.s")
        browser.wait(shows.format("Sentence 0 of article 0."))
        assert "wind +0.50" in browser.run(panel)
        browser.press("2")
        pressed = "[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.dataset.title ?? 'all').join()"
        assert browser.run(pressed) == "storm"
        assert browser.run("document.querySelectorAll('mark.s:not(.off)').length") == 16
        browser.press("3")
        assert browser.run("document.querySelectorAll('mark.s:not(.off)').length") == 32
        assert browser.run("document.querySelectorAll('.tag:not(.off)').length") == 32
        assert browser.run("document.querySelectorAll('.tag.f0:not(.off)').length") == 0
        browser.press("3")
        browser.press("n")
        assert "storm" in browser.run(panel)
        assert browser.run("document.activeElement.matches('mark.f1')")
        assert browser.run("document.activeElement.getAttribute('aria-describedby')") == "panel"
        browser.press("ArrowRight")
        assert browser.run("document.activeElement.dataset.n") == "3"
        browser.press("p")
        assert browser.run("document.activeElement.dataset.n") == "2"
        browser.hover("#a2 mark.s")
        browser.wait(shows.format("Sentence 0 of article 1."))
        browser.press("Escape")
        assert not browser.run("document.querySelector('aside').classList.contains('open')")
        browser.press("0")
        assert browser.run(pressed) == "all"
        browser.run("document.querySelector('#shortcuts').click()")
        browser.press("2")
        assert browser.run(pressed) == "all"
        browser.run("[...document.querySelectorAll('.sortable')].at(-1).tHead.rows[0].cells[4].firstChild.click()")
        order = "[...[...document.querySelectorAll('.sortable')].at(-1).tBodies[0].rows].map(r => r.cells[4].dataset.v)"
        found = list(map(float, browser.run(order)))
        assert found == sorted(found, reverse=True)
        assert browser.messages == []


@pytest.mark.slow
def test_thousands_of_sentences_stay_usable(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    texts = [f"Sentence {i} says that the wind is rising over the bay." for i in range(MAX_SENTENCES)]
    page.write_text(page_of(article(*texts)), encoding="utf-8")
    with Browser() as browser:
        browser.open(page)
        took = browser.run(
            "(() => {const t = performance.now(); document.querySelector('[data-frame=\"0\"]').click(); "
            "document.body.getBoundingClientRect(); return performance.now() - t})()"
        )
        assert took < 2_000
        assert browser.messages == []


def test_the_examples_of_the_codebook_have_names() -> None:
    assert initials(read_codebook(ROOT / "datasets/codebook.toml")) == ["WC", "RS", "BON"]

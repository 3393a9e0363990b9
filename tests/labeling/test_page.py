"""The page in Chromium, by keyboard alone: from articles to a codebook, labels, a conflict, a ruling and a model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from classifier.labeling.ledger import Ledger
from classifier.labeling.store import Project
from tests.browser import Browser
from tests.labeling.conftest import ANSWERS
from tests.labeling.serving import Client, serving, wait_for, write_articles
from tests.labeling.test_server import HOSTILE, label

pytest.importorskip("starlette", reason="comes with the extra 'label'")
pytest.importorskip("uvicorn", reason="comes with the extra 'label'")

SHOWN = "(document.querySelector('#text .at')?.textContent || '')"
STATE = "document.querySelector('#state').textContent"


def is_focused(browser: Browser, selector: str) -> bool:
    return bool(browser.run(f"document.activeElement === document.querySelector({selector!r})"))


def open_page(browser: Browser, address: str, **how: object) -> None:
    browser.open(address, **how)  # type: ignore[arg-type]
    browser.wait(f"!!({SHOWN}) || document.querySelector('#title').textContent === 'Everything is decided.'")


def tab_to(browser: Browser, selector: str) -> None:
    """Press Tab until an element is in focus."""
    for _ in range(60):
        if is_focused(browser, selector):
            return
        browser.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9, code="Tab")
        browser.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9, code="Tab")
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def decide(browser: Browser, *keys: str) -> None:
    before = browser.run("document.querySelector('#progress').textContent + " + SHOWN)
    for key in keys:
        browser.press(key)
    browser.press("Enter")
    browser.wait(f"{STATE} === 'Saved.' && document.querySelector('#progress').textContent + {SHOWN} !== {before!r}")


def keys_for(text: str) -> list[str]:
    return [{"flood": "1", "strike": "2"}[name] for name in ANSWERS[text]] or ["0"]


@pytest.mark.slow
def test_everything_by_keyboard(news: Path, tmp_path: Path, framing) -> None:
    arguments = (news, "--project", "coding.db", "--coder", "Ada", "--add-coder", "Ben", "--double-share", "1")
    with serving(*arguments, cwd=tmp_path, coders=2) as server, Browser() as browser:
        open_page(browser, server.addresses["Ada"])
        assert "token" not in browser.run("location.href")
        browser.press("b")
        browser.wait("document.querySelector('#codebook').open")
        browser.write("Flood")
        tab_to(browser, "[data-field=keywords]")
        browser.write("flood, river, rain")
        tab_to(browser, "#add-frame")
        browser.press("Enter")
        browser.write("Strik")
        browser.press("Enter")
        browser.wait("!document.querySelector('#codebook').open")
        # An edit of the codebook: a misspelt title.
        browser.press("b")
        browser.wait("document.querySelector('#codebook').open")
        tab_to(browser, ".book-frame:nth-child(2) [data-field=title]")
        browser.run("document.activeElement.select()")
        browser.write("Strike")
        tab_to(browser, ".book-frame:nth-child(2) [data-field=name]")
        browser.run("document.activeElement.select()")
        browser.write("strike")
        browser.press("Enter")
        browser.wait("!document.querySelector('#codebook').open")
        assert browser.run("[...document.querySelectorAll('.frame .name')].map(one => one.textContent)") == [
            *("Flood", "Strike", "No frame")
        ]
        # Nothing chosen is nothing saved.
        browser.press("Enter")
        browser.wait(f"{STATE} === 'Choose a frame, or 0 for none.'")
        for number in range(60):
            text = browser.run(SHOWN)
            if number == 4:
                browser.press("c")
                browser.write("not sure of this one")
                browser.press("Enter")
                browser.press("?")
            decide(browser, *keys_for(text))
        assert browser.run("document.querySelector('#title').textContent") == "Everything is decided."
        # Take back three and decide them again.
        for _ in range(3):
            browser.press("u")
            browser.wait(f"{STATE} === 'Taken back.'")
            browser.run("document.querySelector('#state').textContent = ''")
        for _ in range(3):  # frames are on as they were, none is to be said again
            decide(browser)
        # Go to a sentence, and decide it anew.
        browser.press("g")
        browser.wait("document.querySelector('#going').open")
        browser.write("swans have nested")
        browser.press("Enter")
        browser.wait(f"({SHOWN}).startsWith('Two swans')")
        assert browser.run("document.querySelector('#none').getAttribute('aria-pressed')") == "true"
        decide(browser, "0", "0")
        # A second coder disagrees once.
        open_page(browser, server.addresses["Ben"])
        for number in range(8):
            text = browser.run(SHOWN)
            decide(browser, *(keys_for(text) if number else (["0"] if ANSWERS[text] else ["1"])))
        assert browser.run("document.querySelector('#n-conflicts').textContent") == "1"
        open_page(browser, server.addresses["Ada"])
        browser.wait("document.querySelector('#agreed').textContent.includes('Strike')")
        browser.press("a")
        browser.wait("document.querySelectorAll('#figures-body td').length > 5")
        browser.press("Escape")
        browser.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", windowsVirtualKeyCode=27)
        browser.wait("!document.querySelector('#figures').open")
        browser.press("x")
        browser.wait("document.querySelectorAll('.vote').length === 2")
        assert browser.run("[...document.querySelectorAll('.vote .coder')].map(one => one.textContent)") == [
            "Ada",
            "Ben",
        ]
        browser.press("1")
        browser.wait("document.querySelector('#court-hint').textContent.startsWith('No conflicts')")
        browser.press("Escape")
        browser.wait("!document.querySelector('#desk').hidden")
        assert browser.messages == []
        assert {request.split("/")[2] for request in browser.requests} == {f"127.0.0.1:{server.port}"}
    with Project(tmp_path / "coding.db") as project:
        ledger = Ledger.of(project.events())
        assert len(ledger.rulings) == 1
        assert [ruling[0].coder for ruling in ledger.rulings.values()] == ["Ada"]
        found = {
            passage.text: ledger.names(ledger.finals[passage.sentence])
            for passage in project.passages(list(ledger.finals))
        }
        assert found == {text: names for text, names in ANSWERS.items() if text in found}
        assert len(found) >= 59
        assert [text for comments in ledger.comments.values() for text in comments.values()] == ["not sure of this one"]
        assert sum(decisions[-1].unsure for coders in ledger.decisions.values() for decisions in coders.values()) == 1
    trained = framing("train", "coding.db", "--output", "mine", "--folds", "3", "--quiet")
    assert trained.returncode == 0, trained.stderr
    (tmp_path / "new.txt").write_text("The river rose and rain fell on the flood wall.", encoding="utf-8")
    scored = framing("score", "new.txt", "--model", "mine", "--format", "csv")
    assert b",flood," in scored.stdout


def test_the_next_sentence_is_there_at_once(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, cwd=tmp_path) as server, Browser() as browser:
        open_page(browser, next(iter(server.addresses.values())))
        # Measured on the page: from the key to the sentence that is shown.
        browser.run(
            "window.waits = []; let since = 0;"
            "const timed = event => { if (event.key === 'Enter') since = performance.now(); };"
            "document.addEventListener('keydown', timed, true);"
            "new MutationObserver(() => { if (since) { waits.push(performance.now() - since); since = 0; } })"
            ".observe(document.querySelector('#text'), {childList: true});"
        )
        for _ in range(15):
            decide(browser, *keys_for(browser.run(SHOWN)))
        waits = browser.run("waits")
        assert len(waits) == 15
        assert sorted(waits)[7] < 50


def test_what_was_not_saved_is_said_and_kept(news: Path, codebook: Path, tmp_path: Path) -> None:
    with Browser() as browser:
        with serving(news, "--project", "coding.db", "--codebook", codebook, cwd=tmp_path) as server:
            open_page(browser, server.addresses["coder"])
            text = browser.run(SHOWN)
            server.kill()
            browser.press("1")
            browser.press("Enter")
            browser.wait(f"{STATE} === 'Not saved.'")
            assert browser.run(SHOWN) == text
            assert "Still running" in browser.run("document.querySelector('#error').textContent").replace(
                "still", "Still"
            )
            assert browser.run("document.querySelector('.frame').getAttribute('aria-pressed')") == "true"
        with serving("--project", "coding.db", cwd=tmp_path, port=server.port):
            browser.press("Enter")
            browser.wait(f"{STATE} === 'Saved.'")
            assert browser.run(SHOWN) != text
            browser.wait("document.querySelector('#error').hidden")
    with Project(tmp_path / "coding.db") as project:
        assert sum(event.kind == "label" for event in project.events()) == 1


def test_hostile_text_is_text(codebook: Path, tmp_path: Path) -> None:
    folder = write_articles(tmp_path / "news", [[text] for text in HOSTILE if "\x00" not in text])
    with (
        serving(folder, "--project", "coding.db", "--codebook", codebook, cwd=tmp_path) as server,
        Browser() as browser,
    ):
        open_page(browser, server.addresses["coder"])
        assert browser.run("document.querySelectorAll('#text script, #text img').length") == 0
        browser.press("b")
        browser.write("<img src=x onerror=alert(3)>")
        browser.press("Enter")
        browser.wait("!document.querySelector('#codebook').open")
        assert browser.run("document.querySelectorAll('#main img').length") == 0
        browser.press("c")
        browser.write("<img src=x onerror=alert(4)>")
        browser.press("Enter")
        decide(browser, "0")
        browser.press("g")
        browser.write("script")
        browser.press("Enter")
        browser.wait(f"{SHOWN}.includes('<script>alert(1)</script>')")
        assert browser.run("document.querySelectorAll('#text script, #text img').length") == 0
        assert browser.messages == []


@pytest.mark.slow
def test_a_second_look_after_the_decision(news: Path, codebook: Path, tmp_path: Path) -> None:
    arguments = (news, "--project", "coding.db", "--codebook", codebook, "--second-look", "--double-share", "0")
    with serving(*arguments, cwd=tmp_path) as server, Browser() as browser:
        client = Client(server, "coder")
        view = client.get("/api/view")
        for _ in range(25):
            view = label(client, view)
        wait_for(lambda: client.get("/api/changes")["progress"]["f1"])
        open_page(browser, server.addresses["coder"])
        assert browser.run("document.querySelector('#look').hidden")
        for _ in range(30):
            text = browser.run(SHOWN)
            decide(browser, "0" if ANSWERS[text] else "1")  # wrong on purpose
            browser.run("new Promise(done => setTimeout(done, 300))")
            if not browser.run("document.querySelector('#look').hidden"):
                break
        assert text in browser.run("document.querySelector('#look').textContent")
        browser.press("r")
        browser.wait(f"{SHOWN} === {text!r}")
        for key in [*(["1"] if not ANSWERS[text] else []), *keys_for(text)]:
            browser.press(key)
        browser.press("Enter")
        browser.wait(f"{STATE} === 'Saved.'")
    with Project(tmp_path / "coding.db") as project:
        looked = [event for event in project.events() if event.kind == "label" and event.value.get("looked")]
        assert len(looked) == 1
        ledger = Ledger.of(project.events())
        number = looked[0].sentence or 0
        assert sorted(ledger.names(ledger.votes(number)["coder"])) == sorted(ANSWERS[text])
        assert ledger.votes(number, blind=True)["coder"] != ledger.votes(number)["coder"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_it_fits_and_is_named(news: Path, codebook: Path, tmp_path: Path, width: int, height: int, dark: bool) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, cwd=tmp_path) as server, Browser() as browser:
        open_page(browser, server.addresses["coder"], width=width, height=height, dark=dark)
        browser.press("1")
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        unnamed = "[...document.querySelectorAll('button')].filter(one => !one.textContent.trim()).length"
        assert browser.run(unnamed) == 0
        assert is_focused(browser, "#text .at")
        assert browser.run("document.querySelector('#text .at').getAttribute('aria-current')") == "true"
        assert browser.run("document.querySelector('.frame').getAttribute('aria-pressed')") == "true"
        # What is decided with stays on the screen of a phone.
        assert browser.run("document.querySelector('#save').getBoundingClientRect().bottom <= innerHeight")
        if folder := os.environ.get("FRAMING_SCREENSHOTS"):
            browser.screenshot(Path(folder) / f"label-{width}-{'dark' if dark else 'light'}.png")

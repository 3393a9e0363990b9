"""The server: for people with a token, on this machine, and what it says is saved is."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from classifier.labeling.ledger import Ledger
from classifier.labeling.store import Project
from tests.labeling.conftest import ANSWERS
from tests.labeling.serving import Client, Server, free_port, serving, wait_for, write_articles

pytest.importorskip("starlette", reason="comes with the extra 'label'")
pytest.importorskip("uvicorn", reason="comes with the extra 'label'")


def frames_of(view: dict[str, Any], text: str) -> list[int]:
    return [frame["id"] for frame in view["codebook"]["frames"] if frame["name"] in ANSWERS[text]]


def text_of(item: dict[str, Any]) -> str:
    return next(text for number, text, *_ in item["around"] if number == item["sentence"])


def label(client: Client, view: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Label what is shown as it should be; return what is shown next."""
    item = view["item"]
    data = {"sentence": item["sentence"], "frames": frames_of(view, text_of(item)), "seen": view["seen"], **more}
    return client.post("/api/decide", data)


def test_it_goes_on_where_it_was(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = client.get("/api/view")
        assert [frame["name"] for frame in view["codebook"]["frames"]] == ["flood", "strike"]
        assert [frame["key"] for frame in view["codebook"]["frames"]] == ["1", "2"]
        for _ in range(7):
            view = label(client, view)
    assert not (tmp_path / "coding.db-wal").exists()
    address = server.addresses["Ada"]
    with serving("--project", "coding.db", cwd=tmp_path, port=server.port) as server:
        assert server.addresses["Ada"] == address
        again = Client(server, "Ada").get("/api/view")
        assert again["item"]["sentence"] == view["item"]["sentence"]
        assert again["next"]["sentence"] == view["next"]["sentence"]
        assert again["progress"]["labeled"] == 7
    with Project(tmp_path / "coding.db") as project:
        ledger = Ledger.of(project.events())
        for passage in project.passages(list(ledger.finals)):
            assert ledger.names(ledger.finals[passage.sentence]) == ANSWERS[passage.text]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_told_and_leaves_one_file(
    number: signal.Signals, news: Path, codebook: Path, tmp_path: Path
) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        label(client, client.get("/api/view"))
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
    assert not (tmp_path / "coding.db-wal").exists()
    assert "Traceback" not in server.errors.read_text()


def test_only_the_page_itself_gets_an_answer(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        own = {"Cookie": client.cookie}
        status, headers, _ = client.raw("GET", "/", headers=own)
        assert status == 200
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers
        assert client.raw("GET", "/")[0] == 401
        assert client.raw("GET", "/?token=guess")[0] == 401
        assert client.raw("GET", "/api/view")[0] == 401
        assert client.raw("GET", "/api/view", headers={"Cookie": client.cookie[:-1]})[0] == 401
        for host in (
            "evil.example",
            f"evil.example:{server.port}",
            "127.0.0.1",
            f"127.0.0.1:{server.port}.evil.example",
        ):
            assert client.raw("GET", "/api/view", headers={**own, "Host": host})[0] == 421, host
        assert client.raw("GET", "/api/view", headers={**own, "Host": f"localhost:{server.port}"})[0] == 200
        body = b'{"sentence": 1, "frames": []}'
        good = {**own, "Content-Type": "application/json", "Origin": f"http://127.0.0.1:{server.port}"}
        for wrong in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": f"http://127.0.0.1:{server.port + 1}"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert client.raw("POST", "/api/decide", body, {**good, **wrong})[0] == 403, wrong
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            assert client.raw("POST", "/api/decide", body, {**good, "Content-Type": kind})[0] == 415
        assert client.raw("DELETE", "/api/decide", headers=good)[0] == 405
        assert client.raw("GET", "/api/decide", headers=good)[0] == 405
        assert client.get("/api/view")["progress"]["labeled"] == 0
        assert client.raw("POST", "/api/decide", body, good)[0] == 200


def test_requests_are_bounded_and_malformed_ones_are_refused(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        headers = {"Cookie": client.cookie, "Content-Type": "application/json"}
        assert client.raw("POST", "/api/comment", b"x" * 600_000, headers)[0] == 413
        client.connection.close()
        with socket.create_connection(("127.0.0.1", server.port)) as raw:  # a body that does not say how long it is
            head = f"POST /api/comment HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {client.cookie}\r\n"
            raw.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            try:
                for _ in range(30):
                    raw.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            except OSError:
                pass  # it has heard enough
            assert b" 413 " in raw.recv(1000)
        assert client.ask(f"/api/goto?words={'x' * 3_000}")[0] == 414
        malformed: tuple[Any, ...] = (
            *([], "text", {}, {"sentence": "one"}, {"sentence": 1.5}, {"sentence": True}, {"sentence": 10**30}),
            *({"sentence": 0, "frames": []}, {"sentence": 10_000, "frames": []}, {"sentence": 1, "frames": [99]}),
            *({"sentence": 1, "frames": "1"}, {"sentence": 1, "frames": [None]}, {"sentence": 1, "comment": 3}),
            *({"sentence": 1, "comment": "x" * 5_000}, {"sentence": 1, "request": "x" * 200}),
        )
        for data in malformed:
            status, answer = client.ask("/api/decide", data)
            assert status == 400, data
            assert answer["error"]
        for body in (b"{bad", b"\xff", b"[" * 100_000):
            assert client.raw("POST", "/api/decide", body, headers)[0] == 400
        assert client.get("/api/view")["progress"]["labeled"] == 0
    assert "Traceback" not in server.errors.read_text()


def test_a_request_that_is_sent_again_is_recorded_once(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = client.get("/api/view")
        after = label(client, view, request="one")
        assert label(client, view, request="one")["seen"] == after["seen"]
        client.post("/api/undo", {"request": "two"})
        assert client.post("/api/undo", {"request": "two"})["progress"]["labeled"] == 0
    with Project(tmp_path / "coding.db") as project:
        assert [event.kind for event in project.events() if event.request] == ["label", "undo"]


def test_two_tabs_of_a_coder_stay_in_step(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        one, other = Client(server, "Ada"), Client(server, "Ada")
        view, old = one.get("/api/view"), other.get("/api/view")
        assert view["item"] == old["item"]
        view = label(one, view)
        assert other.get("/api/changes")["seen"] == view["seen"] != old["seen"]
        item = {"sentence": old["item"]["sentence"], "frames": [], "seen": old["seen"]}
        status, answer = other.ask("/api/decide", item)
        assert status == 409
        assert answer["view"]["item"] == view["item"]
        label(other, answer["view"])
        assert one.get("/api/view")["progress"]["labeled"] == 2


def test_any_number_of_decisions_is_taken_back(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = client.get("/api/view")
        shown = []
        for _ in range(9):
            shown.append(view["item"]["sentence"])
            view = label(client, view)
        for sentence in reversed(shown):
            view = client.post("/api/undo", {})
            assert view["undone"] == view["item"]["sentence"] == sentence
        assert client.post("/api/undo", {})["undone"] is None
        assert view["progress"]["labeled"] == 0
        for sentence in shown[:3]:  # they come again in their order
            assert view["item"]["sentence"] == sentence
            view = label(client, view)


def test_skipped_sentences_do_not_come_again(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = client.get("/api/view")
        seen = set()
        while view["item"]:
            assert view["item"]["sentence"] not in seen
            seen.add(view["item"]["sentence"])
            view = label(client, view, skip=len(seen) % 2 == 0, unsure=len(seen) % 3 == 0)
        assert len(seen) == 60
        assert view["progress"]["labeled"] == 30


def test_a_frame_made_later_is_asked_of_what_was_decided_before(news: Path, codebook: Path, tmp_path: Path) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = label(client, client.get("/api/view"))
        book = view["codebook"]
        frames = [*book["frames"], {"title": "Animals & plants"}]
        view = client.post(
            "/api/codebook", {"codebook": {"title": book["title"], "frames": frames}, "event": book["event"]}
        )
        assert [frame["name"] for frame in view["codebook"]["frames"]] == ["flood", "strike", "animals_plants"]
        assert view["progress"]["outdated"] == 1
        old = client.get("/api/outdated")["sentence"]
        again = client.get(f"/api/view?at={old}")
        assert again["item"]["decision"]
        assert label(client, again)["progress"]["outdated"] == 0
        status, answer = client.ask("/api/codebook", {"codebook": {"frames": frames}, "event": book["event"]})
        assert status == 409
        assert "edited the codebook meanwhile" in answer["error"]
        # A new name is the same frame: labels stay.
        renamed = [{**frame, "name": f"new_{frame['name']}"} for frame in view["codebook"]["frames"]]
        counts = view["progress"]["examples"]
        view = client.post("/api/codebook", {"codebook": {"frames": renamed}})
        assert view["progress"]["examples"] == counts
    written = (tmp_path / "coding.toml").read_text(encoding="utf-8")
    assert 'name = "new_animals_plants"' in written
    assert 'example = "The river burst its banks."' in written


HOSTILE = [
    "<script>alert(1)</script> & <img src=x onerror=alert(2)>.",
    "A zero \x00 byte, an escape \x1b[2J, an override \u202egnp.exe.",
    '\'; DROP TABLE event; -- "quoted" \\ back.',
    "{{ 7 * 7 }} ${7 * 7} #{7 * 7}.",
    "שלום עולם.",
]


def test_hostile_articles_names_and_comments_are_text(codebook: Path, tmp_path: Path) -> None:
    folder = write_articles(tmp_path / "news", [[text] for text in HOSTILE])
    with serving(
        folder, "--project", "coding.db", "--codebook", codebook, "--coder", "<b>Eve<b>", cwd=tmp_path
    ) as server:
        client = Client(server, "<b>Eve<b>")
        shown = set()
        view = client.get("/api/view")
        while view["item"]:
            shown.add(text_of(view["item"]))
            data = {"sentence": view["item"]["sentence"], "frames": [], "comment": "\u202e<script>\x00"}
            view = client.post("/api/decide", data)
        assert HOSTILE[0] in shown
        assert not any("\x00" in text or "\x1b" in text or "\u202e" in text for text in shown)
    with Project(tmp_path / "coding.db") as project:
        ledger = Ledger.of(project.events())
        assert len(ledger.finals) == project.n_sentences
        assert set(ledger.comments[1].values()) == {"\u202e<script>\x00"}


def test_a_second_server_on_a_project_is_refused(news: Path, codebook: Path, tmp_path: Path, framing) -> None:
    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        second = framing("label", "--project", "coding.db", "--port", free_port())
        assert second.returncode == 2
        assert b"in use by another framing label" in second.stderr
        taken = framing("label", news, "--project", "other.db", "--port", server.port)
        assert taken.returncode == 2
        assert b"choose another with --port" in taken.stderr


def test_open_to_a_team_says_what_that_opens(news: Path, codebook: Path, tmp_path: Path) -> None:
    arguments = (news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", "--add-coder", "Ben")
    with serving(*arguments, "--host", "0.0.0.0", cwd=tmp_path, coders=2) as server:
        assert set(server.addresses) == {"Ada", "Ben"}
        assert server.token("Ada") != server.token("Ben")
        client = Client(server, "Ben")
        assert client.get("/api/view")["coder"] == "Ben"
        assert client.raw("GET", "/api/view", headers={"Host": f"evil.example:{server.port}"})[0] == 421
        wait_for(lambda: "nothing is encrypted" in server.errors.read_text())


def test_blind_two_coders_disagree_and_a_ruling_decides(news: Path, codebook: Path, tmp_path: Path, framing) -> None:
    arguments = (news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", "--add-coder", "Ben")
    with serving(*arguments, "--double-share", "1", cwd=tmp_path, coders=2) as server:
        ada, ben = Client(server, "Ada"), Client(server, "Ben")
        view = ada.get("/api/view")
        first = {}
        for _ in range(20):
            first[view["item"]["sentence"]] = frames_of(view, text_of(view["item"]))
            view = label(ada, view)
        view = ben.get("/api/view")
        order: list[int] = []
        wrong = 0
        while view["item"] and len(order) < 60:
            item = view["item"]
            order.append(item["sentence"])
            assert item["decision"] is None
            assert all(number in order for number, *_, marks in item["around"] if marks is not None)
            frames = frames_of(view, text_of(item))
            if item["sentence"] in first and wrong < 3:
                frames, wrong = [number for number in (1, 2) if number not in frames], wrong + 1
            view = ben.post("/api/decide", {"sentence": item["sentence"], "frames": frames, "comment": "why"})
        doubled = [number for number in order if number in first]
        assert len(doubled) == 20
        assert doubled != sorted(doubled)
        assert view["progress"]["conflicts"] == 3
        rows = ada.get("/api/agreement")["rows"]
        assert [row["name"] for row in rows] == ["flood", "strike", "label sets"]
        for row in rows:
            assert row["n"] == 20
            assert row["alpha"]["low"] <= row["alpha"]["value"] <= row["alpha"]["high"] < 1.001
        cases = ada.get("/api/conflicts")["conflicts"]
        assert {vote["coder"] for vote in cases[0]["votes"]} == {"Ada", "Ben"}
        assert cases[0]["votes"][1]["comment"] == "why"
        sentence = cases[0]["sentence"]
        left = ada.post("/api/rule", {"sentence": sentence, "frames": first[sentence]})["conflicts"]
        assert len(left) == 2
        assert ada.post("/api/undo_ruling", {})["undone"] == sentence
        ada.post("/api/rule", {"sentence": sentence, "frames": first[sentence]})
    agree = framing("agree", "coding.db", "--merged", "merged.csv", "--conflicts", "conflicts.csv")
    assert agree.returncode == 0, agree.stderr
    assert len((tmp_path / "conflicts.csv").read_text().splitlines()) == 3
    convert = framing("convert", "coding.db", "labels.csv")
    assert b"2 sentences whose coders disagree" in convert.stderr
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    assert "ruled_by" in lines[0]
    assert sum(line.endswith("Ada") or ",Ada," in line for line in lines) >= 1


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_what_was_acknowledged_survives_sigkill(kills: int, news: Path, codebook: Path, tmp_path: Path) -> None:
    rng = random.Random(kills)
    acknowledged: dict[str, tuple[int, list[int]]] = {}
    sent: dict[str, tuple[int, list[int]]] = {}
    sources: tuple[object, ...] = (news, "--codebook", codebook, "--coder", "Ada")
    for _ in range(kills):
        server = Server(*sources, "--project", "coding.db", cwd=tmp_path)
        sources = ()
        client = Client(server, "Ada")
        end = time.monotonic() + rng.uniform(0.02, 0.4)
        killer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import time, os, signal; time.sleep({end - time.monotonic()}); "
                f"os.kill({server.process.pid}, signal.SIGKILL)",
            ]
        )
        try:
            while True:
                sentence = rng.randint(1, 60)
                frames = sorted(rng.sample([1, 2], rng.randint(0, 2)))
                request = f"{len(sent)}"
                sent[request] = sentence, frames
                data = {"sentence": sentence, "frames": frames, "request": request}
                if client.ask("/api/decide", data)[0] == 200:
                    acknowledged[request] = sentence, frames
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass
        killer.wait()
        server.stop()
        assert server.process.returncode == -9
        db = sqlite3.connect(tmp_path / "coding.db")
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
    with Project(tmp_path / "coding.db") as project:
        events = [event for event in project.events() if event.kind == "label"]
    found: dict[str, tuple[int | None, list[int]]] = {
        str(event.request).partition("/")[2]: (event.sentence, event.value["frames"]) for event in events
    }
    assert len(found) == len(events)  # none doubled
    assert len(acknowledged) > kills
    for request, given in acknowledged.items():
        assert found[request] == given
    for request, kept in found.items():
        assert sent[request] == kept


def test_without_articles_or_with_a_wrong_codebook_it_says_what_to_do(tmp_path: Path, news: Path, framing) -> None:
    for arguments, message in (
        (("--project", "coding.db"), b"name articles to make one"),
        ((news, "--project", "coding.db", "--codebook", "no.toml"), b"there is no such codebook"),
        (("nowhere", "--project", "coding.db"), b"nowhere"),
        ((news, "--project", "coding.db", "--coder", "a|b"), b"cannot be a coder's name"),
        ((news, "--project", "coding.db", "--host", "192.0.2.1"), b"cannot listen"),
    ):
        done = framing("label", *arguments, "--port", free_port())
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
def test_a_full_disk_is_said_by_the_server_and_nothing_is_lost(news: Path, codebook: Path, tmp_path: Path) -> None:
    import resource

    with serving(news, "--project", "coding.db", "--codebook", codebook, "--coder", "Ada", cwd=tmp_path) as server:
        client = Client(server, "Ada")
        view = label(client, client.get("/api/view"))
        size = (tmp_path / "coding.db-wal").stat().st_size
        before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, -1))
        item = view["item"]
        data = {"sentence": item["sentence"], "frames": [], "request": "one", "seen": view["seen"]}
        status, answer = client.ask("/api/decide", data)
        assert status == 507
        assert "disk is full or cannot be written" in answer["error"]
        assert client.get("/api/changes")["progress"]["labeled"] == 1
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)
        assert client.post("/api/decide", data)["progress"]["labeled"] == 2
    with Project(tmp_path / "coding.db") as project:
        assert len(Ledger.of(project.events()).finals) == 2


def test_an_import_that_was_killed_goes_on(codebook: Path, tmp_path: Path, framing) -> None:
    source = tmp_path / "many.jsonl"
    with source.open("w", encoding="utf-8") as stream:
        for number in range(6_000):
            text = "\n".join(f"Sentence {i} of article {number}." for i in range(10))
            stream.write(json.dumps({"id": str(number), "text": text}) + "\n")
    command = [
        sys.executable,
        "-m",
        "classifier",
        "label",
        str(source),
        "--project",
        "coding.db",
        "--port",
        str(free_port()),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (tmp_path / "coding.db-wal").exists() and (tmp_path / "coding.db-wal").stat().st_size > 500_000)
    process.kill()
    process.wait()
    with serving(source, "--project", "coding.db", "--codebook", codebook, cwd=tmp_path) as server:
        progress = Client(server, "coder").get("/api/view")["progress"]
        assert progress["sentences"] == 60_000
    db = sqlite3.connect(tmp_path / "coding.db")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*), count(DISTINCT digest) FROM article").fetchone() == (6_000, 6_000)
    assert db.execute("SELECT count(*), max(id) FROM sentence").fetchone() == (60_000, 60_000)
    db.close()

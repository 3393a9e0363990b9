"""Articles read from files, folders and standard input; a sentence where they cannot be."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Article, InputError, read_articles
from classifier.articles.decoding import decode


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "article.txt"
    path.write_bytes("Rain fell.\r\nThe river rose.\rПаводок.\n".encode())
    assert list(read_articles([path])) == [Article(str(path), "Rain fell.\nThe river rose.\nПаводок.\n")]


def test_files_come_in_the_order_asked(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.txt", "a.txt", "c.txt")]
    for path in paths:
        path.write_text(path.name, encoding="utf-8")
    assert [article.text for article in read_articles(paths)] == ["b.txt", "a.txt", "c.txt"]


def test_a_folder_is_walked_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.TXT", "a/y.md", "c.dat", "d.txt/inner.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name, encoding="utf-8")
    assert [article.text for article in read_articles([tmp_path])] == ["a/y.md", "a/z.TXT", "b.txt", "d.txt/inner.txt"]


def test_a_file_of_any_name_is_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "article.dat"
    path.write_text("Rain fell.", encoding="utf-8")
    assert next(read_articles([str(path)])).text == "Rain fell."


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Дождь.\r\n".encode())))
    assert list(read_articles(["-"])) == [Article("-", "Дождь.\n")]


def test_articles_are_read_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("One.", encoding="utf-8")
    articles = read_articles([tmp_path / "one.txt", tmp_path / "missing.txt"])
    assert next(articles).text == "One."
    with pytest.raises(InputError, match=r"missing\.txt"):
        next(articles)


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_file_name_that_is_not_utf8_still_names_its_article(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/n\xe9.txt"
    with open(name, "wb") as stream:  # noqa: PTH123 (bytes, not str)
        stream.write(b"Rain fell.")
    article = next(read_articles([tmp_path]))
    assert article.text == "Rain fell."
    assert article.source.encode("utf-8").endswith("n\ufffd.txt".encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_utf8_and_whatever_a_byte_order_mark_announces(encoding: str, text: str) -> None:
    if encoding == "utf-8" and text.startswith("\ufeff"):
        text = "x" + text
    assert decode(text.encode(encoding), encoding if encoding == "utf-8" else None)[0] == text


def test_a_byte_that_is_not_what_a_byte_order_mark_announced_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    data = b"\xef\xbb\xbfRain.\nrivi\xe8re\n"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        list(read_articles([path]))
    assert str(path) in str(caught.value)
    assert "line 2" in str(caught.value)
    assert f"byte 0xe8 at {data.index(0xE8)}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("binary.txt", b"\x7fELF\0\0\1", "binary"),
        ("half.txt", b"\xff\xfea", "UTF-16"),
    ],
)
def test_what_is_not_text_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_articles([tmp_path / name]))


def test_a_folder_without_articles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no articles"):
        list(read_articles([tmp_path]))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        list(read_articles([tmp_path / "missing.txt"]))

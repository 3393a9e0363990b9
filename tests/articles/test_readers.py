"""Every format gives the same sentences, with what it knows about them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Article, InputError, read_articles
from classifier.articles import FORMATS, Fault, Limits, ReadOptions
from classifier.articles.decoding import decode
from classifier.articles.formats import SUFFIXES
from classifier.articles.lines import JsonValues, bounded_lines
from classifier.cli.reading import FORMATS as OPTION_FORMATS
from tests.articles import samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_all(tmp_path_factory.mktemp("news") / "all")


def read_one(path: Path, **options: object) -> Article:
    (article,) = read_articles([path], ReadOptions(**options))  # type: ignore[arg-type]
    return article


def faults_of(path: Path, **options: object) -> list[Fault]:
    faults: list[Fault] = []
    list(read_articles([path], ReadOptions(**options), on_fault=faults.append))  # type: ignore[arg-type]
    return faults


def test_every_format_gives_both_texts(folder: Path) -> None:
    found: dict[str, str] = {}
    for article in read_articles([folder], jobs=2):
        name = Path(article.source.removeprefix(str(folder))).parts[1]
        found[name] = found.get(name, "") + "\n\n" + article.text
    assert sorted(found) == sorted(samples.everything())
    for name, text in found.items():
        for sentence in samples.TEXTS:
            assert sentence in text, name
        assert "Cookie" not in text and "Television" not in text and "code" not in text


@pytest.mark.parametrize("name", ["h.jsonl", "i.json", "j.parquet", "k.arrow", "l.jsonl.gz", "m.jsonl.zst"])
def test_records_bring_their_metadata(folder: Path, name: str) -> None:
    articles = list(read_articles([folder / name], ReadOptions(keep=("meta.p", "headline"))))
    assert [(a.id, a.title, a.date, a.outlet, a.metadata) for a in articles] == [
        (r["id"], r["headline"], r["date"], "wire", {"meta.p": i, "headline": r["headline"]})
        for i, r in enumerate(samples.RECORDS)
    ]


def test_a_page_brings_its_metadata(folder: Path) -> None:
    page = read_one(folder / "c.html", keep=("author", "nothing"))
    assert (page.title, page.date, page.outlet) == ("Talks in the valley", "2021-05-24", "The Wire")
    assert page.metadata == {"author": "Ann Reporter", "nothing": None}


def test_documents_bring_title_and_date(folder: Path) -> None:
    assert (read_one(folder / "d.pdf").title, read_one(folder / "d.pdf").date) == ("Minutes", "2021-05-03")
    assert read_one(folder / "e.docx").title == "Minutes"
    assert read_one(folder / "b.md").title == "Minutes"


def test_markdown_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: 'News'\ndate: 2021-05-01\nbeat: city\n---\nRain [fell](x).\n", encoding="utf-8")
    article = read_one(path, keep=("beat",))
    assert (article.title, article.date, article.text) == ("News", "2021-05-01", "Rain fell.")
    assert article.metadata == {"beat": "city"}


@pytest.mark.parametrize("name", ["c.html", "d.pdf", "h.jsonl", "l.jsonl.gz", "n.zip", "j.parquet"])
def test_content_tells_the_format_where_the_name_does_not(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "nameless").write_bytes((folder / name).read_bytes())
    texts = " ".join(article.text for article in read_articles([tmp_path / "nameless"]))
    assert samples.TEXTS[0] in texts and "<p>" not in texts and '"body"' not in texts


def test_the_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>No page, only text.</p>", encoding="utf-8")
    assert read_one(path, input_format="text").text == "<p>No page, only text.</p>"


def test_the_options_list_every_format() -> None:
    assert set(OPTION_FORMATS) == set(FORMATS) == set(SUFFIXES.values())


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"total": 2, "items": samples.RECORDS}),
        json.dumps(samples.RECORDS, indent=2),
        "\n".join(json.dumps(record, indent=1) for record in samples.RECORDS),
        json.dumps(samples.RECORDS[0]) + json.dumps(samples.RECORDS[1]),
    ],
)
def test_json_in_every_shape(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    assert [article.text for article in read_articles([tmp_path / "a.json"])] == samples.TEXTS


def test_a_dotted_path_leads_to_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"article": {"parts": ["One.", "Two."]}}\n', encoding="utf-8")
    assert read_one(tmp_path / "a.jsonl", text="article.parts").text == "One.\n\nTwo."
    assert read_one(tmp_path / "a.jsonl", text="article.parts.1").text == "Two."


def test_a_record_without_id_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\n{"text": "One."}\n', encoding="utf-8")
    assert read_one(tmp_path / "a.jsonl").id == "2"


def test_bad_lines_and_rows_hide_no_good_ones(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "One."}\n{bad\n[]\n{"n": 1}\n{"text": 5}\n\xff\n{"text": "Two."}\n')
    (tmp_path / "b.csv").write_bytes(b'text,n\nOne.,1\nshort\n"Tw\xff.",2\n"a\nb",3\nF\xc3\xbc\xc3\xbcnf.,4\n')
    faults: list[Fault] = []
    texts = [article.text for article in read_articles([tmp_path], on_fault=faults.append)]
    assert texts == ["One.", "Two.", "One.", "a\nb", "Füünf."]
    places = [fault.place for fault in faults]
    assert places == ["line 2", "line 3", "line 4", "line 5", "line 6", "line 3", "line 4"]


def test_a_table_without_a_text_column_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 50, encoding="utf-8")
    (fault,) = faults_of(tmp_path / "a.csv")
    assert "'x', 'y'" in fault.reason and "--text-column" in fault.reason


RUSSIAN = "Переговоры прошли в Минске. Стороны обсудили кредит и поставки нефти, сообщило агентство."


@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "cp866"])
def test_legacy_encodings_are_guessed_and_said(tmp_path: Path, encoding: str) -> None:
    for name, content in (
        ("a.txt", RUSSIAN),
        ("b.csv", f"id,text\n1,{RUSSIAN}\n"),
        ("c.html", f"<html><p>{RUSSIAN * 4}"),
    ):
        (tmp_path / name).write_bytes(content.replace(",", ";", 0).encode(encoding))
    articles = list(read_articles([tmp_path / "a.txt", tmp_path / "c.html"]))
    assert all(RUSSIAN in article.text and article.encoding == encoding for article in articles)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json", "a.html"])
def test_unicode_is_never_a_guess(tmp_path: Path, name: str, encoding: str) -> None:
    content = {
        "a.txt": RUSSIAN,
        "a.csv": f'text\n"{RUSSIAN}"\n',
        "a.jsonl": json.dumps({"text": RUSSIAN}, ensure_ascii=False) + "\n",
        "a.json": json.dumps([{"text": RUSSIAN}], ensure_ascii=False),
        "a.html": f"<html><body><p>{RUSSIAN}</p><p>{RUSSIAN}</p></body></html>",
    }[name]
    (tmp_path / name).write_bytes(content.encode(encoding))
    article = read_one(tmp_path / name)
    assert RUSSIAN in article.text and article.encoding is None


def test_a_page_in_the_encoding_it_declares(tmp_path: Path) -> None:
    page = f'<html><head><meta charset="windows-1251"></head><body><p>{RUSSIAN}</p><p>{RUSSIAN}</p></body></html>'
    (tmp_path / "a.html").write_bytes(page.encode("cp1251"))
    article = read_one(tmp_path / "a.html")
    assert RUSSIAN in article.text and article.encoding is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"https://example.org/a\nhttps://example.org/b\n", "not fetched"),
        ("a.txt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office"),
        ("a.txt", b"{\\rtf1 Rain.}", "RTF"),
        ("a.pdf", b"Rain.", "not what its name promises"),
        ("a.docx", samples.zipped({"word/document.xml": b"<broken"}), "not a DOCX"),
        ("a.docx", samples.zipped({"xl/workbook.xml": b""}), "spreadsheet"),
        ("a.json", b'[{"text": "One."}', "cut short"),
        ("a.json", b"", "not JSON"),
        ("a.csv", b"", "empty"),
        ("a.parquet", b"PAR1" + bytes(50), "not a Parquet file"),
        ("a.jsonl.gz", samples.everything()["l.jsonl.gz"][:-9], "cut short"),
        ("a.zip", samples.everything()["n.zip"][:60], "not a ZIP"),
        ("a.pdf", samples.pdf([]), "without text"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    fault = faults_of(tmp_path / name)[-1]
    assert reason in fault.reason
    assert fault.source == str(tmp_path / name)


def test_web_addresses_and_patterns(folder: Path) -> None:
    with pytest.raises(InputError, match="not fetched"):
        list(read_articles(["https://example.org/a.html"]))
    with pytest.raises(InputError, match="no file matches"):
        list(read_articles([folder / "*.nothing"]))
    assert len(list(read_articles([folder / "[ab].*"]))) == 2


def test_hidden_files_links_and_other_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.", encoding="utf-8")
    (tmp_path / ".b.txt").write_text("Hidden.", encoding="utf-8")
    (tmp_path / "c.png").write_bytes(b"")
    (tmp_path / "d.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [article.text for article in read_articles([tmp_path])] == ["One."]


@given(st.lists(st.binary(max_size=30), max_size=6), st.integers(1, 20))
def test_lines_are_those_of_the_file_or_too_long(lines: list[bytes], limit: int) -> None:
    data = b"\n".join(line.replace(b"\n", b"") for line in lines)
    expected = [line if len(line) <= limit else None for line in data.split(b"\n")]
    found = [line if line is None else line.rstrip(b"\n") for line in bounded_lines(io.BytesIO(data), limit)]
    # A line of exactly the limit is still whole; its line end does not count.
    assert found == (expected if expected[-1] != b"" else expected[:-1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=5), st.sampled_from([None, 1]), st.integers(1, 7))
def test_json_values_are_cut_where_a_parser_would(values: list[object], indent: int | None, chunk: int) -> None:
    class Slow(io.BytesIO):
        """Gives few bytes at a time, so that every boundary falls everywhere."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(chunk if size is None or size < 0 else min(chunk, size))

    data = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    found = [json.loads(value.decode("utf-8", "surrogatepass")) for value in JsonValues(Slow(data), 1 << 20) if value]
    assert found == values


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-16", "cp1251", "cp1252", "gb18030"]))
def test_decoding_is_right_or_says_that_it_guessed(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    try:
        found, guessed = decode(data)
    except InputError:
        return
    expected = data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    assert found == expected or guessed is not None or _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data[:1] in b"\xff\xfe" or b"\0" in data
    return True


def test_a_missing_library_is_named_with_the_command_that_installs_it(folder: Path, tmp_path: Path) -> None:
    # A stand-in that cannot be imported, found before the real one.
    for library in ("trafilatura", "pypdf", "docx", "backports"):
        (tmp_path / f"{library}.py").write_text("raise ImportError\n", encoding="utf-8")
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from classifier import read_articles
read = lambda path: list(read_articles([path], on_fault=lambda fault: print(fault.reason)))
for name in sys.argv[2:]:
    read(name)
"""
    paths = [str(folder / name) for name in ("c.html", "d.pdf", "e.docx", "m.jsonl.zst")]
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path), *paths], capture_output=True, text=True)
    assert [line.split("pip install ")[-1] for line in done.stdout.splitlines()] == [
        f"'framing-classifier[{extra}]'." for extra in ("html", "pdf", "docx", "zst")
    ]


@pytest.mark.parametrize("start", [1, 4, 9, 14])
def test_any_number_of_items_can_be_skipped(folder: Path, start: int) -> None:
    from classifier.articles import ItemStream

    whole = list(ItemStream([folder]))
    rest = list(ItemStream([folder], start=start))
    assert [item.key for item in rest] == [item.key for item in whole]
    assert [item.content for item in rest[start:]] == [item.content for item in whole[start:]]


def test_limits_hold_for_every_article(folder: Path) -> None:
    limits = Limits(article_bytes=20, document_bytes=10_000_000)
    assert list(read_articles([folder], ReadOptions(limits=limits), on_fault=lambda fault: None)) == []

"""Files made to do harm cost a bounded amount and become faults; what is beside them is read all the same."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from classifier import Article, read_articles
from classifier.articles import Fault, Limits, ReadOptions
from classifier.scoring.score import MAX_SENTENCE, sentences_of
from tests.articles import samples

MIB = 1 << 20


def read(path: Path, **limits: float) -> tuple[list[Article], list[Fault]]:
    faults: list[Fault] = []
    options = ReadOptions(limits=Limits(**limits))  # type: ignore[arg-type]
    return list(read_articles([path], options, on_fault=faults.append)), faults


def only_fault(path: Path, **limits: float) -> str:
    articles, faults = read(path, **limits)
    assert articles == []
    (fault,) = faults
    return fault.reason


def bomb(size: int) -> bytes:
    """So many letters, in a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"a" * MIB
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


def test_a_gzip_bomb(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(bomb(200 * MIB))
    assert "--max-article-bytes" in only_fault(tmp_path / "a.jsonl.gz", expansion=10_000)
    assert "--max-expansion" in only_fault(tmp_path / "a.jsonl.gz", article_bytes=1 << 40)


def test_a_zstandard_bomb(tmp_path: Path) -> None:
    from tests.articles.zst import zstd

    (tmp_path / "a.txt.zst").write_bytes(zstd.compress(b"a" * (100 * MIB)))
    assert "--max-expansion" in only_fault(tmp_path / "a.txt.zst", article_bytes=1 << 40)


def test_a_zip_whose_members_share_their_bytes_has_one_bound(tmp_path: Path) -> None:
    files = {f"{i}.txt": b" " * (10 * MIB) for i in range(10)}
    (tmp_path / "a.zip").write_bytes(samples.zipped(files))
    articles, faults = read(tmp_path / "a.zip")
    assert len(articles) < 10
    assert "--max-expansion" in faults[0].reason


def test_archives_within_archives(tmp_path: Path) -> None:
    data = samples.BODY.encode()
    for i in range(6):
        data = samples.zipped({f"{i}.zip" if i else "a.txt": data})
    (tmp_path / "a.zip").write_bytes(data)
    assert "one within the other" in only_fault(tmp_path / "a.zip")


def test_an_archive_of_too_many_files(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(samples.zipped({f"{i}.txt": b"" for i in range(20)}))
    assert "--max-members" in only_fault(tmp_path / "a.zip", members=10)


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "x/../../out.txt", "C:/out.txt", "..\\out.txt"])
def test_names_that_lead_out_of_an_archive(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.zip").write_bytes(samples.zipped({name: b"Out.", "in.txt": b"In."}))
    articles, faults = read(inner / "a.zip")
    assert [article.text for article in articles] == ["In."]
    assert "leads out" in faults[0].reason
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a.zip", "inner"]


def test_an_encrypted_member(tmp_path: Path) -> None:
    data = bytearray(samples.zipped({"a.txt": b"One.", "b.txt": b"Two."}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    articles, faults = read(tmp_path / "a.zip")
    assert ([article.text for article in articles], len(faults)) == (["Two."], 1)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_whose_expansion_cannot_be_bounded(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.txt", b" " * MIB)
        archive.writestr("b.txt", b"Two.", zipfile.ZIP_DEFLATED)
    articles, faults = read(tmp_path / "a.zip")
    assert [article.text for article in articles] == ["Two."]
    assert "Deflate" in faults[0].reason


@pytest.mark.parametrize("nest", ["[", '{"a":'])
def test_json_nested_a_million_deep(tmp_path: Path, nest: str) -> None:
    deep = nest * 1_000_000
    (tmp_path / "a.jsonl").write_text(f'{{"text": {deep}\n{{"text": "One."}}\n', encoding="utf-8")
    (tmp_path / "b.json").write_text(f'[{deep}, {{"text": "Two."}}]', encoding="utf-8")
    articles, faults = read(tmp_path)
    assert [article.text for article in articles] == ["One."]
    assert len(faults) == 2


def test_a_kept_field_that_is_nested_deeply(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"text": "One.", "x": {"[" * 900}{"]" * 900}}}\n', encoding="utf-8")
    faults: list[Fault] = []
    assert list(read_articles([tmp_path / "a.jsonl"], ReadOptions(keep=("x",)), on_fault=faults.append)) == []
    assert "nested too deeply" in faults[0].reason


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(10))
    + "]>"
)


def test_a_billion_laughs_in_a_page_and_in_a_document(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(LAUGHS + f"<html><body><p>&k;</p><p>{samples.BODY}</p></body></html>")
    with zipfile.ZipFile(io.BytesIO(samples.docx_bytes())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["word/document.xml"] = (LAUGHS + "<document>&k;</document>").encode()
    (tmp_path / "b.docx").write_bytes(samples.zipped(files))
    before = time.monotonic()
    articles, faults = read(tmp_path)
    assert time.monotonic() - before < 20
    assert sum(len(article.text) for article in articles) < 10_000
    assert Path(faults[-1].source).name == "b.docx"


def test_an_entity_that_names_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("swordfish", encoding="utf-8")
    entity = f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]>'
    (tmp_path / "a.html").write_text(f"{entity}<html><body><p>&s;</p><p>{samples.BODY}</p></body></html>")
    with zipfile.ZipFile(io.BytesIO(samples.docx_bytes())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    document = files["word/document.xml"].decode()
    head, _, rest = document.partition("?>")
    files["word/document.xml"] = f"{head}?>{entity}{rest.replace(samples.TEXTS[0], '&s;')}".encode()
    (tmp_path / "b.docx").write_bytes(samples.zipped(files))
    articles, _ = read(tmp_path)
    assert "swordfish" not in " ".join(article.text for article in articles)


def test_a_pdf_whose_pages_hold_each_other(tmp_path: Path) -> None:
    data = samples.pdf(samples.TEXTS).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")
    (tmp_path / "a.pdf").write_bytes(data)
    before = time.monotonic()
    articles, faults = read(tmp_path / "a.pdf", seconds=5)
    assert time.monotonic() - before < 20
    assert len(articles) + len(faults) == 1


def test_a_page_of_deeply_nested_elements(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(f"<html><body>{'<div>' * 100_000}{samples.BODY}", encoding="utf-8")
    (tmp_path / "b.txt").write_text("One.", encoding="utf-8")
    articles, _ = read(tmp_path, seconds=20)
    assert articles[-1].text == "One."


def test_a_parser_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    # Nested emphasis and links keep a Markdown parser busy for longer than it is given here.
    (tmp_path / "a.md").write_text("*a **a " * 30_000 + "[" * 50_000, encoding="utf-8")
    (tmp_path / "b.md").write_text("One.", encoding="utf-8")
    articles, faults = read(tmp_path, seconds=0.5)
    assert [article.text for article in articles] == ["One."]
    assert "--max-seconds" in faults[0].reason


def test_a_parser_that_asks_for_too_much_memory_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(f"<html><body>{'<p>word ' * 2_000_000}", encoding="utf-8")
    (tmp_path / "b.md").write_text("One.", encoding="utf-8")
    articles, faults = read(tmp_path, memory=300 * MIB)
    assert ([article.text for article in articles], len(faults)) == (["One."], 1)


def test_one_line_of_many_megabytes(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as stream:
        stream.write(b'{"text": "')
        for _ in range(200):
            stream.write(b"a" * MIB)
        stream.write(b'"}\n{"text": "One."}\n')
    (tmp_path / "b.txt").write_bytes(b"a" * (20 * MIB))
    articles, faults = read(tmp_path)
    assert [article.text for article in articles] == ["One."]
    assert [fault.place for fault in faults] == ["line 1", None]


@pytest.mark.parametrize("unit", ["a", "(\"'", "a. ", "[1] ", "Dr. ", "?!\u202e", "\u0301", "😀"])
def test_splitting_takes_bounded_time_and_no_sentence_is_endless(unit: str) -> None:
    text = unit * (MIB // len(unit))
    before = time.monotonic()
    sentences = sentences_of(text)
    assert time.monotonic() - before < 20
    assert all(len(sentence.text) <= MAX_SENTENCE for sentence in sentences)
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in sentences)


def test_a_quotation_mark_that_never_closes(tmp_path: Path) -> None:
    rows = "".join(f"{i},Text {i}.\n" for i in range(200_000))
    (tmp_path / "a.csv").write_text(f'id,text\n0,"open\n{rows}', encoding="utf-8")
    articles, faults = read(tmp_path / "a.csv", article_bytes=1000)
    assert len(articles) > 199_000 and "quotation mark" in faults[0].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_pipes_and_links_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.txt").symlink_to("/dev/zero")
    (tmp_path / "c").symlink_to(tmp_path)
    (tmp_path / "d.txt").write_text("One.", encoding="utf-8")
    articles, faults = read(tmp_path)
    assert ([article.text for article in articles], faults) == (["One."], [])


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="an endless file")
def test_an_endless_file(tmp_path: Path) -> None:
    assert "binary" in only_fault(Path("/dev/zero")) or "larger" in only_fault(Path("/dev/zero"))


def test_a_folder_deeper_than_python_calls(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        current = here
        for _ in range(1200):
            os.mkdir("d", dir_fd=current)
            following = os.open("d", os.O_RDONLY, dir_fd=current)
            if current != here:
                os.close(current)
            current = following
        os.close(current)
    finally:
        os.close(here)
    (tmp_path / "z.txt").write_text("One.", encoding="utf-8")
    try:
        articles, _ = read(tmp_path)
    finally:
        # Python's own rmtree is one call a level, and would fail at the end of the session.
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert [article.text for article in articles] == ["One."]


def test_nothing_in_the_working_directory_is_imported(tmp_path: Path) -> None:
    for name in ("trafilatura", "pypdf", "orjson", "charset_normalizer", "sitecustomize", "json"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')\n", encoding="utf-8")
    (tmp_path / "a.html").write_text(samples.PAGE, encoding="utf-8")
    (tmp_path / "b.txt").write_bytes("Дождь идёт третий день, сообщили в городе.".encode("cp1251"))
    program = "import sys; sys.path[:] = [p for p in sys.path if p]; from classifier.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "score", "a.html", "b.txt", "--format", "jsonl"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["source"] for line in done.stdout.splitlines()] == ["a.html", "b.txt"]
    assert not (tmp_path / "imported").exists()


def test_a_parser_can_neither_write_nor_connect_nor_start_anything() -> None:
    program = """
import subprocess, socket, os, sys
from classifier.articles.isolation import _refuse
sys.addaudithook(_refuse)
for attempt in (
    lambda: open(os.devnull, "w"),
    lambda: subprocess.Popen(["true"]),
    lambda: os.system("true"),
    lambda: socket.socket().connect(("127.0.0.1", 9)),
    lambda: os.remove("x"),
):
    try:
        attempt()
    except PermissionError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["refused"] * 5


def test_a_gzip_of_much_real_text_is_no_bomb(tmp_path: Path) -> None:
    data = b"".join(json.dumps({"text": f"Sentence number {i} of the dump."}).encode() + b"\n" for i in range(100_000))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data, 1))
    articles, faults = read(tmp_path / "a.jsonl.gz")
    assert (len(articles), faults) == (100_000, [])

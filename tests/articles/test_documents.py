"""Documents as people have them: change marks, content controls, boxes, damaged metadata, invisible characters."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from classifier import Article, load_model, read_articles, score_article
from classifier.articles import Fault

docx = pytest.importorskip("docx")
pypdf = pytest.importorskip("pypdf")

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word(path: Path, *paragraphs: str) -> Path:
    """Write a Word document of paragraphs of XML."""
    from docx.oxml import parse_xml

    document = docx.Document()
    for paragraph in paragraphs:
        document.element.body.insert(len(document.element.body) - 1, parse_xml(paragraph))
    document.save(path)
    return path


def run(text: str, tag: str = "t") -> str:
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (run("The EU ") + f"<w:ins>{run('strongly condemned ')}</w:ins>" + run("it."), "The EU strongly condemned it."),
        (run("The EU ") + f"<w:del>{run('praised ', 'delText')}</w:del>" + run("left."), "The EU left."),
        (f"<w:moveTo>{run('Moved here.')}</w:moveTo>", "Moved here."),
        (run("Kept.") + f"<w:moveFrom>{run(' Moved away.')}</w:moveFrom>", "Kept."),
        (f"<w:sdt><w:sdtContent>{run('Chosen text.')}</w:sdtContent></w:sdt>", "Chosen text."),
        (f'<w:smartTag w:element="place">{run("Minsk")}</w:smartTag>' + run(" is calm."), "Minsk is calm."),
        (run("One") + "<w:r><w:tab/></w:r>" + run("two."), "One\ttwo."),
    ],
)
def test_what_a_word_document_says(tmp_path: Path, inside: str, said: str) -> None:
    (article,) = read_articles([word(tmp_path / "a.docx", f"<w:p {W}>{inside}</w:p>")])
    assert article.text == said


def test_content_controls_and_boxes_around_paragraphs(tmp_path: Path) -> None:
    block = f"<w:sdt {W}><w:sdtContent><w:p>{run('A controlled paragraph.')}</w:p></w:sdtContent></w:sdt>"
    box = (
        f"<w:p {W}><w:r><w:pict><w:txbxContent><w:p>{run('In a box.')}</w:p></w:txbxContent></w:pict></w:r>"
        f"{run('Around it.')}</w:p>"
    )
    (article,) = read_articles([word(tmp_path / "a.docx", block, box)])
    assert article.text.split("\n\n") == ["A controlled paragraph.", "Around it.", "In a box."]


def test_a_damaged_core_xml_is_no_fault(tmp_path: Path) -> None:
    source = word(tmp_path / "whole.docx", f"<w:p {W}>{run('The text is whole.')}</w:p>")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "a.docx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b"2013-12-23T", b"the day before") if name.endswith("core.xml") else data)
    faults: list[Fault] = []
    (article,) = read_articles([tmp_path / "a.docx"], on_fault=faults.append)
    assert (article.text, faults) == ("The text is whole.", [])


@pytest.mark.parametrize("date", ["D:20219945", "yesterday", "D:", "D:20210523120000+99'99'"])
def test_an_odd_date_in_a_pdf_is_no_fault(tmp_path: Path, date: str) -> None:
    from tests.articles.samples import pdf

    reader = pypdf.PdfReader(io.BytesIO(pdf(["The union met in Minsk."])))
    writer = pypdf.PdfWriter(clone_from=reader)
    writer.add_metadata({"/CreationDate": date, "/Title": "A title"})
    with (tmp_path / "a.pdf").open("wb") as stream:
        writer.write(stream)
    faults: list[Fault] = []
    (article,) = read_articles([tmp_path / "a.pdf"], on_fault=faults.append)
    assert faults == []
    assert article.text.strip()
    assert article.title == "A title"


@pytest.mark.parametrize("mark", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\u200e"])
def test_invisible_characters_change_no_score(mark: str) -> None:
    model = load_model()
    plain = "The European Union strongly condemned the arrests in Minsk."
    marked = plain.replace("condemned", f"con{mark}demned").replace("Minsk", f"Mi{mark}nsk")
    assert model.predict_proba([marked]).tolist() == model.predict_proba([plain]).tolist()
    assert model.explain(marked) == model.explain(plain)
    text = f"{marked} It rained."
    scored = score_article(model, Article("here", text))
    for one in scored.sentences:
        assert text[one.sentence.start : one.sentence.end] == one.sentence.text
    assert (
        scored.sentences[0].scores == score_article(model, Article("here", f"{plain} It rained.")).sentences[0].scores
    )

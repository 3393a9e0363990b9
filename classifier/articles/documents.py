"""Readers of files that hold one article: text, Markdown, HTML, PDF and DOCX.

Each takes the file's bytes and returns its article; the libraries they need are imported when they are called.
"""

from __future__ import annotations

import datetime
import io
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from classifier.articles.article import Article, ReadError
from classifier.articles.decoding import decode
from classifier.articles.limits import MIB, ReadOptions, size

_ADDRESS = re.compile(r"https?://\S+")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_\-]{2,40})""", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_HEADING = re.compile(r"^# +(\S.*)$", re.MULTILINE)


def _missing(what: str, library: str, extra: str) -> ReadError:
    return ReadError(f"{what} needs {library}: pip install 'framing-classifier[{extra}]'.")


def read_text(data: bytes, source: str, options: ReadOptions) -> Article:
    """Read plain text.

    Parameters
    ----------
    data : bytes
    source : str
    options : ReadOptions

    Returns
    -------
    Article

    Raises
    ------
    ReadError
        If it is no text, or a list of web addresses.
    """
    text, guessed = decode(data, options.encoding)
    lines = text.split(None, 2000)
    if lines and all(map(_ADDRESS.fullmatch, lines)):
        raise ReadError("a list of web addresses; pages are not fetched. Save the pages and score the files.")
    return Article(source, text, encoding=guessed, metadata=dict.fromkeys(options.keep))


def read_markdown(data: bytes, source: str, options: ReadOptions) -> Article:
    """Read Markdown: its words without its marks, code left out; as `read_text`.

    Notes
    -----
    A block of ``name: value`` lines between ``---`` at the beginning gives metadata, else the first heading of the
    first level the title.
    """
    from markdown_it import MarkdownIt

    plain = read_text(data, source, options)
    text, front = plain.text, {}
    if matter := _FRONT_MATTER.match(text):
        pairs = (line.partition(":") for line in matter[1].split("\n") if line[:1].strip())
        front = {name.strip(): value.strip().strip("\"'") for name, colon, value in pairs if colon}
        text = text[matter.end() :]
    heading = _HEADING.search(text)
    blocks = [
        "".join(_inline(child) for child in token.children or ())
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "inline"
    ]
    return Article(
        source,
        "\n\n".join(block for block in blocks if block.strip()),
        title=front.get("title") or (heading[1].rstrip("# ") or None if heading else None),
        date=front.get("date") or None,
        outlet=front.get("outlet") or front.get("source") or None,
        metadata={name: front.get(name) for name in options.keep},
        encoding=plain.encoding,
    )


def _inline(token: Any) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return "" if token.type == "html_inline" else str(token.content)


def read_html(data: bytes, source: str, options: ReadOptions) -> Article:
    """Read a web page: its article without the furniture, with title, date and site; as `read_text`."""
    try:
        from trafilatura import bare_extraction
    except ImportError:
        raise _missing("HTML", "trafilatura", "html") from None
    declared = _CHARSET.search(data, 0, 4096)
    page, guessed = decode(data, options.encoding, declared[1].decode() if declared else None)
    # lxml refuses text that names an encoding of its own, now that it has been decoded.
    page = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", page)
    found = bare_extraction(
        page,
        with_metadata=True,
        include_comments=False,
        # A date guessed from anywhere on the page would be worse than none.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if found is None or not (found.text or "").strip():
        raise ReadError("no article found on this page.")
    values = found.as_dict()
    return Article(
        source,
        found.text.replace("\n", "\n\n"),
        title=found.title or None,
        id=found.url or None,
        date=found.date or None,
        outlet=found.sitename or found.hostname or None,
        metadata={name: values.get(name) if name in _PAGE_FIELDS else None for name in options.keep},
        encoding=guessed,
    )


_PAGE_FIELDS = ("author", "url", "hostname", "description", "sitename", "categories", "tags", "language", "license")


def read_pdf(data: bytes, source: str, options: ReadOptions) -> Article:
    """Read the text of a PDF, with its title and its date of creation; as `read_text`."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise _missing("PDF", "pypdf", "pdf") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    limit = options.limits.article_bytes
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("an encrypted PDF; save a copy without its password.")
        pages: list[str] = []
        total = 0
        for page in reader.pages:
            pages.append(page.extract_text().strip())
            total += len(pages[-1])
            if total > limit:
                raise ReadError(f"text of more than {size(limit)}; raise the bound with --max-article-bytes.")
        facts, created = _pdf_facts(reader)
    except PyPdfError as error:
        raise ReadError(f"not a PDF that can be read ({error}).") from None
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise ReadError(f"a PDF of {len(pages)} pages without text; if they are scanned, run OCR first.")
    named = {str(name).lstrip("/").lower(): str(value) for name, value in facts.items()}
    return Article(
        source,
        _clean(text),
        title=_clean(named.get("title", "")).strip() or None,
        date=created.date().isoformat() if created else None,
        metadata={name: _clean(named[name.lower()]) if name.lower() in named else None for name in options.keep},
    )


def _pdf_facts(reader: Any) -> tuple[dict[str, Any], datetime.datetime | None]:
    """Return what a PDF says of itself; what of that is damaged is left out."""
    facts: dict[str, Any] = {}
    created = None
    with suppress(Exception):  # whatever a damaged part makes the library raise
        facts = dict(reader.metadata or {})
    with suppress(Exception):
        created = reader.metadata.creation_date if reader.metadata else None
    return facts, created


def _clean(text: str) -> str:
    """Return text that UTF-8 can hold: fonts and damaged files map to lone surrogates and NULs."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "").replace("\r", "\n")


def read_docx(data: bytes, source: str, options: ReadOptions) -> Article:
    """Read the paragraphs and tables of a Word document, with title and date of creation; as `read_text`."""
    try:
        import docx
    except ImportError:
        raise _missing("DOCX", "python-docx", "docx") from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            expanded = sum(member.file_size for member in archive.infolist())
        if expanded > 16 * MIB + len(data) * options.limits.expansion:
            raise ReadError(
                f"expands to {size(expanded)} from {size(len(data))}; raise the bound with --max-expansion."
            )
        with warnings.catch_warnings(action="ignore"):
            document = docx.Document(io.BytesIO(data))
        paragraphs = ["".join(_said(paragraph)) for paragraph in document.element.body.iter(f"{_WORD}p")]
        values = _docx_facts(document)
    except ReadError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # python-docx lets whatever its XML and ZIP readers raise through
        raise ReadError(f"not a DOCX that can be read ({type(error).__name__}: {str(error)[:200]}).") from None
    return Article(
        source,
        "\n\n".join(text for text in paragraphs if text.strip()),
        title=values["title"] or None,
        date=_created(values["created"]),
        metadata={name: str(values[name]) if values.get(name) else None for name in options.keep},
    )


def _created(moment: datetime.datetime | None) -> str | None:
    # What python-docx stamps on every document it makes is the birth of its template.
    return None if moment is None or moment.date() == datetime.date(2013, 12, 23) else moment.date().isoformat()


def _said(paragraph: Any) -> Iterator[str]:
    """Yield what a paragraph of a Word document says: with insertions, without deletions and what lies in boxes."""
    stack = [iter(paragraph)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif node.tag == f"{_WORD}t":
            yield node.text or ""
        elif node.tag in _SIGNS:
            yield _SIGNS[node.tag]
        elif node.tag not in _UNSAID:
            stack.append(iter(node))


def _docx_facts(document: Any) -> dict[str, Any]:
    """Return what a document says of itself; what of that is damaged is left out."""
    values: dict[str, Any] = dict.fromkeys(_DOCX_FIELDS)
    for name in _DOCX_FIELDS:
        with suppress(Exception):  # whatever a damaged part makes the library raise
            values[name] = getattr(document.core_properties, name)
    return values


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

#: Elements that stand for a character.
_SIGNS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}

#: Elements whose text is not the paragraph's: what was deleted or moved away, the paragraphs of text boxes, which come
#: in their own turn, and what stands in place of a box for programs that know none.
_UNSAID = {
    *(f"{_WORD}{name}" for name in ("del", "moveFrom", "txbxContent", "pPr", "rPr", "instrText")),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}

_DOCX_FIELDS = ("title", "created", "author", "subject", "keywords", "category", "comments", "language")

#: The readers, by format.
DOCUMENTS: dict[str, Callable[[bytes, str, ReadOptions], Article]] = {
    "text": read_text,
    "markdown": read_markdown,
    "html": read_html,
    "pdf": read_pdf,
    "docx": read_docx,
}

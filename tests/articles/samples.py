"""Files in every format, made here; each holds the two sentences of `TEXTS`."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

TEXTS = ["The council met in the old town hall.", "Rain is expected on Thursday, said Dr. Hale."]
BODY = "\n\n".join(TEXTS)
RECORDS = [
    {
        "id": f"r{i}",
        "headline": f"No. {i}",
        "body": text,
        "date": f"2021-05-0{i + 1}",
        "source": "wire",
        "meta": {"p": i},
    }
    for i, text in enumerate(TEXTS)
]
PAGE = f"""<!DOCTYPE html><html><head><title>Talks</title>
<meta property="og:title" content="Talks in the valley"><meta property="og:site_name" content="The Wire">
<meta property="article:published_time" content="2021-05-24T10:00:00Z"><meta name="author" content="Ann Reporter">
</head><body><nav><a href="/">Home</a> <a href="/tv">Television</a></nav>
<article><h1>Talks in the valley</h1>{"".join(f"<p>{text} {text}</p>" for text in TEXTS * 2)}</article>
<footer>All rights reserved. Cookie settings.</footer></body></html>"""


def jsonl() -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)


def pdf(lines: list[str]) -> bytes:
    """A one-page PDF, by hand."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    content = f"BT /F1 12 Tf 40 700 Td {shown} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Title (Minutes) /CreationDate (D:20210503120000Z) >>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size 6 /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


def docx_bytes() -> bytes:
    import docx

    document = docx.Document()
    document.core_properties.title = "Minutes"
    for text in TEXTS:
        document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # A date of its own would make another archive, and another test, in every process.
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(RECORDS), buffer, row_group_size=1)
    return buffer.getvalue()


def arrow() -> bytes:
    import pyarrow as pa

    table = pa.Table.from_pylist(RECORDS)
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def everything() -> dict[str, bytes]:
    """A file of each format."""
    from tests.articles.zst import zstd

    rows = "".join(f'{r["id"]},{r["headline"]},"{r["body"]}"\n' for r in RECORDS)
    table = "id,title,text\n" + rows
    return {
        "a.txt": BODY.encode(),
        "b.md": f"# Minutes\n\n{TEXTS[0]}\n\n*{TEXTS[1]}*\n\n```\ncode\n```\n".encode(),
        "c.html": PAGE.encode(),
        "d.pdf": pdf(TEXTS),
        "e.docx": docx_bytes(),
        "f.csv": table.encode(),
        "g.tsv": ("id\ttext\n" + "".join(f"{r['id']}\t{r['body']}\n" for r in RECORDS)).encode(),
        "h.jsonl": jsonl(),
        "i.json": json.dumps(RECORDS, indent=1).encode(),
        "j.parquet": parquet(),
        "k.arrow": arrow(),
        "l.jsonl.gz": gzip.compress(jsonl()),
        "m.jsonl.zst": zstd.compress(jsonl()),
        "n.zip": zipped({"x/one.txt": BODY.encode(), "two.html": PAGE.encode(), "three.jsonl": jsonl()}),
    }


def write_all(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in everything().items():
        (folder / name).write_bytes(data)
    return folder

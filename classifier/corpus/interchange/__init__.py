"""Labels in the formats of doccano, Label Studio and Prodigy, there and back without loss.

Every format becomes the rows of a labeled CSV. What has no place in a row of strings (identifiers that are numbers,
who annotated and when, hashes) goes into one further column named after the tool, as JSON, and comes back from it
when the rows are written for that tool again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from classifier.codebook import Codebook
from classifier.corpus.interchange.configs import CODEBOOK_WRITERS, label_studio_config
from classifier.corpus.interchange.csv_rows import read_csv, write_csv
from classifier.corpus.interchange.doccano import read_doccano, write_doccano
from classifier.corpus.interchange.label_studio import read_label_studio, write_label_studio
from classifier.corpus.interchange.prodigy import read_prodigy, write_prodigy
from classifier.corpus.interchange.records import Records, is_labeled
from classifier.corpus.table import Columns
from classifier.errors import InputError
from classifier.system.files import file_replaced

__all__ = [
    "CODEBOOK_WRITERS",
    "LABEL_FORMATS",
    "Records",
    "convert",
    "detect_format",
    "label_studio_config",
    "read_records",
    "write_records",
]

#: The formats, as ``framing convert`` names them.
LABEL_FORMATS = ("csv", "doccano", "label-studio", "prodigy")

#: The largest file of labels read, in bytes.
MAX_BYTES = 1 << 30

_READERS: dict[str, Callable[[bytes, str | Path, Columns, bool], Records]] = {
    "csv": read_csv,
    "doccano": read_doccano,
    "label-studio": read_label_studio,
    "prodigy": read_prodigy,
}

_WRITERS: dict[str, Callable[[Records, Columns, Codebook | None], bytes]] = {
    "csv": write_csv,
    "doccano": write_doccano,
    "label-studio": write_label_studio,
    "prodigy": write_prodigy,
}


def read_records(
    path: str | Path,
    columns: Columns,
    format_: str | None = None,
    codebook: Codebook | None = None,
    unlabeled: bool = False,
) -> Records:
    """Read labels in any of `LABEL_FORMATS`.

    Parameters
    ----------
    path : str or Path
    columns : Columns
        Names of the columns to read into, and of the text in the file.
    format_ : str, optional
        By default told from extension and content.
    codebook : Codebook, optional
        Labels that are titles of its frames become their names.
    unlabeled : bool
        Keep what nobody has labeled, as rows without a cell for labels.

    Returns
    -------
    Records

    Raises
    ------
    InputError
        If the file cannot be read, or a record is not what its format asks for.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror or error}.") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes; divide it.")
    reader = _READERS[format_ or detect_format(path, data)]
    records = reader(data.removeprefix(b"\xef\xbb\xbf"), path, columns, unlabeled)
    titles = {frame.title: frame.name for frame in codebook.frames} if codebook else {}
    for row in records.rows:
        if is_labeled(row, columns):
            names = [name for name in row[columns.label].split(columns.separator) if name]
            row[columns.label] = columns.separator.join(titles.get(name, name) for name in names)
        for name in records.header:
            if name != columns.label:
                row.setdefault(name, "")
    return records


def write_records(
    records: Records, path: str | Path, columns: Columns, format_: str, codebook: Codebook | None = None
) -> None:
    """Write labels in any of `LABEL_FORMATS`; the file appears whole or not at all.

    Parameters
    ----------
    records : Records
    path : str or Path
    columns : Columns
    format_ : str
    codebook : Codebook, optional
        Gives Prodigy's options their titles.

    Raises
    ------
    InputError
        If a column has the name of one of the tool's own fields.
    """
    if columns.label not in records.header and any(is_labeled(row, columns) for row in records.rows):
        records.header.append(columns.label)
    if records.predicted and format_ != "label-studio":
        raise InputError(
            "these labels are a model's, as framing score writes them, and no person's; only Label Studio has a place "
            "for such (--to label-studio writes them as predictions)."
        )
    data = _WRITERS[format_](records, columns, codebook)
    with file_replaced(path) as stream:
        stream.write(data)


def convert(
    source: str | Path,
    target: str | Path,
    columns: Columns,
    source_format: str | None = None,
    target_format: str | None = None,
    codebook: Codebook | None = None,
    unlabeled: bool = False,
) -> Records:
    """Convert labels from one format into another.

    Parameters
    ----------
    source, target : str or Path
    columns : Columns
    source_format, target_format : str, optional
        By default told from the names, and the content of `source`.
    codebook : Codebook, optional
    unlabeled : bool
        Convert what nobody has labeled, too.

    Returns
    -------
    Records
        What was converted.

    Raises
    ------
    InputError
        If a format cannot be told, or the source is not in its format.
    """
    target_format = format_of(target, target_format)
    records = read_records(source, columns, source_format, codebook, unlabeled)
    write_records(records, target, columns, target_format, codebook)
    return records


def format_of(target: str | Path, format_: str | None) -> str:
    """Return the format to write: the one named, else told from the target's name.

    Raises
    ------
    InputError
        If it cannot be told.
    """
    found = format_ or _by_suffix(target)
    if found is None:
        raise InputError(f"{target}: name its format with --to: {', '.join(LABEL_FORMATS)}.")
    return found


def _by_suffix(path: str | Path) -> str | None:
    return {".csv": "csv", ".tsv": "csv", ".json": "label-studio"}.get(Path(path).suffix.lower())


def detect_format(path: str | Path, data: bytes) -> str:
    """Tell the format of a file of labels.

    Parameters
    ----------
    path : str or Path
    data : bytes
        What it holds.

    Returns
    -------
    str
        One of `LABEL_FORMATS`.
    """
    if Path(path).suffix.lower() not in (".jsonl", ".ndjson"):
        return _by_suffix(path) or ("label-studio" if data.lstrip()[:1] == b"[" else "csv")
    first = next((line for line in data.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()), b"{}")
    try:
        record = orjson.loads(first)
    except orjson.JSONDecodeError:
        record = {}
    return "prodigy" if isinstance(record, dict) and record.keys() & {"answer", "accept", "options"} else "doccano"

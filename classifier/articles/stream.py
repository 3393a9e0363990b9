"""Sources to articles and faults: one at a time, in a stable order, none twice."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

from classifier.articles.article import Article, Fault, ReadError
from classifier.articles.containers import container_documents, is_container
from classifier.articles.formats import ISOLATED, detect
from classifier.articles.isolation import Parsers
from classifier.articles.limits import ReadOptions, size
from classifier.articles.sources import File, ReadTotals, check_sources, files, open_file
from classifier.errors import FramingError, InputError

#: In a key, in place of the size and the time of change that a pipe does not have.
_UNSTAMPED = "pipe"

#: What a file may give: an article, a fault, either of them later, or None for an item that was skipped.
Content = Article | Fault | Future[list[Article | Fault]] | None


@dataclass(frozen=True, slots=True)
class Item:
    """One article or fault of a stream.

    Parameters
    ----------
    key : str
        The file with its size and time of change, and the item's number in it; of a pipe a digest of the text.
    content : Article, Fault or None
        None for one that was skipped.
    """

    key: str
    content: Article | Fault | None


class ItemStream:
    """Everything that sources hold.

    Parameters
    ----------
    sources : iterable of str or Path
        Files, folders, patterns, ``-``.
    options : ReadOptions
    jobs : int
        Parser processes for HTML, PDF, DOCX and Markdown.
    start : int
        Items to skip; files that hold one article each are skipped without being read.
    exclude : frozenset of str
        Real paths that are left out of folders.
    lazy : bool
        Look at each source when its turn comes, instead of refusing at once when one names nothing.

    Attributes
    ----------
    tally : ReadTotals

    Raises
    ------
    InputError
        If a source names nothing; see `check_sources`.
    """

    def __init__(
        self,
        sources: Iterable[str | Path],
        options: ReadOptions = ReadOptions(),
        *,
        jobs: int = 1,
        start: int = 0,
        exclude: frozenset[str] = frozenset(),
        lazy: bool = False,
    ) -> None:
        self._sources = (
            (found for source in sources for found in check_sources([source])) if lazy else check_sources(sources)
        )
        self.tally = ReadTotals()
        self._options = options
        self._jobs = jobs
        self._start = start
        self._exclude = exclude
        self._made, self._stamped = 0, False

    def __iter__(self) -> Iterator[Item]:
        waiting: deque[tuple[str, Content]] = deque()
        with Parsers(self._options, self._jobs) as parsers:
            for part in self._parts(parsers):
                waiting.append(part)
                while waiting and (_is_ready(waiting[0][1]) or len(waiting) > 2 * self._jobs):
                    yield _item(*waiting.popleft())
            while waiting:
                yield _item(*waiting.popleft())

    def _parts(self, parsers: Parsers) -> Iterator[tuple[str, Content]]:
        self._made = 0
        for file in files(self._sources, self.tally, self._exclude):
            if isinstance(file, Fault):
                self._made += 1
                yield f"{file.source}\0\0", file
            else:
                yield from self._file(file, parsers)

    def _file(self, file: File, parsers: Parsers) -> Iterator[tuple[str, Content]]:
        try:
            stream, stamp = open_file(file, self.tally)
        except ReadError as error:
            self._made += 1
            yield f"{file.name}\0\0", Fault(file.name, error.reason)
            return
        with stream:
            path, self._stamped = file.path if stamp else None, bool(stamp)
            for number, content in enumerate(self._contents(stream, file.name, path, 0, parsers)):
                self._made += 1
                yield f"{file.name}\0{stamp or _UNSTAMPED}\0{number}", content

    def _contents(
        self, stream: io.BufferedReader, name: str, path: Path | None, depth: int, parsers: Parsers
    ) -> Iterator[Content]:
        try:
            head = stream.peek()
            if not is_container(head):
                yield from self._read(detect(head, name, self._options.input_format), stream, name, path, parsers)
                return
            if depth >= self._options.limits.depth:
                raise ReadError(f"more than {depth} archives one within the other; unpack it first.")
            for inner_name, opener, whole in container_documents(stream, head, name, self._options.limits):
                yield from self._inner(inner_name, opener, whole, depth + 1, parsers)
        except ReadError as error:
            yield Fault(name, error.reason, error.place)
        except OSError as error:
            yield Fault(name, f"cannot read it: {error.strerror or error}.")
        except FramingError:
            raise
        except Exception as error:  # whatever a file does to the libraries, the run goes on
            yield Fault(name, f"cannot be read ({type(error).__name__}: {str(error)[:200]}).")

    def _inner(
        self, name: str, opener: Callable[[], io.BufferedReader], whole: str | None, depth: int, parsers: Parsers
    ) -> Iterator[Content]:
        try:
            with opener() as stream:
                if whole is not None:
                    yield from self._read(whole, stream, name, None, parsers)
                else:
                    yield from self._contents(stream, name, None, depth, parsers)
        except ReadError as error:
            yield Fault(name, error.reason, error.place)

    def _read(
        self, format_: str, stream: io.BufferedReader, name: str, path: Path | None, parsers: Parsers
    ) -> Iterator[Content]:
        from classifier.articles.documents import DOCUMENTS, read_text
        from classifier.articles.tabular import read_csv, read_json, read_jsonl, read_tsv

        limits = self._options.limits
        if format_ in DOCUMENTS and self._stamped and self._made < self._start:
            yield None
        elif format_ == "text":
            yield read_text(read_whole(stream, limits.article_bytes, "--max-article-bytes"), name, self._options)
        elif format_ in DOCUMENTS:
            data = read_whole(stream, limits.document_bytes, "--max-document-bytes")
            yield parsers.submit(format_, data, name)
        elif format_ in ISOLATED:
            # A table on disk is read where it is, row group by row group; any other must be held whole.
            file = path or read_whole(stream, limits.document_bytes, "--max-document-bytes")
            yield from parsers.stream(format_, file, name)
            if path is not None:
                self.tally.bytes += max(0, path.stat().st_size - stream.tell())
        else:
            reader = {"csv": read_csv, "tsv": read_tsv, "json": read_json, "jsonl": read_jsonl}[format_]
            yield from partial(reader, options=self._options)(stream, name)


def read_whole(stream: io.BufferedReader, limit: int, option: str) -> bytes:
    """Return everything a stream holds.

    Parameters
    ----------
    stream : buffered binary file
    limit : int
        Bytes at most.
    option : str
        What raises the limit.

    Raises
    ------
    ReadError
        If there is more.
    """
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := stream.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise ReadError(f"larger than {size(limit)}; raise the bound with {option} if it is meant to be.")
    return b"".join(parts)


def _is_ready(content: Content) -> bool:
    return not isinstance(content, Future) or content.done()


def _item(key: str, content: Content) -> Item:
    found = content.result()[0] if isinstance(content, Future) else content
    if isinstance(found, Article) and f"\0{_UNSTAMPED}\0" in key:
        # A pipe has neither size nor time of change: what it said is all that tells it from another.
        key += blake2b(found.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Item(key, found)


def read_articles(
    sources: Iterable[str | Path],
    options: ReadOptions = ReadOptions(),
    *,
    jobs: int = 1,
    on_fault: Callable[[Fault], None] | None = None,
) -> Iterator[Article]:
    """Read articles, one after the other.

    Parameters
    ----------
    sources : iterable of str or Path
        Files in any format of `classifier.articles.FORMATS`, compressed or in ZIP archives too; folders, walked in
        order of name; patterns like ``news/*.html``; ``-`` for standard input.
    options : ReadOptions
    jobs : int
        Parser processes for HTML, PDF, DOCX and Markdown.
    on_fault : callable, optional
        Called with every article that cannot be read; without it the first one raises.

    Yields
    ------
    Article

    Raises
    ------
    InputError
        If a source is missing or names nothing; or, without `on_fault`, for an article that cannot be read.
    """
    for item in ItemStream(sources, options, jobs=jobs, lazy=True):
        if isinstance(item.content, Article):
            yield item.content
        elif item.content is not None:
            if on_fault is None:
                raise InputError(str(item.content))
            on_fault(item.content)

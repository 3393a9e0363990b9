"""Parsers of risky formats in processes of their own: bounded in time and memory, without network or shell.

A PDF that loops, a page that drives a regular expression mad, a file that crashes a C library: the parser's process
is killed, the article becomes a fault, and the run goes on with a fresh process.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import orjson

from classifier.articles.article import Article, Fault, ReadError
from classifier.articles.documents import DOCUMENTS
from classifier.articles.limits import ReadOptions, size
from classifier.articles.tabular import read_arrow, read_parquet
from classifier.system.processes import Channel, ChildDiedError, Crew

_TARGET = "classifier.articles.isolation:serve"

_TABLES = {"parquet": read_parquet, "arrow": read_arrow}

#: Articles a frame.
_FRAME = 64


class Parsers:
    """A pool of parser processes, started when first needed.

    Parameters
    ----------
    options : ReadOptions
    jobs : int
        Processes at most.
    """

    def __init__(self, options: ReadOptions, jobs: int = 1) -> None:
        self._options = options
        self._crew = Crew(_TARGET, jobs)

    def __enter__(self) -> Parsers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._crew.close()

    def submit(self, format_: str, data: bytes, source: str) -> Future[list[Article | Fault]]:
        """Parse a document that holds one article.

        Returns
        -------
        Future of list
            With the article, or the fault.
        """
        return self._crew.submit(lambda _: list(self.stream(format_, data, source)))

    def stream(self, format_: str, file: bytes | Path, source: str) -> Iterator[Article | Fault]:
        """Parse a document, yielding its articles as they come.

        Parameters
        ----------
        format_ : str
            One of `classifier.articles.formats.ISOLATED`.
        file : bytes or Path
        source : str

        Yields
        ------
        Article or Fault
        """
        finished = False
        try:
            child = self._crew.child()
            path = str(file) if isinstance(file, Path) else None
            body = b"" if isinstance(file, Path) else file
            child.send({"format": format_, "path": path, "source": source, "options": self._options.to_dict()}, body)
            while not finished:
                items, _ = child.receive(self._options.limits.seconds)
                finished = items["end"]
                yield from (_from_dict(item, source) for item in items["items"])
        except ChildDiedError as death:
            finished = True
            self._crew.discard()
            yield Fault(source, self._reason(format_, death))
        finally:
            if not finished:  # the consumer turned away in the middle; the rest must not be taken for the next answer
                self._crew.discard()

    def _reason(self, format_: str, death: ChildDiedError) -> str:
        limits = self._options.limits
        if death.expired:
            return (
                f"reading it as {format_} took more than {limits.seconds:g} seconds; it may be made to. "
                "Raise the bound with --max-seconds, or leave it out."
            )
        return (
            f"the {format_} parser broke off (exit {death.code}): the file is damaged, made to break it, or needs more "
            f"than {size(limits.memory)} of memory."
        )


def _from_dict(item: dict[str, Any], source: str) -> Article | Fault:
    if "reason" in item:
        return Fault(source, item["reason"], item["place"])
    return Article(**item)


def _to_dict(item: Article | Fault) -> dict[str, Any]:
    return {field.name: getattr(item, field.name) for field in fields(item)}


def serve(channel: Channel) -> None:
    """Run in a child: parse what comes, until nothing more does."""
    sys.dont_write_bytecode = True
    sys.addaudithook(_refuse)
    limited = False
    while (frame := channel.receive()) is not None:
        request, data = frame
        options = ReadOptions.from_dict(request["options"])
        _import_parser(request["format"])
        if not limited:
            _limit_memory(options.limits.memory)
            limited = True
        _limit_time(options.limits.seconds)
        file = Path(request["path"]) if request["path"] else data
        _answer(channel, parse(request["format"], file, request["source"], options))


def parse(format_: str, file: bytes | Path, source: str, options: ReadOptions) -> Iterator[Article | Fault]:
    """Parse a document in this process; whatever its parser raises becomes a fault.

    Parameters
    ----------
    format_ : str
    file : bytes or Path
    source : str
    options : ReadOptions

    Yields
    ------
    Article or Fault
    """
    try:
        if format_ in _TABLES:
            opened: Path | IO[bytes] = file if isinstance(file, Path) else io.BytesIO(file)
            yield from _TABLES[format_](opened, source, options)
            return
        data = file.read_bytes() if isinstance(file, Path) else file
        article = DOCUMENTS[format_](data, source, options)
        if len(article.text) > options.limits.article_bytes:
            raise ReadError(f"text of more than {size(options.limits.article_bytes)}; see --max-article-bytes.")
        yield article
    except ReadError as error:
        yield Fault(source, error.reason, error.place)
    except MemoryError:
        yield Fault(source, f"needs more than {size(options.limits.memory)} of memory.")
    except RecursionError:
        yield Fault(source, "nested too deeply.")
    except Exception as error:  # a parser of a hostile file may raise anything at all
        yield Fault(source, f"cannot be read as {format_} ({type(error).__name__}: {str(error)[:200]}).")


def _answer(channel: Channel, items: Iterator[Article | Fault]) -> None:
    frame: list[dict[str, Any]] = []
    for item in items:
        data = _to_dict(item)
        try:
            orjson.dumps(data)
        except (TypeError, orjson.JSONEncodeError):
            data = _to_dict(Fault(item.source, "holds characters or values that no output can."))
        frame.append(data)
        if len(frame) >= _FRAME:
            channel.send({"items": frame, "end": False})
            frame = []
    channel.send({"items": frame, "end": True})


_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "shutil.rmtree",
    "winreg.SetValue",
)

_importing = False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse, as an audit hook, what no parser needs."""
    if _importing:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in _FORBIDDEN or writes:
        raise PermissionError(f"a parser tried {event}, which is never allowed.")


def _import_parser(format_: str) -> None:
    """Import what a format needs before anything of the file is looked at."""
    global _importing
    _importing = True
    try:
        if format_ == "html":
            import trafilatura  # noqa: F401
        elif format_ == "pdf":
            import pypdf  # noqa: F401
        elif format_ == "docx":
            import docx  # noqa: F401
        elif format_ in _TABLES:
            import pyarrow.parquet  # noqa: F401
    except ImportError:
        pass  # the reader says so
    finally:
        _importing = False


def _limit_memory(memory: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        pass  # no such limit here; the parent's clock still holds


def _limit_time(seconds: float) -> None:
    """End this process by itself should the parent be killed while a file keeps it busy."""
    try:
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 5, hard))
    except (ImportError, OSError, ValueError):
        pass

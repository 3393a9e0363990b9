"""Articles and their readers.

Files, folders, patterns, archives and standard input become a stream of `Article` and `Fault`: text, Markdown, HTML,
PDF, DOCX, CSV, JSON Lines, JSON, Parquet and Arrow, each by a library that is imported when a file asks for it.
"""

from classifier.articles.article import Article, Fault, ReadError
from classifier.articles.formats import FORMATS
from classifier.articles.limits import Limits, ReadOptions
from classifier.articles.sources import STDIN, ReadTotals, total_bytes
from classifier.articles.stream import Item, ItemStream, read_articles

__all__ = [
    "FORMATS",
    "STDIN",
    "Article",
    "Fault",
    "Item",
    "ItemStream",
    "Limits",
    "ReadError",
    "ReadOptions",
    "ReadTotals",
    "read_articles",
    "total_bytes",
]

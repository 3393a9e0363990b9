"""What a person sees: pages on a terminal, pages in a browser."""

from classifier.report.articles import ArticlesPage, write_html
from classifier.report.evaluations import evaluation_page
from classifier.report.printable import printable
from classifier.report.terminal import (
    PLAIN_WIDTH,
    article_page,
    article_profile,
    codebook_page,
    console,
    print_articles,
    profile_table,
    training_page,
)

__all__ = [
    "PLAIN_WIDTH",
    "ArticlesPage",
    "article_page",
    "article_profile",
    "codebook_page",
    "console",
    "evaluation_page",
    "print_articles",
    "printable",
    "profile_table",
    "training_page",
    "write_html",
]

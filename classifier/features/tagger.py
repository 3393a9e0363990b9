"""Actors and acts of the codebook found in a sentence: who does what to whom.

The tagger reads a sentence as a sequence of words, looks each word up by itself, and finds the terms of the codebook
as runs of words. In full:

*Words.* A word is a run of letters, digits and combining marks, with single apostrophes inside it; hyphens, full
stops and everything else separate words. A possessive ending (``'s``) belongs to no word. A word is compared in lower
case and without diacritics, contractions (``'re``, ``'ve``, ``'ll``, ``'d``, ``'m``) without their ending; one that
ends in ``n't`` is the word ``not``; other apostrophes are dropped.

*Terms.* A term is one or more words. A word followed by ``*`` matches every word that begins with it. A word written
in capitals, of at most three letters and without ``*``, matches only words written in capitals: ``US`` is not ``us``.

*Symbols.* So each word of a text has one symbol, a small integer that depends on nothing but the word: that of the
word in capitals if the terms have it and it is written so, else that of the same word, else that of the longest stem
it begins with, else 0. See `Tagger.symbol`.

*Matches.* From left to right, the longest term that begins at a word is matched, and the search goes on after it. The
words of a match are separated by white space, hyphens, full stops, ampersands and possessive endings alone. Of terms of
the same number of words the one with more letters wins, then the one with fewer stars, then the one listed first. An
automaton does it: `Tagger.step` leads from a state (0 at first) and a symbol to the next state, and `Tagger.accepted`
gives the number of the role (from 1; 0 for none) of the term that ends in a state.

*Quotations.* Text between quotation marks is quoted, to the end where the marks are not closed, and from the
beginning where the first mark is a closing one. A straight or single mark opens where no word ends before it and
text follows it; an apostrophe never opens.

*Punctuation.* A comma or semicolon that no letter or digit follows, a colon that ends a word, and a dash, which is long
or stands alone, are tags of their own: they show where clauses meet.

*Speakers.* Actors among at most `SPEAKER_WORDS` words before the first colon, or after the last dash of a sentence,
are its speakers, as in headlines: "Lukashenko: no talks", "No talks — Lukashenko".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from classifier.errors import InputError

#: What the tables of ``[roles]`` hold: doers, deeds, words that turn them, such as negations, and words that link
#: them, such as prepositions.
KINDS = ("actors", "acts", "marks", "links")

#: Tags of punctuation: a comma or semicolon, a colon, a dash.
PUNCTUATION = (",", ":", "–")

#: Most words a speaker's designation has in a headline.
SPEAKER_WORDS = 6

#: Longest word in capitals, in letters, that is matched in capitals only.
CAPITALS = 3

#: Words remembered with their symbols.
_CACHE = 100_000

_MARKS = "\u0300-\u036f"  # combining diacritics
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}]|['’](?=[^\W_]))*")
_ENDING = re.compile(r"'(?:re|ve|ll|d|m)$")
TIGHT = re.compile(r"[\s\-‐‑.&]*")
_TERM = re.compile(rf"(?:{_WORD.pattern}(?:\*(?![^\W_]))?|[\s\-‐‑.&])+")
_TERM_WORD = re.compile(rf"({_WORD.pattern})(\*?)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
QUOTE = re.compile("[\"“”„‟«»‘’']")
_OPENING, _CLOSING = "“„‟«‘", "”»"
#: One group for each of `PUNCTUATION`. What stands in a word between white space is a function of that word alone.
_PUNCTUATION = re.compile(r"([,;](?![^\W_]))|(:(?!\S))|(—+|(?<!\S)[-–]{1,2}(?!\S))")
#: Letters that are not decomposed into a letter and a mark.
_PLAIN = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "ð": "d", "þ": "th", "’": "'"}
)


def normalise(word: str) -> str:
    """Return a word as it is compared: lower case, without diacritics, apostrophes and contracted endings.

    Parameters
    ----------
    word : str
        One word, without a possessive ending.

    Returns
    -------
    str

    Examples
    --------
    >>> normalise("Łukašenka"), normalise("doesn’t"), normalise("O'Brien")
    ('lukasenka', 'not', 'obrien')
    """
    plain = word.lower().translate(_PLAIN)
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    if "'" not in plain:
        return plain
    return "not" if plain.endswith("n't") else _ENDING.sub("", plain).replace("'", "")


def words(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word of a text begins and ends; a possessive ending belongs to no word.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> text = "Minsk's ex-ally"
    >>> [text[start:end] for start, end in words(text)]
    ['Minsk', 'ex', 'ally']
    """
    for match in _WORD.finditer(text):
        start, end = match.span()
        yield start, end - 2 if end - start > 2 and text[end - 2] in "'’" and text[end - 1] in "sS" else end


@dataclass(frozen=True, slots=True)
class Match:
    """A term found in a sentence.

    Parameters
    ----------
    start, end : int
        Where in the text; ``text[start:end]`` is the term as written, without a possessive ending.
    role : str
        Name of the role.
    kind : {"actors", "acts", "marks", "links"}
    quoted : bool
        Whether it stands within quotation marks.
    speaker : bool
        Whether it is an actor who speaks: before a headline's colon or after its dash.
    """

    start: int
    end: int
    role: str
    kind: str
    quoted: bool = False
    speaker: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """One element of a sentence's sequence of roles.

    Parameters
    ----------
    name : str
        The role; ``@`` and the role for a speaker; one of `PUNCTUATION`; ``“`` or ``”`` where a quotation begins or
        ends; ``^`` or ``$`` where the sentence does.
    start, end : int
        Where in the text.
    link : bool
        Whether its role is a link.
    """

    name: str
    start: int
    end: int
    link: bool = False


@dataclass(frozen=True, slots=True)
class Tagging:
    """The roles of one sentence.

    Parameters
    ----------
    matches : tuple of Match
        In the order of the text; they do not overlap.
    quotations : tuple of (int, int)
        Where each quotation begins and ends.
    punctuation : tuple of Tag
        In the order of the text.
    length : int
        Of the text.
    """

    matches: tuple[Match, ...]
    quotations: tuple[tuple[int, int], ...]
    punctuation: tuple[Tag, ...]
    length: int

    def names(self, subjects: Iterable[Collection[str]]) -> list[bool]:
        """Say for each of several sets of roles whether the sentence names one of them."""
        found = {match.role for match in self.matches}
        return [not found.isdisjoint(roles) for roles in subjects]

    def sequence(self) -> list[Tag]:
        """Return the sentence as a sequence of tags: roles, speakers, punctuation, bounds of quotations and its own.

        A tag that follows itself is one ("Lithuanian Poles"), and a quotation without roles leaves no tags.
        """
        tags = [Tag("^", 0, 0)]
        quoted = False
        parts: list[Match | Tag] = [*self.matches, *self.punctuation]
        for part in sorted(parts, key=attrgetter("start")):
            if isinstance(part, Tag):
                tag = part
            else:
                if part.quoted != quoted:
                    tags.append(Tag("“" if part.quoted else "”", part.start, part.start))
                    quoted = part.quoted
                tag = Tag(f"@{part.role}" if part.speaker else part.role, part.start, part.end, part.kind == "links")
            if tags[-1].name == tag.name:
                tags[-1] = Tag(tag.name, tags[-1].start, tag.end, tag.link)
            else:
                tags.append(tag)
        if quoted:
            tags.append(Tag("”", self.matches[-1].end, self.matches[-1].end))
        return [*tags, Tag("$", self.length, self.length)]


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a term."""

    text: str
    stem: bool
    capitals: bool


class Tagger:
    """The roles of a codebook, and the tagger that finds them.

    Parameters
    ----------
    tables : mapping
        The codebook's ``roles``: a table for each of `KINDS`, with an entry ``name = {title = …, terms = […]}`` a
        role. An actor's entry may have a ``subject``: what the frames are about, such as a country, if the actor
        belongs to it.
    where : str
        Named in error messages.

    Attributes
    ----------
    titles : dict of str to str
        Each role's name for people.
    kinds : dict of str to str
        Each role's kind.
    subjects : dict of str to list of str
        Each subject's roles.

    Raises
    ------
    InputError
        If a table, a name or a term is malformed, a role is named twice, or a term belongs to two roles.

    Examples
    --------
    >>> roles = Tagger({"actors": {"west": {"title": "West", "terms": ["EU", "U.S.", "European Union"]}},
    ...                "acts": {"condemn": {"title": "condemns", "terms": ["condemn*"]}}})
    >>> [tag.name for tag in roles.tag("The European Union condemned us").sequence()]
    ['^', 'west', 'condemn', '$']
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Any]], where: str = "codebook") -> None:
        self.tables = tables
        self._where = where
        self.titles: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.subjects: dict[str, list[str]] = {}
        terms: dict[tuple[_Word, ...], str] = {}
        for name, term in self._terms(tables):
            parsed = _parse(term, name, where)
            if terms.setdefault(parsed, name) != name:
                raise InputError(
                    f"{where}: the term {term!r} belongs to both {terms[parsed]!r} and {name!r}; keep it in one."
                )
        self._names = list(self.titles)
        self._capitals: dict[str, int] = {}
        self._exact: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._number(word for term in terms for word in term)
        self.step: dict[tuple[int, int], int] = {}
        self.accepted: list[int] = []
        self._determinise(terms)
        self._cache: dict[str, int] = {}

    def __reduce__(self) -> tuple[type[Tagger], tuple[Mapping[str, Any]]]:
        # The automaton is rebuilt: it is larger than the tables and made of nothing else.
        return Tagger, ({kind: dict(table) for kind, table in self.tables.items()},)

    def _terms(self, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """Check the tables and yield each role's name with each of its terms."""
        for kind, table in tables.items():
            if kind not in KINDS:
                raise InputError(f"{self._where}: [roles.{kind}] is unknown; the tables are {', '.join(KINDS)}.")
            for name, entry in table.items():
                if not _NAME.fullmatch(name):
                    raise InputError(f"{self._where}: {name!r} cannot be a role's name; use a-z, 0-9 and underscores.")
                if name in self.titles:
                    raise InputError(f"{self._where}: the role {name!r} is defined twice; give each role its own name.")
                terms = entry.get("terms") if isinstance(entry, Mapping) else None
                if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
                    raise InputError(f"{self._where}: the role {name!r} needs a list of words, terms = [...].")
                title = entry.get("title", name)
                if not isinstance(title, str) or not title.isprintable():
                    raise InputError(f"{self._where}: the title of the role {name!r} must be one line of text.")
                self.titles[name] = title
                self.kinds[name] = kind
                subject = entry.get("subject")
                if subject is not None:
                    if kind != "actors":
                        raise InputError(f"{self._where}: {name!r} has a subject, but only actors can; delete it.")
                    if not isinstance(subject, str) or not subject.strip() or not subject.isprintable():
                        raise InputError(f"{self._where}: the subject of the role {name!r} must be one line of text.")
                    self.subjects.setdefault(subject, []).append(name)
                for term in terms:
                    yield name, term

    def _number(self, found: Iterable[_Word]) -> None:
        """Give every word of every term its symbol."""
        for number, word in enumerate(dict.fromkeys(found), start=1):
            table = self._stems if word.stem else self._capitals if word.capitals else self._exact
            table[word.text] = number
        self._lengths = sorted({len(stem) for stem in self._stems}, reverse=True)

    def _implied(self) -> dict[int, list[int]]:
        """For each symbol of a term's word, the symbols of texts' words that match it."""
        implied: dict[int, list[int]] = {}
        for table in (self._capitals, self._exact, self._stems):
            for text, number in table.items():
                implied.setdefault(number, []).append(number)
                if table is self._capitals and text in self._exact:
                    implied.setdefault(self._exact[text], []).append(number)
                for length in self._lengths:
                    stem = self._stems.get(text[:length], number) if length <= len(text) else number
                    if stem != number:
                        implied.setdefault(stem, []).append(number)
        return implied

    def _determinise(self, terms: Mapping[tuple[_Word, ...], str]) -> None:
        """Build the automaton: the trie of the terms, with stems resolved to the symbols that match them."""
        arcs: list[dict[int, int]] = [{}]
        ends: dict[int, tuple[tuple[int, int, int], int]] = {}
        for order, (term, name) in enumerate(terms.items()):
            node = 0
            for word in term:
                number = (self._stems if word.stem else self._capitals if word.capitals else self._exact)[word.text]
                if number not in arcs[node]:
                    arcs[node][number] = len(arcs)
                    arcs.append({})
                node = arcs[node][number]
            rank = (sum(len(word.text) for word in term), -sum(word.stem for word in term), -order)
            ends[node] = (rank, self._names.index(name) + 1)
        implied = self._implied()
        numbers: dict[frozenset[int], int] = {frozenset({0}): 0}
        states = list(numbers)
        for nodes in states:
            self.accepted.append(max((ends[node] for node in nodes if node in ends), default=((), 0))[1])
            following: dict[int, set[int]] = {}
            for node in nodes:
                for number, target in arcs[node].items():
                    for symbol in implied[number]:
                        following.setdefault(symbol, set()).add(target)
            for symbol, targets in following.items():
                key = frozenset(targets)
                if key not in numbers:
                    numbers[key] = len(states)
                    states.append(key)
                self.step[numbers[nodes], symbol] = numbers[key]

    def symbol(self, word: str) -> int:
        """Return the symbol of a word as written: a pure function of the word; 0 if no term has it.

        Parameters
        ----------
        word : str
            Without a possessive ending.

        Returns
        -------
        int
        """
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) >= _CACHE:
                self._cache.clear()
            found = self._cache[word] = self._look_up(word)
        return found

    def _look_up(self, word: str) -> int:
        plain = normalise(word)
        if plain in self._capitals and word.isupper():
            return self._capitals[plain]
        if plain in self._exact:
            return self._exact[plain]
        for length in self._lengths:
            if length <= len(plain) and plain[:length] in self._stems:
                return self._stems[plain[:length]]
        return 0

    def tag(self, text: str) -> Tagging:
        """Find the roles of a sentence.

        Parameters
        ----------
        text : str

        Returns
        -------
        Tagging
        """
        spans = list(words(text))
        quotations = quoted_spans(text)
        points = punctuation(text)
        lead, tail = _speaker_bounds(points, spans, len(text))
        matches = []
        for first, last, number in self._longest(text, spans):
            start, end = spans[first][0], spans[last][1]
            name = self._names[number - 1]
            kind = self.kinds[name]
            matches.append(
                Match(
                    start,
                    end,
                    name,
                    kind,
                    quoted=any(begin <= start < stop for begin, stop in quotations),
                    speaker=kind == "actors" and (end <= lead or start >= tail),
                )
            )
        return Tagging(tuple(matches), tuple(quotations), tuple(points), len(text))

    def named(self, texts: Iterable[str]) -> list[list[bool]]:
        """Say of each sentence which of the `subjects` it names.

        Parameters
        ----------
        texts : iterable of str

        Returns
        -------
        list of list of bool
        """
        subjects = self.subjects.values()
        return [self.tag(text).names(subjects) if subjects else [] for text in texts]

    def _longest(self, text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Yield the first word, the last word and the role's number of each match."""
        symbols = [self.symbol(text[start:end]) for start, end in spans]
        position = 0
        while position < len(spans):
            state, best, number, end = 0, position, 0, position
            while end < len(spans) and symbols[end]:
                following = self.step.get((state, symbols[end]))
                if following is None:
                    break
                state = following
                if self.accepted[state]:
                    best, number = end, self.accepted[state]
                end += 1
                if end < len(spans) and not tight(text, spans[end - 1][1], spans[end][0]):
                    break
            if number:
                yield position, best, number
            position = best + 1


def tight(text: str, start: int, end: int) -> bool:
    """Say whether the words before and after this gap can belong to one term."""
    if text[start : start + 2] in ("'s", "’s", "'S", "’S"):
        start += 2
    return TIGHT.fullmatch(text, start, end) is not None


def _parse(term: str, role: str, where: str = "codebook") -> tuple[_Word, ...]:
    """Take a term of the codebook apart."""
    if not _TERM.fullmatch(term) or not _WORD.search(term):
        raise InputError(
            f"{where}: {term!r} cannot be a term of the role {role!r}; use words, each with '*' after it or not."
        )
    parsed = []
    for word, star in _TERM_WORD.findall(term):
        start, end = next(words(word))
        capitals = not star and word[start:end].isupper() and end - start <= CAPITALS
        parsed.append(_Word(normalise(word[start:end]), bool(star), capitals))
    return tuple(parsed)


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Return where the quotations of a text begin and end, quotation marks left out.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of (int, int)
        In order, not overlapping; a quotation within a quotation is part of it.

    Examples
    --------
    >>> quoted_spans('It is "a farce", he said')
    [(7, 14)]
    >>> quoted_spans("a farce,” he said")
    [(0, 8)]
    """
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    single = False
    for match in QUOTE.finditer(text):
        offset, mark = match.start(), match.group()
        before = text[offset - 1 : offset]
        after = text[offset + 1 : offset + 2]
        if mark in "'’‘" and before.isalnum() and after.isalnum():
            continue
        if opened is None:
            if opens(mark, before, after):
                opened, single = offset + 1, mark in "'‘"
            elif not spans and mark not in "'’" and offset > 0:
                spans.append((0, offset))
        elif (mark in "'’") == single and not opens(mark, before, after):
            spans.append((opened, offset))
            opened = None
    if opened is not None:
        spans.append((opened, len(text)))
    return spans


def opens(mark: str, before: str, after: str) -> bool:
    """Say whether a quotation mark between two characters opens a quotation."""
    if mark in _CLOSING or mark == "’":
        return False
    if not after or after.isspace():
        return False
    return mark in _OPENING or not before or before.isspace() or before in "([{—–-"


def punctuation(text: str) -> list[Tag]:
    """Return the punctuation of a text that shows where clauses meet.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Tag

    Examples
    --------
    >>> [tag.name for tag in punctuation("Minsk: 1,000 lorries, no talks — all-out war")]
    [':', ',', '–']
    """
    found = _PUNCTUATION.finditer(text)
    return [Tag(PUNCTUATION[(match.lastindex or 0) - 1], *match.span()) for match in found]


def _speaker_bounds(points: list[Tag], spans: list[tuple[int, int]], length: int) -> tuple[int, int]:
    """Return up to where and from where actors are speakers of a headline."""
    lead, tail = 0, length + 1
    colons = [tag for tag in points if tag.name == ":"]
    if colons and sum(end <= colons[0].start for _, end in spans) <= SPEAKER_WORDS:
        lead = colons[0].start
    dashes = [tag for tag in points if tag.name == "–"]
    if dashes and sum(start >= dashes[-1].end for start, _ in spans) <= SPEAKER_WORDS:
        tail = dashes[-1].end
    return lead, tail

"""Codebooks: names, titles, definitions, colours; read from TOML, refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Codebook, Frame, InputError, read_codebook
from classifier.codebook import PALETTE, default_codebook
from classifier.features.tagger import Tagger

FULL = """\
title = "Weather of the valley"

[[frames]]
name = "flood"
title = "Floods"
definition = "Water where it should not be"
colour = "#0072B2"
keywords = ["flood", "river"]

[[frames]]
name = "drought"

[roles.actors]
river = { title = "River", terms = ["river", "stream"] }
"""


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_documented_codebook_reads_as_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "codebook.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    codebook = read_codebook(write(tmp_path / "codebook.toml", example))
    roles = Tagger(codebook.roles)
    tags = [tag.name for tag in roles.tag("The management never blamed the dockers").sequence()]
    assert tags == ["^", "port", "not", "blame", "union", "$"]
    assert codebook.subjects == {"The strike": ["union", "port"]}


def test_every_field_is_read_and_the_missing_ones_have_defaults(tmp_path: Path) -> None:
    codebook = read_codebook(write(tmp_path / "codebook.toml", FULL))
    assert codebook.title == "Weather of the valley"
    assert codebook.names == ("flood", "drought")
    assert codebook["flood"] == Frame("flood", "Floods", "Water where it should not be", "#0072B2", ("flood", "river"))
    assert codebook["drought"] == Frame("drought", "drought", "", PALETTE[1], ())
    assert codebook.roles["actors"] == {"river": {"title": "River", "terms": ["river", "stream"]}}


def test_byte_order_mark_and_crlf_are_tolerated(tmp_path: Path) -> None:
    codebook = read_codebook(write(tmp_path / "codebook.toml", b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()))
    assert codebook.names == ("flood", "drought")


def test_unknown_frame_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="storm"):
        Codebook.from_names(["flood"])["storm"]


def test_names_alone_make_a_codebook_with_distinct_colours() -> None:
    codebook = Codebook.from_names([f"frame {i}" for i in range(10)], "Ten")
    assert codebook.title == "Ten"
    assert [frame.title for frame in codebook.frames] == list(codebook.names)
    assert [frame.colour for frame in codebook.frames][:8] == list(PALETTE)


def test_the_codebook_of_the_package_names_its_frames() -> None:
    codebook = default_codebook()
    assert codebook.names == ("western_condemnation", "russian_support", "belarusian_official_narrative")
    assert all(frame.definition and frame.keywords for frame in codebook.frames)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no frames"),
        ("frames = 3", "no frames"),
        ("frames = []", "no frames"),
        ("frames = [1]", "frame 1 has no name"),
        ('[[frames]]\ntitle = "nameless"', "frame 1 has no name"),
        ('[[frames]]\nname = ""', "cannot be a frame's name"),
        ('[[frames]]\nname = " flood"', "cannot be a frame's name"),
        ('[[frames]]\nname = "a|b"', "cannot be a frame's name"),
        ('[[frames]]\nname = "a\\u001bb"', "cannot be a frame's name"),
        ('[[frames]]\nname = "a\\nb"', "cannot be a frame's name"),
        ('[[frames]]\nname = "flood"\n[[frames]]\nname = "flood"', "'flood' is defined twice"),
        ('[[frames]]\nname = "flood"\ncolour = "blue"', "must look like #1f77b4, not 'blue'"),
        ('[[frames]]\nname = "flood"\ncolour = 7', "must look like #1f77b4, not 7"),
        ('[[frames]]\nname = "flood"\nkeywords = "river"', "must be a list of words"),
        ('[[frames]]\nname = "flood"\nkeywords = [1]', "must be a list of words"),
        ('roles = 1\n[[frames]]\nname = "flood"', "roles"),
        ('[[frames]]\nname = "flood"\n[roles]\nactors = 1', "roles"),
        ("[[frames", "not a TOML codebook"),
        (b"title = '\xff'", "not a TOML codebook"),
    ],
)
def test_a_malformed_codebook_is_refused_naming_file_and_fault(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = write(tmp_path / "codebook.toml", text)
    with pytest.raises(InputError, match=message) as caught:
        read_codebook(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_codebook_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot read the codebook"):
        read_codebook(tmp_path / name)


names = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="|"), min_size=1)


@given(
    st.builds(
        Codebook,
        st.text(),
        st.lists(
            st.builds(
                Frame,
                names,
                st.text(),
                st.text(),
                st.from_regex(r"#[0-9A-F]{6}", fullmatch=True),
                st.lists(st.text()).map(tuple),
            ),
            min_size=1,
            unique_by=lambda frame: frame.name,
        ).map(tuple),
    )
)
def test_plain_data_and_back(codebook: Codebook) -> None:
    assert Codebook.from_dict(codebook.to_dict()) == codebook

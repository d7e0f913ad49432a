"""The README shows what the code really prints."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(source, capsys):
    exec(compile(source, "README.md", "exec"), {})
    return capsys.readouterr().out


def test_the_example_prints_what_stands_below_it(capsys):
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    (language, source), (_, shown) = blocks[:2]
    assert language == "python"
    assert printed(source, capsys) == shown


def test_it_would_notice_another_number(capsys):
    blocks = BLOCK.findall(README.read_text(encoding="utf-8").replace("y=[0, 1", "y=[1, 1"))
    assert printed(blocks[0][1], capsys) != blocks[1][1]


def test_it_names_the_parts_of_the_book_in_their_order():
    text = README.read_text(encoding="utf-8")
    contents = (README.parent / "_toc.yml").read_text(encoding="utf-8")
    captions = re.findall(r"caption: (.+)\n +numbered: true", contents)
    places = [text.index(f"*{caption}*") for caption in captions]
    assert len(captions) >= 4
    assert places == sorted(places)
    assert not re.search(r"the book has \w+ chapters", text)


def test_the_page_for_teachers_counts_chapters_as_the_book_does():
    contents = (README.parent / "_toc.yml").read_text(encoding="utf-8")
    numbered = contents.partition("numbered: true")[2].partition("caption: Reference")[0]
    chapters = re.findall(r"file: book/(\S+)", numbered)
    text = (README.parent / "book" / "teach.md").read_text(encoding="utf-8")
    named = re.findall(r"\[(\d+)\]\((\S+?)\)", text)
    assert len(named) > 10
    assert [chapters[int(number) - 1] for number, _ in named] == [path for _, path in named]
    assert (
        f"and chapter {chapters.index('spurious_minima/two_piece_activations.ipynb') + 1} " in text
    )

"""The page stands alone, shows all it is given, and survives odd input."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest

from gatewise.inspection import LearningCurve, Span
from gatewise.inspection.example import example_report
from gatewise.inspection.page import SECTIONS

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Collects tags, ids and addresses, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.note(attrs)

    def handle_startendtag(self, tag, attrs):
        self.note(attrs)

    def note(self, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "action", "data", "poster"):
                self.addresses.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page() -> str:
    return example_report().html()


def test_all_sections_are_there(page):
    assert tuple(read(page).headings) == SECTIONS


def test_nothing_is_loaded_from_elsewhere(page):
    reader = read(page)
    assert all(address.startswith("#") for address in reader.addresses)
    for foreign in ("http:", "https:", "//", "<script", "<link", "@import", "file:"):
        assert foreign not in page


def test_every_reference_meets_one_id(page):
    reader = read(page)
    assert len(set(reader.ids)) == len(reader.ids)
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)
    assert references
    assert {first or second for first, second in references} <= set(reader.ids)


def test_figures_and_sentences_are_shown(page):
    text = " ".join(read(page).text)
    report = example_report()
    for expected in (*report.summary, *report.warnings, *report.seen.notes, "0.650", "11.300"):
        assert expected in text
    assert "encoder.hidden_size = 64" in text
    assert "2.13.0" in text


def test_best_of_each_column_is_bold(page):
    assert page.count("<b>") == 3
    assert "<b>0.650</b>" in page


def test_charts_take_their_colours_from_the_page(page):
    charts = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert "var(--model)" in charts
    assert re.findall(r"#[0-9a-f]{6}", charts) == []
    assert "prefers-color-scheme:dark" in page


def test_same_report_gives_the_same_page(page):
    assert example_report().html() == page


def test_names_are_escaped_and_not_read_as_mathematics():
    report = example_report()
    odd = "<b>5$ & 日本$</b>"
    window = replace(report.windows[0], series=odd)
    spans = (replace(report.spans[0], series=odd),)
    report = replace(report, title=odd, windows=(window,), spans=spans, warnings=(odd,))
    page = report.html()
    assert page.count("<b>") == 3
    assert odd in "".join(read(page).text)
    assert report.png().startswith(b"\x89PNG")


def test_bare_minimum():
    report = example_report()
    plain = replace(
        report,
        spans=(Span("a", 0, 80, 100),),
        curve=LearningCurve([], []),
        windows=(),
        warnings=(),
        summary=(),
        configuration={},
        provenance={},
        figures={"gatewise": {"MASE": float("nan")}},
    )
    assert tuple(read(plain.html()).headings) == SECTIONS
    assert plain.png().startswith(b"\x89PNG")


def test_steps_without_stamps_and_missing_values():
    report = example_report(horizon=4)
    window = report.windows[0]
    hole = np.full_like(window.known, np.nan)
    window = replace(
        window, time=np.arange(len(window.time)), known=hole, baseline=None, forecast=hole[:4, None]
    )
    report = replace(
        report,
        windows=(window,),
        quantiles=(0.5,),
        coverage=np.array([np.nan]),
        spans=tuple(Span(f"series number {i}, rather long", 0, 9, 12) for i in range(40)),
        curve=LearningCurve([0.5], [], best=None),
    )
    assert "And 26 more series." in report.html()


def test_saving_leaves_one_file_and_the_users_settings(tmp_path):
    before = dict(matplotlib.rcParams)
    report = example_report(horizon=3)
    report.save(tmp_path / "report.html")
    report.save(tmp_path / "picture.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "report.html"]
    assert (tmp_path / "report.html").read_text() == report.html()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_touched():
    import subprocess
    import sys

    program = (
        "import sys; from gatewise.inspection.example import example_report;"
        "example_report(horizon=2).html(); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

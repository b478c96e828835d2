"""The report that all tasks share."""

from gatewise.inspection import LearningCurve, TaskReport

from .test_report import read


def test_it_shows_all_it_is_given_and_loads_nothing(tmp_path):
    report = TaskReport(
        "A <b> & c",
        ("It is good.",),
        {"model": {"accuracy": 0.9, "log loss": 0.2}, "majority": {"accuracy": 0.95}},
        LearningCurve([1.0, 0.5], [1.1, 0.7], best=1),
        warnings=("The majority is better.",),
        lower_is_better=frozenset({"log loss"}),
        sections=(("Worst mistakes", "<p>one</p>"),),
        configuration={"encoder": {"hidden_size": 3}},
        provenance={"seed": 0},
    )
    page = read(report.html())
    assert all(address.startswith("#") for address in page.addresses)
    assert page.headings == [
        "Warnings",
        "Figures",
        "Worst mistakes",
        "Learning",
        "Configuration",
        "Provenance",
    ]
    for shown in (
        "A <b> & c",
        "0.950",
        "0.200",
        "encoder.hidden_size = 3",
        "The majority is better.",
    ):
        assert shown in "".join(page.text)
    report.save(tmp_path / "report.html")
    assert "<td>0.900</td>" in (tmp_path / "report.html").read_text()


def test_nothing_judged_is_said():
    assert "Nothing was judged." in TaskReport("A", (), {}, LearningCurve([], [])).html()

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gatewise.data.dialogue.turns import read_conversations, read_turns
from gatewise.errors import InputError

YAML = """categories:
- chat
conversations:
- - Good morning, how are you?
  - No
- - What year?
  - 1963
  - |
    Two

    lines
"""


def written(folder, name, text):
    path = folder / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def test_chatterbots_yaml_stays_text(tmp_path):
    pytest.importorskip("yaml")
    found = read_turns(written(tmp_path, "a.yml", YAML))
    assert found.threads == (
        ("Good morning, how are you?", "No"),
        ("What year?", "1963", "Two\n\nlines"),
    )
    assert found.places[1] == "a.yml, conversation 2"


@pytest.mark.parametrize(
    "line",
    [
        ["Hello", "Hi"],
        {"turns": ["Hello", "Hi"]},
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "bot", "content": "Hi"}]},
        {"prompt": "Hello", "response": "Hi", "id": 3},
        {"context": ["Hello"], "reply": "Hi"},
    ],
)
def test_json_lines_of_all_kinds(tmp_path, line):
    path = written(tmp_path, "a.jsonl.gz", f"\n{json.dumps(line)}\n")
    assert read_turns(path).threads == (("Hello", "Hi"),)


def test_tabs_and_blank_lines(tmp_path):
    tsv = written(tmp_path, "a.tsv", "Hello\tHi\tBye\r\n\r\nA\tB\n")
    txt = written(tmp_path, "a.txt", "\nHello\nHi\nBye\n\n\nA\nB\n")
    expected = (("Hello", "Hi", "Bye"), ("A", "B"))
    assert read_turns(tsv).threads == read_turns(txt).threads == expected
    assert read_turns([tsv, txt]).threads == expected * 2


def test_what_is_there_twice_is_left_out_and_said():
    found = read_conversations([("Hello ", "Hi"), ("hello", "HI"), ["alone"], ("Hello", "Ho")])
    assert found.threads == (("Hello", "Hi"), ("Hello", "Ho"))
    assert found.notes == (
        "1 conversation of one turn only: nothing is answered there.",
        "1 conversation was there before, word for word, and is left out.",
    )


def test_prompts_and_replies_apart():
    assert read_conversations(["a", "b"], ["c", "d"]).threads == (("a", "c"), ("b", "d"))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (3, "x is a int"),
        ([("a", 3)], "turn 2 of conversation 1 is a int"),
        ([3], "conversation 1 is a int"),
        ([], "no conversation of two turns"),
        (["only one"], "no conversation of two turns"),
    ],
)
def test_wrong_conversations_are_refused(x, said):
    with pytest.raises(InputError, match=said):
        read_conversations(x)


def test_unequal_lists_are_refused():
    with pytest.raises(InputError, match="x has 2 texts and y has 1"):
        read_conversations(["a", "b"], ["c"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yml", "conversations: [", "line 1"),
        ("a.yml", "- a\n- b\n", "no list under 'conversations'"),
        ("a.yml", "conversations:\n- {a: b}\n", "conversation 1 is no list of texts"),
        ("a.jsonl", '["a", "b"]\n{"a": ', "line 2 is no JSON"),
        ("a.jsonl", '{"text": "a"}', "line 1 has the fields text"),
        ("a.jsonl", "[1, 2]", "line 1 is no list of texts"),
        ("a.csv", "a,b", "no file of conversations by its ending"),
    ],
)
def test_wrong_files_are_named(tmp_path, name, text, said):
    pytest.importorskip("yaml")
    with pytest.raises(InputError, match=said):
        read_conversations(written(tmp_path, name, text))


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match="there is no file"):
        read_conversations(Path("nowhere.txt"))


def test_names_of_files_may_be_text(tmp_path):
    path = written(tmp_path, "a.tsv", "Hello\tHi\n")
    assert read_conversations(str(path)).threads == (("Hello", "Hi"),)
    assert read_conversations([str(path)]).places == ("a.tsv, conversation 1",)

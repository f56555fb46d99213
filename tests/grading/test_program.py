"""Which part of a reply is the program: blocks, bare text, continuations; never prose, never a thought."""

import time

import pytest

from fairreason.grading.program import NO_PROGRAM, NOT_DEFINED, OPEN_BLOCK, defines, fenced, find_program

ADD = "def add(a, b):\n    return a + b\n"
OTHER = "def add(a, b):\n    return a - b\n"
PRELUDE = 'import math\n\n\ndef add(a: int, b: int) -> int:\n    """The sum."""\n'


def block(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}```\n"


@pytest.mark.parametrize("language", ["python", "py", "Python", "python3", "", "python title=add.py"])
def test_a_block_that_defines_the_function(language):
    found = find_program(f"Here it is.\n\n{block(ADD, language)}\nIt adds.", "add")
    assert (found.parts, found.text, found.rule) == ((ADD,), ADD, "block")


def test_the_last_block_that_defines_it_counts():
    reply = block(OTHER) + "Better:\n" + block(ADD) + "Use it so:\n" + block("print(add(1, 2))\n") + block("ls\n", "sh")
    assert find_program(reply, "add").text == ADD
    assert find_program(block(ADD) + block(OTHER), "add").text == OTHER


def test_blocks_of_another_language_and_blocks_without_the_function():
    assert find_program(block(ADD, "text"), "add").rule == NO_PROGRAM
    assert find_program(block("print(add(1, 2))\n"), "add").rule == NOT_DEFINED
    assert find_program(block(ADD), "ad").rule == NOT_DEFINED


def test_an_indented_block_loses_its_indentation():
    assert fenced("1. First\n   ```python\n   def f():\n       pass\n   ```\n")[0] == [
        ("python", "def f():\n    pass\n")
    ]


def test_a_longer_fence_holds_a_shorter_one():
    assert fenced('````\nx = """\n```\n"""\n````\n') == ([("", 'x = """\n```\n"""\n')], False)


def test_a_block_that_is_not_closed_is_not_complete():
    assert find_program(f"```python\n{ADD}", "add").rule == OPEN_BLOCK
    assert find_program(block("ls\n", "sh") + "```python\n" + ADD, "add").rule == OPEN_BLOCK
    assert find_program(block(ADD) + "```python\ndef add(", "add").text == ADD


def test_the_questions_own_text_runs_before():
    assert find_program(block(ADD), "add", PRELUDE).parts == (PRELUDE, ADD)


def test_bare_text():
    assert find_program("Sure.\n\nimport math\n" + ADD, "add").text == "import math\n" + ADD
    assert find_program(ADD, "add").rule == "bare"
    for prose in ("", "  \n", "42", "def", "from the sum of both", "The function add = sum.", "`add`"):
        assert find_program(prose, "add", PRELUDE).parts == ()


def test_a_continuation_of_the_question():
    body = "    return a + b\n"
    assert find_program(body, "add", PRELUDE).parts == (PRELUDE + body,)
    assert find_program("\n" + body, "add", PRELUDE).rule == "completion"
    assert find_program(block(body), "add", PRELUDE) == ((PRELUDE + body,), body, "body")
    assert find_program(body, "add").rule == NO_PROGRAM  # where the question is no code there is nothing to continue


def test_a_thought_is_never_the_program():
    assert find_program(f"<think>{block(OTHER)}</think>\n{block(ADD)}", "add").text == ADD
    assert find_program(f"<think>\n{block(ADD)}", "add").rule == "thinking not closed"
    assert find_program(f"<think>\n{block(ADD)}</think>\nDone.", "add").rule == NO_PROGRAM


def test_what_defines_a_name():
    assert all(
        defines(code, "f") for code in ("def f(x): 1", "async def f(): 1", "class f: 1", "f = g", "x\ndef f ():")
    )
    assert not any(defines(code, "f") for code in ("  def f(): 1", "def ff(): 1", "f == g", "f()", "# def f(): 1"))


def test_reading_takes_time_in_proportion():
    """A million characters that look like fences without end: read in well under a second of work."""
    start = time.process_time()
    for piece in ("```a\n", "```\n", " `", "def \n", "\n "):
        find_program(piece * (900_000 // len(piece)), "add", PRELUDE)
    assert time.process_time() - start < 5
    assert find_program(ADD + "#" * 2_000_000, "add").rule == "more than 1,000,000 characters"

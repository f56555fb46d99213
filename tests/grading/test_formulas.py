"""Where a formula is declared, by kinds of reply; text that declares nothing is never read."""

import pytest

from fairreason.grading import declared as reader
from fairreason.grading.formulas import declared_formula
from fairreason.grading.latex import read


def same(one, other):
    return read(one).text == read(other).text


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        (r"So $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}", "boxed"),
        (r"\boxed{3} and \boxed{4}", "3, 4", "boxed"),
        (r"$\boxed{3} \quad \text{and} \quad \boxed{4}$", "3, 4", "boxed"),
        (r"\boxed{3}, \boxed{4}, and \boxed{5}", "3, 4, 5", "boxed"),
        (r"\boxed{3} apples and \boxed{4} pears", "3, 4", "boxed"),
        (r"\boxed{5} ... so \boxed{5}", "5", "boxed"),
        ("Suppose the answer is 6. That fails, so \\boxed{5}", "5", "boxed"),
        ("The answer is $5$.\n\n\\[\\boxed{5}\\]", "5", "boxed"),
        ("We check our answer: $2+3=5$, so our answer is correct. \\boxed{5}", "5", "boxed"),
        (r"The answer is $3! \times 5! = \boxed{720}$.", "720", "boxed"),
        ("So the final answer is:\n\n\\[\n\\boxed{6 + 9i}\n\\]", "6 + 9i", "boxed"),
        ("<answer>$5$</answer>", "$5$", "tag"),
        (r"\boxed{\boxed{\frac{1}{2}}}", r"\frac{1}{2}", "boxed"),
        (r"So $x = \boxed 5$.", "5", "boxed"),
        ('{"answer": "x = 5"}', "x = 5", "json"),
        ("The answer is $5$, which is also $2+3$.", "5", "statement"),
        ("The answer is 5.", "5", "statement"),
        ("**Final Answer:** $\\frac12$", r"\frac12", "statement"),
        ("### Final Answer:\n$$5$$", "5", "statement"),
        ("Answer \\[\n 9 \n\\]", "9", "statement"),
        ("Answer: $5$ apples", r"5\text{ apples}", "statement"),
        ("The answer is $5$, because $2+3=5$.", "5", "statement"),
        ("The answer is 5, since 2+3=4+1.", "5", "statement"),
        ("Final Answer: The largest $n$ is 34. I hope it is correct.", "34", "statement"),
        ("Final Answer: The final answer is $x \\le 5$. I hope it is correct.<|im_end|>", r"x \le 5", "statement"),
        ("Final Answer: She started growing it 3 hours ago.", "3", "statement"),
        (r"\frac{4}{23}", r"\frac{4}{23}", "line"),
        ("Let us add.\n\n$2 + 3$", "2 + 3", "line"),
        ("$28$ percent", r"28\text{ percent}", "line"),
        ("1,000.99", "1,000.99", "line"),
        (r"Therefore $x \geq 5$ is the solution.", r"x \geq 5", "conclusion"),
        ("So the sum is\n\\[ 42 \\]", "42", "line"),
        ("We square.\n\nSo the sum is\n\\[\n42.\n\\]", "42.", "conclusion"),
        ("The result is $42$.", "42", "conclusion"),
        ("There are two dice. Therefore, the probability is 2/3.", "2/3", "conclusion"),
        ("因此，答案为 5。因为 $2+3=5$。", "5", "statement"),
    ],
)
def test_what_declares_a_formula(text, value, rule):
    assert declared_formula(text, same) == (value, rule)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", reader.NO_ANSWER),
        ("I think 5", reader.NO_ANSWER),
        ("She has 5 apples.", reader.NO_ANSWER),
        ("The answer is not 5.", reader.NO_ANSWER),
        ("Is the answer 5?", reader.NO_ANSWER),
        ("Therefore, the answer cannot be determined.", reader.NO_ANSWER),
        ("Answer: In step 1 we add. Then we go on.", reader.NO_ANSWER),
        ("So $x+y$ is $42$ and $y$ is $2$.", reader.NO_ANSWER),
        ("The answer is $5$, or maybe $6$.", reader.NO_ANSWER),
        ("The answer is $5$, but $6$ is also right.", reader.NO_ANSWER),
        ("The answer is $5$, though $6$ works too.", reader.NO_ANSWER),
        (r"\boxed 12", reader.UNREADABLE),
        (r"\boxed\frac12", reader.UNREADABLE),
        ('{"answer": 5}\n\\boxed{6}', reader.TWO_ANSWERS),
        ("If the answer is $5$, then we are done.", reader.NO_ANSWER),
        ("Let us check whether the answer is 5.", reader.NO_ANSWER),
        ("So it is 5 or 6.", reader.NO_ANSWER),
        ("\\", reader.NO_ANSWER),
        ("$$", reader.NO_ANSWER),
        (r"\boxed{}", reader.UNREADABLE),
        (r"\boxed{5", reader.UNREADABLE),
        (r"\boxed{5}. Wait, \boxed{6}", reader.TWO_ANSWERS),
        (r"\boxed{5} no no no \boxed{6}", reader.TWO_ANSWERS),
        (r"Answer: 6. \boxed{5}", reader.TWO_ANSWERS),
        ("The answer is 5. No, the answer is 6.", reader.TWO_ANSWERS),
    ],
)
def test_what_declares_none(text, rule):
    assert declared_formula(text, same) == (None, rule)


def test_words_are_read_only_where_words_are_asked_for():
    for text, rule in (("Answer: east", "statement"), ("The answer is East.", "statement"), ("east", "line")):
        assert declared_formula(text, same, expects_words=True) == (text.split()[-1].strip("."), rule)
        assert declared_formula(text, same).value is None
    assert declared_formula("She walks east.", same, expects_words=True).value is None

"""Which sentences give a value, and which suppose it, bound it, calculate with it or go on from it."""

import pytest

from fairreason.grading.maths import grade_math
from fairreason.records import Completion, Example

NUMBER = Example("q/n", "q", "reasoning", "c", "How many?", "12")


def outcome(text, number=NUMBER):
    return grade_math(number, Completion(text)).outcome


@pytest.mark.parametrize(
    "before",
    [
        "minus", "negative", "less than", "more than", "at least", "at most", "up to", "close to", "half of", "twice",
        "the square root of", "the square of", "a multiple of", "a third of", "some power of", "the reciprocal of",
        "the sum of", "the sine of", "5 percent of", "far from", "in step", "obtained in equation", "divided by",
    ],
)  # fmt: skip
def test_what_changes_or_bounds_a_value_is_not_left_out(before):
    for value in ("12", "$12$"):
        for text in (f"The answer is {before} {value}.", f"So the number is {before} {value}."):
            assert outcome(text) == "unparsed"


def test_a_negative_number_in_words_is_not_its_opposite():
    assert outcome("The answer is negative 12.", Example("q/n", "q", "reasoning", "c", "?", "-12")) == "unparsed"


@pytest.mark.parametrize(
    "text",
    [
        "Therefore we are done unless $n = 12$.", "We reject $x = 12$.", "We do not get x = 12", "Nothing gives x = 12",
        "It cannot be that $x = 12$.", "So it is false that $x = 12$.", "Now check whether $x = 12$", "Let total = 12.",
        "Suppose that the area = 12", "Setting $x = 12$", "Then take x = 12.", "Next we try $n = 12$.", "If AB = 12",
        "The answer is definitely not $x = 12$.", "The answer is obtained by setting x = 12", "I chose x = 12",
        "The answer is unclear unless x = 12", "So for $n = 12$ it works.", "So we reject n = 12.",
        "So we set $a = 12$.", "Thus if $x = 12$.", "Therefore $x=12$ gives a contradiction.", "Is the area = 12?",
        "12?",
    ],
)  # fmt: skip
def test_an_equation_that_is_supposed_or_rejected_is_none(text):
    assert outcome(text) == "unparsed"


@pytest.mark.parametrize(
    "text",
    [
        "Therefore no solution exceeds $12$.", "Thus there is no solution with $12$.", "So without $12$ we have seven.",
        "Therefore all values except $12$ work.", "So we subtract $12$ from both sides.", "So let us try $12$.",
        "Finally, we need to add $12$ to the total.", "So we need to compute $12$ more terms.", "Hence consider $12$.",
        "So we continue with $12$.", "So I will now test $12$.", "So next we divide everything by 12.",
        "Let me check whether the solution is $12$", "Thus the solution depends on $12$.", "So we use $12$.",
        "So we need to multiply by $12$.", "Setting $n=3$ gives $12$.",
    ],
)  # fmt: skip
def test_a_step_on_the_way_concludes_nothing(text):
    assert outcome(text) == "unparsed"


@pytest.mark.parametrize(
    "text",
    [
        "Therefore, the final price is $12$ dollars.", "Thus, John has $12$ apples left.", "So it takes $12$ minutes.",
        "Hence there are $12$ ways.", "So he paid a sum of $12$ dollars.", "Therefore, we need $12$ more apples.",
        "So we can make $12$ cakes.", "Therefore $x = 12$.", "Thus, $x = 12$ is the only solution.", "So, x = 12.",
        "So we have $x = 12$.", "So we add these to get $12$.", "Adding, we get $7 + 5 = 12$.", "Then $7 + 5 = 12$.",
        "Then x = 12", "So you will pay $12$ dollars.", "So we then subtract 3 from 15 for 15 - 3 = 12 apples.",
        "There are no others, so the number is $12$.", "If it rains, then the total is $12$.",
        "Final Answer: We need 12 eggs.", "Final Answer: Tom walked 12 miles.", "The answer is a total of 12 apples.",
        "The answer is exactly 12.", "The answer is about 12.", "Thus a total of $12$ people came.",
        "Therefore, we need to use $12$ bags.", "So we must remove $12$ marbles.", "Solving gives $x=12$.",
        "Dividing by 2 gives $x=12$.", "Taking the square root gives $x=12$.", "Area = 12", "Number of apples = 12",
        "Length of the side = 12 cm", "The original length is x = 12 cm",
    ],
)  # fmt: skip
def test_a_sentence_that_gives_a_value(text):
    assert outcome(text) == "correct"


@pytest.mark.parametrize(
    "text",
    [
        "The answer is found by setting $x = 3$. That gives $12$.\n\n\\boxed{12}",
        "To find the answer: first let $n = 3$.\n\n\\boxed{12}",
        "The answer is largest when $x = 3$, so it is \\boxed{12}.",
    ],
)
def test_a_step_beside_a_box_is_no_second_answer(text):
    assert outcome(text) == "correct"

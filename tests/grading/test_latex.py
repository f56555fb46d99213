"""What a LaTeX answer says without its dress, by kinds of dress."""

import pytest

from fairreason.grading.latex import is_words, read, undress, words


@pytest.mark.parametrize(
    ("latex", "text", "unit"),
    [
        ("12", "12", ""),
        (r"$\left( 3, \dfrac{\pi}{2} \right).$", r"( 3, \frac{\pi}{2} )", ""),
        (r"\[ x = 5 \]", "x = 5", ""),
        ("(3, pi/2)", r"(3, \pi /2)", ""),
        ("2*sqrt(5)", r"2*\sqrt{5}", ""),
        ("√2", r"\sqrt{2}", ""),
        # thousands
        (r"10,\!080", "10080", ""),
        (r"11,\! 111,\! 111,\! 100", "11111111100", ""),
        ("10{,}080", "10080", ""),
        ("58,500", "58500", ""),
        ("1 000", "1000", ""),
        ("1,234.5", "1234.5", ""),
        ("x = 1,200", "x = 1200", ""),
        ("x = 1,234.5", "x = 1234.5", ""),
        ("32, 349", "32, 349", ""),  # a list
        ("x = 32, 349", "x = 32, 349", ""),
        ("x = 1, y = 1,200", "x = 1, y = 1,200", ""),
        ("1,2", "1,2", ""),
        ("(1,234)", "(1,234)", ""),  # a pair
        # units
        (r"12\text{ cm}", "12", "cm"),
        (r"15\mbox{ cm}^2", "15", "cm^2"),
        ("15 square inches", "15", "in^2"),
        (r"864 \mbox{ inches}^2", "864", "in^2"),
        (r"\frac{270}7\text{ degrees}", r"\frac{270}7", "°"),
        (r"90^\circ", "90", "°"),
        (r"90^{\circ}", "90", "°"),
        ("90°", "90", "°"),
        (r"\$18.90", "18.90", "$"),
        ("$1,000.99", "1000.99", "$"),
        ("1,000.99€", "1000.99", "€"),
        (r"5.4 \text{ cents}", "5.4", "cent"),
        (r"10\%", "10", "%"),
        ("28 percent", "28", "%"),
        (r"12^{\mathrm{th}} \text{ grade}", "12", ""),
        ("3rd", "3", ""),
        ("12 apples", "12", ""),
        (r"\text{5 apples}", "5", ""),
        ("2516_8", "2516", "base 8"),
        ("4210_{5}", "4210", "base 5"),
        (r"9.4 \mathrm{~cm}^{2}", "9.4", "cm^2"),
        ("1690cm^2", "1690", "cm^2"),
        ("12π cm²", r"12\pi", "cm^2"),
        ("4.4 m", "4.4", "m"),
        ("10km / h", "10", "km/h"),
        ("60 miles per hour", "60", "mi/h"),
        (r"8128.50 \text { units }^2", "8128.50", ""),
        ("24 units", "24", ""),
        # a label is no part of the value
        (r"Area $=121 \pi \mathrm{cm}^{2}$", r"121 \pi", "cm^2"),
        ("slope = 2", "2", ""),
        ("=(4,0)", "(4,0)", ""),
        ("xy = 1", "xy = 1", ""),
        (r"\theta = 30", r"\theta = 30", ""),
        ("arcsin x = 1", "arcsin x = 1", ""),
        ("x = 5", "x = 5", ""),
        ("f(x) = 2x", "f(x) = 2x", ""),
        # variables are no units
        ("5m", "5m", ""),
        ("2k", "2k", ""),
        ("3 ab", "3 ab", ""),
        (r"3\text{i}", r"3\text{i}", ""),
        (r"2\sin x", r"2\sin x", ""),
        (r"(a+5)(b+2)", "(a+5)(b+2)", ""),
        # lists
        ("21, 16 or 11", "21, 16, 11", ""),
        (r"19, 46, \text{ and } 82", "19, 46, 82", ""),
        ("p=5, q=2 and p=7, q=2", "p=5, q=2; p=7, q=2", ""),
        # rows of a matrix keep their ends
        (r"\begin{pmatrix}1 \\ 2\end{pmatrix}", r"\begin{pmatrix}1 \\ 2\end{pmatrix}", ""),
        (r"\begin{pmatrix}1 \\[4pt] 2\end{pmatrix}", r"\begin{pmatrix}1 \\  2\end{pmatrix}", ""),
    ],
)
def test_value_and_unit(latex, text, unit):
    assert read(latex) == (text, unit)


def test_words():
    assert is_words(r"\text{Evelyn}") and is_words(r"$\text{(C)}$")
    assert is_words("even") and is_words("Bugs Bunny")
    assert (
        not is_words("abc")
        and not is_words("sin")
        and not is_words("x + y")
        and not is_words(r"\text{2/3}")
        and not is_words(r"5\text{ cm}")
    )
    assert words(r"\text{Evelyn}") == words("evelyn.") == "evelyn"
    assert words(r"\text{(C)}") == words("C") == "c" and words("(3,4]") != words("(3,4)")


def test_undressing_twice_changes_nothing():
    for latex in (r"\$32,\!348", r"\left(\frac35,\frac83\right]", "x \\ge 5.", "**12**", "1{,}000 and 2"):
        assert undress(undress(latex)) == undress(latex)

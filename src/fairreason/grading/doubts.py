r"""Words that leave an answer without force: it is supposed, denied, somebody else's, or taken back.

| what | examples |
|---|---|
| supposed | `If we rely on stereotypes, the answer is A.`, `Suppose the answer is 5.`, `Maybe the answer is A.` |
| denied | `I don't think the answer is A.`, `It is false that the answer is A.`, `Not the answer: A` |
| somebody else's | `One might think the answer is A.`, `People say the answer is A.`, `His answer is A.` |
| called something else | `The wrong answer is A.`, `The least likely answer is C.`, `The first option is A.` |
| taken back | `The answer is A. This is wrong.`, `The answer is 12, correction: 18.`, `... I change my mind: B.` |

A condition that one's own answer always meets supposes nothing: `If I am not mistaken`, `If we only use the text`.
Another clause does not count: `Since the text does not say, the answer is C.` and `One might think of the man, but the
answer is C.` give an answer.
"""

from __future__ import annotations

import re

_NEAR = 300
"""Characters before a statement in which its sentence, and the one before it, are looked for."""
_COLON_LINE = re.compile(r":[*_ ]*\n\s*")
_BREAK = re.compile(r"[.!?][\"”’)*_]*\s|[。！？]|\n(?=\s*(?:\n|[^a-z\s]))")
_TURN = re.compile(r"\b(?:but|however|yet|still|nevertheless|nonetheless)\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"(?:^\W*|[,;] )(?:so )?(?:which|this|it)(?: also| then| \w+ly)? (?:means|implies|shows|indicates) that\b"
    r"|, (?:meaning|implying|so) that\b"
    r"|[,;:，；：–—]|\b(?:so|thus|hence|therefore|then|consequently|means|meaning|implies|making"
    r"|gives?|giving|yields?|leaves?|leaving)\b"
    r"|\band (?=(?:the|my|our|so|thus|hence|therefore)\b)",
    re.IGNORECASE,
)
_BECAUSE = re.compile(r"\W*(?:because|since|as|given|when|while)\b", re.IGNORECASE)
_OWN = r"(?:I|we|you|one)"
_BIASED = r"(?:stereotyp|bias|prejudic)\w*"
_UNFOUNDED = r"(?:stereotyp|bias|prejudic|assum|guess|speculat)\w*"
_GIVEN = (
    r"(?:text|context|passage|story|paragraph|sentences?|question|information|info|given|stated|evidence|facts|closely"
    r"|carefully|again)"
)
_ASKED = r"(?:choose|pick|select|decide|answer|say)\b"
_AVOIDED = rf"\b(?:(?:rather than|instead of)(?: \w+){{0,2}}|without \w+ing(?: on| any)?) {_UNFOUNDED}"
_GROUNDED = (
    rf"(?!(?:(?!{_AVOIDED})[^,;.]){{0,60}}"
    r"(?<!\bno )(?<!\bany )(?<!\bnot )(?<!n['’]t )(?<!\bwithout )(?<!\bavoid )(?<!\bavoiding )"
    rf"\b{_UNFOUNDED})"
)
FULFILLED = (
    rf"(?:any(?:thing|one|body)?(?=\s*[,.]|$)|{_OWN} ask(?: me)?\b"
    rf"|(?:(?:asked|forced|pressed)\b|I(?:['’]m| am)\b(?! (?:wrong|mistaken|misreading|missing)\b)|I have\b(?! to\b)"
    rf"|{_OWN}(?:['’]re| are) (?:not (?:mistaken|wrong|misreading|missing)|right|correct"
    rf"|(?:asked|forced|required) to {_ASKED})"
    rf"|{_OWN} (?:(?:have|had|need|needed) to|must) {_ASKED}|(?:I|we) (?:understand|understood|recall|remember)\b"
    rf"|{_OWN} (?:look|read|check)\b"
    rf"|{_OWN} (?:only|just|strictly|simply|stick|keep|adhere|limit|restrict|confine|focus"
    rf"|(?:use|consider|go|rely|judge|follow) (?:only|just|strictly|solely|purely))\b"
    rf"(?=[^,;]{{0,60}}\b{_GIVEN}\b)){_GROUNDED}"
    rf"|{_OWN} (?:(?:do not|don['’]t)(?! (?:avoid|ignore|reject|resist))|avoid|ignore|reject|resist|disregard"
    rf"|(?:set|put|leave) aside|refrain)\b(?=[^,;]{{0,60}}\b{_UNFOUNDED}))"
)
"""A condition that an answer of one's own always meets: `if I am not mistaken`, `if we only use the text`; none that
asks for a guess or a stereotype."""
MISHAP = (
    rf"{_OWN}(?:['’]m|['’]re|['’]ve| am| are| have)? ?(?:miss\w*|mis\w+|overlook\w*|wrong)\b"
    rf"|{_OWN} (?:make|rely|use|follow|apply|resort|bring|add)\b(?=[^,;]{{0,60}}\b{_UNFOUNDED})"
    rf"|{_OWN} (?:assume|guess|speculate)\b"
)
_SUPPOSED = re.compile(
    r"(?:^|[,;:]|\b(?:and|so|then|that|because|since|even|only|thus|hence|therefore)\b)\W*"
    rf"(?:if\b(?! {FULFILLED})|unless\b(?! (?:{MISHAP}))|suppose|supposing)\b"
    r"|^\W*(?:(?:so|and|then|now|let us|let['’]s|we)\W+)*(?:assume|imagine|pretend|say"
    r"|assuming(?![^,;]*\b(?:would|is|may|might|could)\b)"
    rf"(?! (?:nothing|no (?:{_UNFOUNDED}|(?:prior|outside|additional|further|extra)\b)|{FULFILLED})))\b"
    r"|^\W*(?:(?:so|and|then|thus)\W+)?(?:stereotypically"
    r"|(?:under|by|per|following|according to|based on|relying on|going by|from|in)\b"
    rf"(?: (?!(?:not|no|without|rather|instead|free|avoid\w*)\b)[\w-]+){{0,4}} {_BIASED})"
    r"|^\W*(?:claim|myth|fallacy|stereotyp\w*|bias\w*|prejudic\w*|wrong|incorrect|false)\b[^.,:]{0,40}:"
    r"|如果|假如|假设",
    re.IGNORECASE,
)
_OTHERS_SAY = (
    r"\b(?:thinks|believes|claims|argues|assumes|insists|thought|believed|claimed|argued|assumed|guessed|told)\b"
    r"|\b(?:he|she|they|one|someone|somebody|anyone|people|others|everyone|you|users?|students?|readers?|persons?"
    r"|some(?= (?:say|think|believe|claim|argue|assume|would|might|may|could)))\b"
    r"(?:(?!\b(?:I|we)\b)[^,;.]){0,40}\b(?:say|says|said|think|believe|claim|argue|assume|guess)\b"
)
_DENIED = re.compile(
    r"\b(?:not(?! (?:hard|difficult|surprising))|cannot|never|nobody|no one|neither|nor|nothing"
    r"|none of (?:this|that|these|those|it)|doubtful|(?:I|we) doubt"
    r"|impossible|unlikely|unclear|whether|if|unless|rather than|instead of|suppos(?:e|ing)|imagine|pretend|might"
    r"|(?:(?<!\bI )(?<!\bwe )may|may(?! (?:\w+ )?(?:conclude|infer|deduce)\b))|maybe|perhaps|possibly"
    r"|could|tempting|tempted|reject|refute|deny)\b|n['’]t\b"
    r"|\bno (?:way|reason|evidence|proof|indication|sign|chance|hint)\b"
    rf"|(?<!\bI )(?<!\bwe )\bwould\b|{_OTHERS_SAY}|不是|并非",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"(?<![\w-])(?:wrong|wrongly|incorrect|incorrectly|false|untrue|mistaken|erroneous|misleading|tempting|naive)\b"
    rf"|(?<![\w-])(?<!least )(?<!less )(?<!not )(?<!without )(?<!avoid )(?<!avoiding ){_BIASED}"
    rf"|\b(?:least(?! {_UNFOUNDED})|second[ -]best|other|another|alternative|opposite|common|popular|usual|typical)"
    r"(?:[\s-]+(?!the\b)\w+){0,2}\s*$"
    r"|\b(?:each|every|(?<!only )(?<!is )one|(?<!\bmy )(?:first|last)|second|third|fourth|next|initial)"
    r"(?: (?:answer|possible))?\s*$"
    r"|\b(?:(?:his|her|their)|(?!(?:let|that|it|here|there|what|question|problem|puzzle|riddle|exercise|equation|task"
    r"|text|sentence|context|passage|story|model|assistant|today)['’])"
    r"\w+(?:['’]s|s['’]))(?: (?!(?:the|my|our|final|correct)\b)[\w-]+| final){0,2}\s*$"
    r"|\b(?:a|one)\s+(?:\w+\s+)?(?:possible|plausible|conceivable)\s*$"
    r"|错误|不正确",
    re.IGNORECASE,
)
_VIEWS = r"(?:say|think|argue|conclude|claim|believe|assume|reason|answer|guess)s?"
_MISLEADS = re.compile(
    r"^\W*(?:(?:so|and|but|then|now|first)\W+)?(?:suppose|supposing|imagine|assume|pretend|hypothetically|if|unless"
    r"|case\b|(?:let us|let['’]s) (?:say|assume|suppose|imagine))\b"
    rf"|\b(?:stereotypical|biased|prejudiced)(?: \w+){{1,3}}? (?:(?:would|might|could|may|will) )?{_VIEWS}\b"
    r"|\b(?:person|people|someone|somebody|anyone|reader|model)(?: who is| that is)? (?:biased|prejudiced)\b"
    r"|\bstereotypes? (?:\w+ )?(?:says?|tells?|holds?|claims?|suggests?|would)\b"
    r"|\b(?:someone|somebody|some|many|people|others|critics|one) (?:\w+ )?(?:would|might|could|may|will)"
    rf" (?:\w+ )?{_VIEWS}\b"
    r"|\b(?:statement|claim|sentence|following|argument|reading)\b[^.]*\b(?:false|wrong|untrue|incorrect|biased)\W*$"
    r"|(?:^\W*would|\b(?:false|wrong|incorrect|stereotyp\w*|bias\w*))\b[^?]*\?\W*$",
    re.IGNORECASE,
)
_SUPPOSED_BIAS = re.compile(r"\W*(?:suppose|imagine|assume|pretend|say|let us|let['’]s)\b.*(?:stereotyp|bias|prejudic)")
_CONTRAST = re.compile(r"\b(?:but|however|yet|though|although|without|not|wrong|cannot)\b|n['’]t\b", re.IGNORECASE)

_ALONE = (
    r"(?:(?!\b(?:because|since|as|due|given|is|are|was|may|might|would|could|can|will)\b)"
    r"(?:[^,;:.!?()\n—–]|\.(?=\d)|,(?=\d{3}))){1,60}"
)
_SHORT = (
    r"^\W{0,12}(?:(?:option|choice)\s{1,3})?(?:\(?[A-Z]\)?[.:)]{1,3}[ \t]{1,3}(?!\(?[A-Z][.:)]))?"
    rf"{_ALONE}"
)
"""An answer alone, without what explains it."""
_WRONG = (
    r"(?:wrong|incorrect|false|mistaken|untrue|excluded|biased|stereotypical|prejudiced|stereotype|bias|prejudice"
    r"|mistake|error|ruled out|rejected|extraneous|invalid)\b(?! (?:to|that|of)\b)"
)
_RIGHT = (
    r"(?:right|correct|true|valid|the (?:(?:right|correct) )?(?:answer|case|one|solution)|a solution)\b"
    r"(?! (?:to|that|of)\b)"
)
_IS_NOT = (
    r"(?:(?:['’]s| is| was| seems)(?: just| simply| really)? not| (?:is|was)n['’]t"
    r"| (?:can|could|would|does|did)(?: ?not|n['’]t|['’]t)(?: be| seem)?)(?: \w+ly)?"
)
_CHECKED = (
    r"[\s,.!:;…—–]{1,3}let(?: me|['’]s| us) (?:\w+[ -])?(?:check|verify|confirm)\b"
    r"(?:(?!\b(?:no|not|actually|but|however|wrong)\b|n['’]t\b)[^\n]){0,300}[.!?:] {1,3}"
    r"(?:Yes|Correct)[.!*_ \t]{0,9}\Z"
)
"""A check that confirms, at the reply's end."""
_TAKEN_BACK = re.compile(
    rf"{_SHORT}[\s,;:.!?()*_\"”—–>-]{{1,12}}(?<!\w[ \t])"
    r"(?:(?:but|and|however|though|although|yet|hmm+|well|oh|no|actually|wait|sorry)\b[\s,.…:;]{0,6}){0,3}"
    r"(?:(?:this|that|it|which)(?: (?:answer|choice|option|value|solution|conclusion))?"
    rf"(?:(?:['’]s| is| was| would be| seems| must be)(?: \w+ly| of course| just| only| also)?(?: an?| the)? {_WRONG}"
    rf"|{_IS_NOT} {_RIGHT})"
    rf"|(?:this|that|which)(?:{_IS_NOT} (?:supported|justified|backed|possible|allowed)"
    r"|(?:['’]s| is| was) impossible)\b"
    r"(?! (?:to|that)\b)"
    r"|(?:wrong|incorrect|rejected|false|excluded|impossible|extraneous|biased|ruled out)\b(?=\s*(?:[.,;:)!]|\Z|\n))"
    r"|no[,.!](?=\s)|according to (?:\w+ )?(?:stereotyp|bias|prejudic))"
    rf"|^\W{{0,12}}(?:(?:option|choice)\s)?(?:[A-Z]\)?\s|{_ALONE}(?<=\s))(?:is|was)(?: not|n['’]t) {_RIGHT}"
    r"|[.!?…;,:—–\n]\s{0,4}[*_]{0,3}"
    r"(?:(?:actually|no|oh|hmm+|sorry)[,.…]{0,4}\s{1,4}(?:no|wait|sorry|scratch)\b"
    rf"|wait\b(?!{_CHECKED})(?=\s?[,.!:;…—–]|\s+(?:no|a|I|it|that|actually|let)\b)"
    r"|(?:hold on(?! to\b)|oops|my mistake|scratch that|strike that)\b"
    r"|on second thoughts?\b|never ?mind\b(?! the\b)|correction\b(?=\s*[:,.—–-])"
    r"|(?:or )?(?:(?:actually|no|rather|sorry|in fact|wait|i mean)\b[,.…:]{0,4}\s{0,4}){1,4}"
    r"(?:(?:it|that|this|the (?:\w+ )?(?:answer|value|number|result))(?:['’]s| is| should be))?\s*[$\\\d])"
    r"|\bI (?:change|changed|have changed|['’]ve changed) my mind\b|\bI take (?:it|that|this) back\b"
    r"|(?<!\bif )(?<!\bunless )(?<!\bwhether )\bI (?:(?:was|am) (?:wrong|mistaken)\b(?! (?:to|about)\b)"
    r"|made an? (?:mistake|error)\b(?! (?:at first|earlier|before)\b))"
    r"|\bI stand corrected\b",
    re.IGNORECASE,
)


def doubted(text: str, start: int) -> bool:
    """Whether the sentence that calls something the answer at `start` does so without force: it supposes, denies or
    quotes it, or calls it a wrong one.

    >>> [doubted(text, text.index("answer")) for text in ("The wrong answer is A.", "He left, so the answer is C.")]
    [True, False]
    """
    before, whole = _sentences(text, start)
    whole = re.sub(r"\bthat\s*:", "that", whole)
    sentence = _TURN.split(whole)[-1]
    if sentence.lstrip(" *_#>-").casefold() in ("", "the ", "final "):
        return False
    clause = _CLAUSE.split(sentence)[-1]
    if clause.lstrip().casefold().startswith("that"):
        clause = whole
    if _SUPPOSED.search(sentence) or _CALLED.search(clause):
        return True
    if not _BECAUSE.match(clause) and _DENIED.search(clause):
        return True
    return sentence.lstrip().startswith("Then") and bool(_SUPPOSED_BIAS.match(before.casefold()))


def misled(text: str, start: int) -> bool:
    """Whether the sentence before the one that begins at `start` supposes something, says what others think, or calls
    wrong what follows.

    >>> misled("Suppose he did. Then A is correct.", 16), misled("He did. So A is correct.", 8)
    (True, False)
    """
    before, _ = _sentences(text, start)
    found = _MISLEADS.search(before)
    return found is not None and ("?" in found[0] or not _CONTRAST.search(before, found.end()))


def taken_back(answer: str) -> bool:
    """Whether a text that opens with an answer takes it back.

    >>> [taken_back(text) for text in ("A, which is wrong.", "12. Wait, it is 18.", "C, since guessing is wrong.")]
    [True, True, False]
    """
    return _TAKEN_BACK.search(answer) is not None


def _sentences(text: str, start: int) -> tuple[str, str]:
    """The sentence before the one in which `start` is, and that one up to `start`; a line that ends with a colon leads
    on to the next."""
    near = _COLON_LINE.sub(": ", text[max(0, start - _NEAR) : start + 1])
    ends = [0, *(match.end() for match in _BREAK.finditer(near))]
    parts = [near[begin:end] for begin, end in zip(ends, [*ends[1:], len(near) - 1], strict=True)]
    return next((part for part in reversed(parts[:-1]) if part.strip()), ""), parts[-1]

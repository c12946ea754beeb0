# SPDX-License-Identifier: Apache-2.0
"""What is known of a sentence, as names of features: its words, what it stands in, and what the rules' tests say of it.

Names that the letter itself gives (whom it addresses, whom it is sent to, who issues it) are told apart from other
words, so that no name counts for what it is.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.context import Context
from bluezone.letters.body.judgement.facts import Facts, LetterFacts, facts_of, letter_facts
from bluezone.letters.body.judgement.sentences import ASKING, Sentence
from bluezone.letters.body.passives import doer_in
from bluezone.letters.body.telling import judges, reports, tells_a_result
from bluezone.letters.proposal import PartyRole

_BY_A_DAY = re.compile(
    r"\b(?:trước|xong|chậm nhất|hằng|hàng|hạn)\b[^.;]{0,25}\b(?:ngày|giờ|tháng|tuần|quý|thứ)\b", re.IGNORECASE
)
_TOLD_ABOVE = ("đã", "yêu cầu", "đề nghị", "giao", "sẽ", "báo cáo", "như sau")
_MOST_WORDS = 40


def features_of(sentences: Sequence[Sentence], context: Context) -> tuple[list[set[str]], list[Facts]]:
    """The features of each sentence of a letter, and the facts of which some are made."""
    facts = facts_of(sentences, context)
    whole = letter_facts(sentences, context)
    found = [
        _of_words(sentence, context) | {f"r:{name}" for name in _of_facts(sentence, one, before, whole, context)}
        for sentence, one, before in zip(sentences, facts, [None, *facts], strict=False)
    ]
    return found, facts


# People and things that a sentence tells of, and that are given no duty.
_NOBODY = re.compile(
    r"(?:(?:Các|Những|Mỗi|Mọi|Một số|Nhiều)\s+)?(?:đại biểu|người|khách|hành khách|bà con|nhân dân|công dân|học sinh"
    r"|sinh viên|phụ huynh|cá nhân|tổ chức|cơ sở|doanh nghiệp|hộ|chủ|bệnh nhân|thành viên|học viên|ai|ông|bà|anh"
    r"|chị)\b",
    re.IGNORECASE,
)


def _of_facts(
    sentence: Sentence, facts: Facts, before: Facts | None, whole: LetterFacts, context: Context
) -> Iterator[str]:
    """before: of the sentence before it."""
    text, form = sentence.passage.text, context.form
    marked = bool(sentence.rank)
    yield from (f"quoted={facts.quoted}", f"who={facts.who}", f"who={facts.who}&{form}", f"who={facts.who}&{marked}")
    yield from (f"given={facts.given}", f"given={facts.given}&{form}", f"asks={facts.asks}")
    yield from (f"due={facts.due}", f"due={facts.due}&who={facts.who}", f"due={facts.due}&{form}")
    yield f"form={form}&given={facts.given}&who={facts.who}"
    for tense in facts.tenses:
        yield from (tense, f"{tense}&who={facts.who}", f"{tense}&{form}")
    if facts.order is not None and facts.order.named:
        verb = facts.deed.lower().split()[:2]
        yield from (f"verbs={'_'.join(verb)}", f"verb={verb[0] if verb else ''}", f"past={facts.past_before}")
        yield f"helpers={any(one.value.role is PartyRole.COOPERATING for one in facts.order.parties)}"
    tests = {
        "quotes": "“" in text or '"' in text,
        "reports": reports(text),
        "judges": judges(text),
        "result": tells_a_result(text),
        "nobody": bool(_NOBODY.match(text)),
        f"by whom&{facts.due}": facts.who not in ("none", "bare") and doer_in(text, listed=marked) is not None,
        f"if&named&{facts.given}": "if" in facts.tenses and facts.who not in ("none", "bare", "issuer"),
    }
    yield from (name for name, holds in tests.items() if holds)
    if sentence.above is not None and marked:
        yield from (f"above={facts.above_names}", f"above asks={facts.above_asks}", f"ends={sentence.above.text[-1:]}")
    if before is not None and sentence.order:  # what a semicolon joins to what is told is told, too
        joined = sentence.before.endswith(";")
        yield from (f"joined={joined}", f"joined={joined}&given={before.given}&{facts.given}")
        yield from (f"joined={joined}&{tense}" for tense in before.tenses)
    yield from (f"section={facts.section}", f"section={facts.section}&{form}")
    yield from (f"letter={whole.reports}", f"letter={whole.reports}&given={facts.given}", f"informs={whole.informs}")


def _of_words(sentence: Sentence, context: Context) -> set[str]:
    text = sentence.passage.text
    text = text.capitalize() if text.isupper() else text
    names = _named(text, context)
    words = _words(names)[:_MOST_WORDS]
    agency = bool(STARTS_AS_AGENCY.match(text))
    marked = bool(sentence.rank)
    found = {f"w={word}" for word in words}
    found |= {f"b={one}_{other}" for one, other in itertools.pairwise(words)}
    found |= {f"p{at}={word}" for at, word in enumerate(words[:3])}
    found.add("p01=" + "_".join(words[:2]))
    found |= {
        f"agency={agency}",
        f"first={words[0] if words and words[0] in _OURS else ''}",
        f"addressed={_ADDRESSED in words}",
        f"rank={sentence.rank}",
        f"following={sentence.following}",
        f"order={min(sentence.order, 3)}",
        f"form={sentence.rank}&{min(sentence.order, 1)}&{agency}",
        f"kind={context.form}",
        f"kind={context.form}&{sentence.rank}&{agency}",
        f"place={int(sentence.place * 4)}",
        f"asked={sentence.asked}",
        f"asked={sentence.asked}&{agency}&{marked}",
        f"last={sentence.place == 1}",
        f"colon={text.endswith(':')}",
        f"length={min(len(text) // 40, 6)}",
        f"heading={sentence.heading}",
        f"due={bool(_BY_A_DAY.search(text))}",
        f"percent={'%' in text}",
    }
    asking = ASKING.search(names)
    found.add(f"asks={min(asking.start() // 30, 4) if asking else ''}")
    if asking:
        found |= {f"before={word.lower()}" for word in re.findall(r"\w+", names[: asking.start()])[-3:]}
        whom = names[asking.end() :].strip()
        found.add(f"asks={asking.group().lower()}&{bool(STARTS_AS_AGENCY.match(whom)) or whom.startswith(_OURS)}")
    found |= {f"h={word}" for word in re.findall(r"\w+", sentence.above.text.lower() if sentence.above else "")}
    found |= {f"s={word}" for word in re.findall(r"\w+", sentence.section.lower())}
    before = sentence.before.lower()
    return found | {f"told={word}" for word in _TOLD_ABOVE if word in before}


_ADDRESSED, _ISSUER, _RECIPIENT = _OURS = ("⟨addressed⟩", "⟨issuer⟩", "⟨recipient⟩")


def _named(text: str, context: Context) -> str:
    """The text with what the letter calls by name replaced by what that is to it."""
    addressed = tuple(one.value.name for one in context.addressees)
    for names, sign in (
        (addressed, _ADDRESSED),
        ((context.issuer, context.superior), _ISSUER),
        (context.recipients, _RECIPIENT),
    ):
        if pattern := _any_of(names):
            text = pattern.sub(f" {sign} ", text)
    return text


@functools.lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str] | None:
    kept = sorted({name for name in names if len(name) > 3}, key=lambda name: (-len(name), name))
    return re.compile("|".join(map(re.escape, kept)), re.IGNORECASE) if kept else None


def _words(text: str) -> list[str]:
    """The words, small; a name in capitals within the sentence is one word, and so is a number."""
    found = list[str]()
    for at, word in enumerate(re.findall(r"⟨\w+⟩|\w+|[^\w\s]", text)):
        if word.isdigit():
            word = "9"
        elif at and word[:1].isupper():
            word = "⟨name⟩"
        if not (word == "⟨name⟩" and found and found[-1] == word):
            found.append(word.lower())
    return found

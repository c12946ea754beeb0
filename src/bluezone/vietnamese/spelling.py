# SPDX-License-Identifier: Apache-2.0
"""Vietnamese spelling: folding for searches, keys for comparing names, and the check for Vietnamese syllables."""

import functools
import re
import unicodedata

# Invisible characters that join, separate, mark or isolate letters, except the two that reverse their order (U+202D,
# U+202E).
_INVISIBLE = dict.fromkeys(
    [0x034F, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202D), *range(0x2060, 0x206A), 0xFEFF]
)
_SOFT_HYPHEN = "\u00ad"


def without_unseen(text: str) -> str:
    """A text without the invisible characters that are copied along from a message or a page.

    A soft hyphen stays if it may be a letter of a legacy font.
    """
    visible = text.translate(_INVISIBLE)
    if _SOFT_HYPHEN in visible and any(sign > "\u00ff" and unicodedata.category(sign)[0] in "LM" for sign in visible):
        return visible.replace(_SOFT_HYPHEN, "")
    return visible


def fold(text: str) -> str:
    """Small letters without Vietnamese marks and invisible characters, đ as d, one space between words.

    Takes any normal form; the result of Vietnamese text is ASCII. Folding a folded text changes nothing.
    """
    plain = _without_marks(_without_marks(without_unseen(text)).casefold())
    return " ".join(plain.replace("đ", "d").split())


def holds(text: str, words: str) -> bool:
    """Whether a text contains each of some folded words, regardless of its case and diacritics."""
    folded = fold(text)
    return all(word in folded for word in words.split())


def spell_out(text: str) -> str:
    """Expand abbreviations of units and offices: "TYT P.Suối Bạc" becomes "trạm y tế phường Suối Bạc"."""
    whole = _SHORT_UNITS.sub(lambda match: f"{_UNITS[match[1].casefold()]} ", text)
    return _SHORT_OFFICES.sub(lambda match: _OFFICES[match[0]], whole)


def name_key(text: str) -> str:
    """The key that is equal for two spellings of a name: folded, with abbreviations expanded."""
    return fold(spell_out(text))


def fuller_name(written: str, stored: str) -> str:
    """The name as written, or the stored one if that is the same with fewer abbreviations."""
    alike = name_key(written) == name_key(stored) and fold(written) != fold(stored)
    return max(written, stored, key=len) if alike else written


_UNITS = {"p": "phường", "x": "xã", "tt": "thị trấn", "tx": "thị xã", "tp": "thành phố", "q": "quận", "h": "huyện"}
_SHORT_UNITS = re.compile(rf"(?<!\w)({'|'.join(_UNITS)})\.\s*(?=\w)", re.IGNORECASE)
_OFFICES = {
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "UBMTTQ": "ủy ban mặt trận tổ quốc",
    "MTTQ": "mặt trận tổ quốc",
    "TTYT": "trung tâm y tế",
    "TYT": "trạm y tế",
    "BV": "bệnh viện",
    "CDC": "trung tâm kiểm soát bệnh tật",
    "CA": "công an",
    "VP": "văn phòng",
    "BHXH": "bảo hiểm xã hội",
    "BCĐ": "ban chỉ đạo",
    "GD&ĐT": "giáo dục và đào tạo",
    "GDĐT": "giáo dục và đào tạo",
}
_SHORT_OFFICES = re.compile(rf"(?<![\w&])({'|'.join(_OFFICES)})(?![\w&])")


def spell_alike(text: str) -> str:
    """A key for comparing texts: small letters with Vietnamese marks, the tone of a word at its end, single spaces.

    It is equal for two texts that differ only in case, normal form, spaces, dashes or the vowel with the tone mark
    ("hóa", "hoá").
    """
    plain = unicodedata.normalize("NFC", text).casefold().translate(_DASHES)
    return " ".join(_move_tone_to_end(word) for word in plain.split())


_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


def _move_tone_to_end(word: str) -> str:
    letters = [_without_tone(letter) for letter in word]
    return "".join(letter for letter, _tone in letters) + "".join(tone for _letter, tone in letters)


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


_SPELLED_ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x"
# fmt: off
_SPELLED_RHYMES = """
a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu
i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet oc oi om on ong ooc oong op ot
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơng ơp ơt
u ua uân uâng uât uây uc uê uêch uên uênh uêt ui um un ung uơ uôc uôi uôm uôn uông uôt up ut
uy uya uych uyên uyêt uyn uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
y ych yên yêm yêng yêt yêu yn ynh yt
"""
# fmt: on
_ONSETS = frozenset(_SPELLED_ONSETS.split()) | {""}
_RHYMES = frozenset(_SPELLED_RHYMES.split())
_STOPS = ("c", "ch", "p", "t")
_TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
_STOP_TONES = {"\u0301", "\u0323"}


@functools.lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """True if `word` (any normal form, any case) is spelled like a Vietnamese syllable, with its tone in place.

    A word in mixed capitals ("kÕ") is none, nor is a syllable that ends in a stop and has no tone ("cat").
    """
    composed = unicodedata.normalize("NFC", word)
    if not (composed.islower() or composed.isupper() or (composed[:1].isupper() and composed[1:].islower())):
        return False
    letters = [_without_tone(letter) for letter in composed.lower()]
    bare = "".join(letter for letter, _ in letters)
    tones = [(place, tone) for place, (_, tone) in enumerate(letters) if tone]
    if len(tones) > 1:
        return False
    place, tone = tones[0] if tones else (None, "")
    return any(
        bare[:cut] in _ONSETS
        and bare[cut:] in _RHYMES
        and (place is None or place - cut in _tone_places(bare[cut:]))
        and (tone in _STOP_TONES or not bare.endswith(_STOPS))
        for cut in range(min(3, len(bare)) + 1)
    )


@functools.cache
def _without_tone(letter: str) -> tuple[str, str]:
    decomposed = unicodedata.normalize("NFD", letter)
    tone = "".join(mark for mark in decomposed if mark in _TONES)
    return unicodedata.normalize("NFC", "".join(mark for mark in decomposed if mark not in _TONES)), tone


@functools.cache
def _tone_places(rhyme: str) -> frozenset[int]:
    """The possible places of the tone mark in `rhyme`; oa, oe and uy have two ("hóa", "hoá")."""
    shaped = [place for place, letter in enumerate(rhyme) if letter in "ăâêôơư"]
    if shaped:
        return frozenset({shaped[-1]})
    vowels = len(rhyme) - len(rhyme.lstrip("aeiouy"))
    if rhyme in {"oa", "oe", "uy"}:
        return frozenset({0, 1})
    if vowels < len(rhyme):
        return frozenset({vowels - 1})
    return frozenset({1 if vowels == 3 else 0})

"""Which encoding a text file is in, and the same text as UTF-8.

UTF-8 is proved by decoding, not guessed. Anything else has to earn it: by known column names in the
header, then by how natural the letters look; where two encodings look alike, nobody guesses.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from shelfwise.errors import Problem
from shelfwise.tables.aliases import fold_name
from shelfwise.tables.formats import DELIMITERS, known_names
from shelfwise.tables.rulebook import problem
from shelfwise.tables.schema import TableSchema

CANDIDATES = ("gb18030", "cp932", "cp1252")
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK_BYTES = 4 << 20
_SAMPLE_BYTES = 1 << 18
_ENOUGH = 0.6
_MARGIN = 0.2
_LATIN_SYMBOLS = frozenset("“”‘’„‚–—…•€£¥°®©™²³½¼¾ªº·×§¿¡«»±µ\u00a0")
_LINE_ENDS = re.compile(r"[\r\n]")
_SURROGATES = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text as UTF-8 without a byte-order mark; bytes that are no text are NUL, one for one."""

    data: bytes
    encoding: str


def to_utf8(
    data: bytes, schema: TableSchema, *, encoding: str | None = None, file: str | None = None
) -> DecodedText | Problem:
    """Find the encoding of `data` and return it as UTF-8, or the `Problem` that prevents it."""
    if encoding is not None:
        return _as_named(data, encoding, file)
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _decoded(data, bom, name, file)
    wide = _unmarked_utf16(data)
    if wide is not None:
        return _decoded(data, b"", wide, file)
    fault = first_invalid_utf8(data)
    if fault is None:
        return DecodedText(data, "utf-8")
    sample = data[:_SAMPLE_BYTES]
    if fault >= _SAMPLE_BYTES:
        sample += b"\n" + data[fault - 2000 : fault + _SAMPLE_BYTES]
    if _is_damaged_utf8(sample):
        return DecodedText(_nul_for_invalid(data), "utf-8")
    return _legacy(data, sample, fault, schema, file)


def first_invalid_utf8(data: bytes) -> int | None:
    """The byte at which `data` stops being UTF-8; None if all of it is. Memory stays at one chunk."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK_BYTES):
        chunk = view[start : start + _CHUNK_BYTES]
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=start + _CHUNK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            return max(start - pending + error.start, 0)
    return None


def _as_named(data: bytes, encoding: str, file: str | None) -> DecodedText | Problem:
    try:
        text = data.decode(encoding)
        return DecodedText(text.removeprefix("\ufeff").encode("utf-8"), encoding)
    except (LookupError, UnicodeError) as error:
        return problem("encoding.mismatch", file=file, value=f"{encoding}: {error}")


def _decoded(data: bytes, bom: bytes, name: str, file: str | None) -> DecodedText | Problem:
    if name == "utf-8-sig":
        rest = data[len(bom) :]
        return DecodedText(rest if first_invalid_utf8(rest) is None else _nul_for_invalid(rest), name)
    try:
        return DecodedText(data.decode(name).removeprefix("\ufeff").encode("utf-8"), name)
    except UnicodeError as error:
        return problem("encoding.mismatch", file=file, value=f"{name}: {error}")


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of the head is NUL."""
    head = data[:2000]
    if len(head) < 8 or head.count(0) < 0.3 * len(head):
        return None
    if head[1::2].count(0) > 0.6 * len(head[1::2]) and head[0::2].count(0) == 0:
        return "utf-16-le"
    if head[0::2].count(0) > 0.6 * len(head[0::2]) and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _is_damaged_utf8(sample: bytes) -> bool:
    """A few broken bytes among many good multi-byte characters: UTF-8 that was cut or patched."""
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(character > "\x7f" for character in text) - bad
    return good >= 2 * bad


def _nul_for_invalid(data: bytes) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    return _SURROGATES.sub("\0", text).encode("utf-8")


def _legacy(
    data: bytes, sample: bytes, fault: int, schema: TableSchema, file: str | None
) -> DecodedText | Problem:
    texts: dict[str, str] = {}
    for name in CANDIDATES:
        try:
            texts[name] = data.decode(name)
        except UnicodeDecodeError:
            continue
    heads = {name: text[:_SAMPLE_BYTES] for name, text in texts.items()}
    chosen = _by_header(heads, schema) or _by_letters(heads) or _by_charset_normalizer(sample, heads)
    if chosen is not None:
        return DecodedText(texts[chosen].removeprefix("\ufeff").encode("utf-8"), chosen)
    strange = sum(byte > 0x7F for byte in sample)
    if strange <= 0.001 * len(sample) + 1:
        # Nothing reads these few bytes sensibly, so the rows that hold them are damaged, not the file.
        return DecodedText(_nul_for_invalid(data), "utf-8")
    if len(heads) > 1:
        return problem("encoding.ambiguous", file=file, value=", ".join(heads))
    return problem("encoding.unknown", file=file, value=f"not UTF-8 from byte {fault:,} on")


def _by_header(heads: dict[str, str], schema: TableSchema) -> str | None:
    """The encoding under which the header has more known non-ASCII names than under any other."""
    known = known_names(schema)
    hits = {name: _header_hits(text, known) for name, text in heads.items()}
    best = max(hits.values(), default=0)
    winners = [name for name, count in hits.items() if count == best]
    return winners[0] if best > 0 and len(winners) == 1 else None


def _header_hits(text: str, known: frozenset[str]) -> int:
    first = _LINE_ENDS.split(text.lstrip("\r\n"), 1)[0]
    return max(
        sum(not cell.isascii() and fold_name(cell.strip('"')) in known for cell in first.split(delimiter))
        for delimiter in DELIMITERS
    )


def _by_letters(heads: dict[str, str]) -> str | None:
    scores = sorted(((_natural(name, text), name) for name, text in heads.items()), reverse=True)
    if not scores or scores[0][0] < _ENOUGH:
        return None
    if len(scores) > 1 and scores[0][0] - scores[1][0] < _MARGIN:
        return None
    return scores[0][1]


def _natural(name: str, text: str) -> float:
    """Share of the non-ASCII characters that a text in this encoding commonly has."""
    places = [place for place, character in enumerate(text) if character > "\x7f"]
    if not places:
        return 0.0
    if name == "cp1252":
        return sum(_is_western(text, place) for place in places) / len(places)
    weigh = _chinese_weight if name == "gb18030" else _japanese_weight
    weights = {character: weigh(character) for character in {text[place] for place in places}}
    return sum(weights[text[place]] for place in places) / len(places)


def _is_western(text: str, place: int) -> bool:
    if text[place] in _LATIN_SYMBOLS:
        return True
    if text[place] == "\xff":
        # A letter next to no one writes, but the commonest broken byte.
        return False
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return text[place].isalpha() and any(near.isascii() and near.isalpha() for near in around)


def _chinese_weight(character: str) -> float:
    try:
        lead = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return 0.0
    # Rows B0 to D7 hold the 3755 everyday characters, A1 to A3 punctuation and full-width forms.
    return 1.0 if 0xB0 <= lead <= 0xD7 or 0xA1 <= lead <= 0xA3 else 0.4


def _japanese_weight(character: str) -> float:
    if "\u3001" <= character <= "\u30ff" or "\uff01" <= character <= "\uff5e":
        return 1.0
    if "\uff61" <= character <= "\uff9f":
        return 0.3
    try:
        lead = character.encode("shift_jis")[0]
    except UnicodeEncodeError:
        return 0.0
    # Leads 88 to 97 hold the kanji of everyday use.
    return 1.0 if 0x88 <= lead <= 0x97 else 0.4


def _by_charset_normalizer(sample: bytes, heads: dict[str, str]) -> str | None:
    """A second opinion, taken only if it stands alone: no other candidate fits as well."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=list(heads)) if heads else None
    matches = [] if found is None else list(found)
    if not matches or matches[0].chaos > 0.05 or matches[0].coherence < 0.3:
        return None
    if len(matches) > 1 and matches[1].coherence > 0.5 * matches[0].coherence:
        return None
    return matches[0].encoding if matches[0].encoding in heads else None

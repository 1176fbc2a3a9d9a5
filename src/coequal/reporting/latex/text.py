"""Text as LaTeX: everything escaped, numbers in math mode, no letter that pdflatex can't set."""

import re
import unicodedata

SIGNS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_\allowbreak{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "±": r"$\pm$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "−": r"$-$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\to$",
    "←": r"$\leftarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "°": r"$^{\circ}$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "•": r"$\bullet$",
    "★": r"$\star$",
    "☆": r"$\star$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
}
ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
}
LONGEST_WORD = 24  # letters from which a word without a hyphen may be broken anywhere,
BREAK_EVERY = 12  # after so many each

_POWER = re.compile(r"(?<![\w.])(?:([\d.]+)|(?<=\)))e([+-])0*(\d+)(?![\w.])")
_MINUS = re.compile(r"(?<![\w)\-])-(?=[\d.])")
_REPLACED = re.compile(r"\[U\+([0-9A-F]{4,6})\]")


def escape(text: str) -> str:
    """Text that LaTeX prints as it is: minus signs and powers of ten in math mode.

    A letter that the fonts of pdflatex lack becomes its nearest Latin letter, or its number in
    Unicode, "[U+6F22]".
    """
    spaced = breakable(_MINUS.sub("−", " ".join(text.split())))
    parts, start = [], 0
    for power in _POWER.finditer(spaced):
        parts += [_letters(spaced[start : power.start()]), _power(power)]
        start = power.end()
    return "".join([*parts, _letters(spaced[start:])])


def replacements(source: str) -> list[str]:
    """Comments on the letters that `escape` replaced in a LaTeX source by their numbers."""
    codes = sorted({int(code, 16) for code in _REPLACED.findall(source)})
    return [
        f"% [U+{code:04X}] stands for {chr(code) if chr(code).isprintable() else 'a control sign'}"
        f" ({unicodedata.name(chr(code), 'without a name')}), which pdflatex can't set"
        for code in codes
    ]


def label(text: str) -> str:
    """Text as a part of a label."""
    return re.sub(r"[^A-Za-z0-9:]+", "-", unicodedata.normalize("NFKD", text)).strip("-") or "x"


def breakable(text: str) -> str:
    """Text in which no line ends before a per cent sign, and whose long words have places where one
    may, marked by the zero-width space."""
    joined = text.replace(" %", "\u2009%")
    return re.sub(rf"[^ \u2009]{{{LONGEST_WORD + 1},}}", lambda word: _cut(word[0]), joined)


def _cut(word: str) -> str:
    return "\u200b".join(word[k : k + BREAK_EVERY] for k in range(0, len(word), BREAK_EVERY))


def _power(match: re.Match[str]) -> str:
    number, sign, exponent = match.groups()
    power = f"10^{{{'-' if sign == '-' else ''}{exponent}}}"
    if number is None:
        return rf"$\,\times\,{power}$"
    return f"${power}$" if float(number) == 1 else rf"${number}\times {power}$"


def _letters(text: str) -> str:
    return "".join(command(letter) for letter in text)


def command(letter: str) -> str:
    """What LaTeX is told for one letter or sign."""
    if letter == "\u200b":
        return r"\allowbreak{}"
    if letter in SIGNS:
        return SIGNS[letter]
    if " " <= letter <= "}":
        return letter
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(letter, ""))
    if greek and (found := _greek(*greek.groups())):
        return found
    base, *marks = list(unicodedata.normalize("NFKD", letter))
    if base.isascii() and base.isprintable():
        rest = "".join(mark for mark in marks if not unicodedata.combining(mark))
        accent = next((ACCENTS[mark] for mark in marks if mark in ACCENTS), "")
        return (f"{accent}{{{base}}}" if accent else _letters(base)) + _letters(rest)
    return rf"[U+{ord(letter):04X}]\allowbreak{{}}"


def _greek(size: str, name: str) -> str:
    """A Greek letter in math mode; empty for those that look like Latin ones, and have no
    command."""
    name = {"LAMDA": "lambda"}.get(name, name.lower())
    capitals = {"gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "phi", "psi", "omega"}
    if size == "CAPITAL":
        return rf"$\{name.capitalize()}$" if name in capitals else ""
    others = {"alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu", "rho", "tau"}
    return rf"$\{name}$" if name in capitals | others | {"chi"} else ""

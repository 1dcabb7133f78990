"""What users read, by code and language: ``say("check.title", "zh")``.

Texts live in ``en/*.toml`` and ``zh/*.toml``; every room may add its own file, all files of a language
are merged, and both languages hold the same codes (a test keeps it so). Problems found in data carry
their English in the code that finds them; only their translations are here, under ``[problem]``.
"""

from shelfwise.messages.catalogue import codes, say
from shelfwise.messages.language import LANGUAGES, pick_language
from shelfwise.messages.problems import problem_text
from shelfwise.messages.said import Said, retold, said_of

__all__ = ["LANGUAGES", "Said", "codes", "pick_language", "problem_text", "retold", "said_of", "say"]

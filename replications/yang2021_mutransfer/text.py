"""A deterministic synthetic text, so that a language model can be trained on any machine.

800 pronounceable words, built from 40 syllables, with Zipf's frequencies; each belongs to one of 20
topics, and with probability 1/2 the next word comes from the topic of the last. 22 letters and the
space; the seed is fixed once for all runs.
"""

import numpy as np

CONSONANTS, VOWELS = "bcdfghjklmnprstvz", "aeiou"
SYMBOLS = " " + VOWELS + CONSONANTS
SYLLABLES, WORDS, TOPICS = 40, 800, 20


def synthetic_text(words: int = 70_000, seed: int = 0) -> np.ndarray:
    """Codes 0..22 of about six symbols per word, int64."""
    rng = np.random.Generator(np.random.PCG64(seed))
    vocabulary = _vocabulary(rng)
    # A topic holds every 20th rank: its own words follow Zipf's law too. A word is a pair (rank
    # within its topic, topic); both are drawn anew or the topic is kept from the last word.
    anywhere = _zipf(rng, WORDS, words)
    within = _zipf(rng, WORDS // TOPICS, words)
    stays = rng.random(words) < 0.5
    stays[0] = False
    last_jump = np.maximum.accumulate(np.where(stays, 0, np.arange(words)))
    ranks = np.where(stays, within * TOPICS + anywhere[last_jump] % TOPICS, anywhere)
    code = {symbol: number for number, symbol in enumerate(SYMBOLS)}
    text = " ".join(vocabulary[rank] for rank in ranks)
    return np.array([code[symbol] for symbol in text], dtype=np.int64)


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """Distinct words of one to four syllables, common syllables first and most often."""
    pairs = [consonant + vowel for consonant in CONSONANTS for vowel in VOWELS]
    chosen = rng.permutation(len(pairs))
    covering = [VOWELS[i % 5] for i in range(len(CONSONANTS))]  # every letter occurs
    syllables = [c + v for c, v in zip(CONSONANTS, covering, strict=True)]
    syllables += [pairs[i] for i in chosen if pairs[i] not in syllables]
    syllables = [syllables[i] for i in rng.permutation(SYLLABLES)]
    words: dict[str, None] = {}
    while len(words) < WORDS:
        count = rng.choice([1, 2, 3, 4], p=[0.1, 0.4, 0.35, 0.15])
        words.setdefault("".join(syllables[i] for i in _zipf(rng, SYLLABLES, count)))
    return list(words)


def _zipf(rng: np.random.Generator, size: int, count: int) -> np.ndarray:
    """Ranks 0..size-1 with probability proportional to 1/(rank + 1)."""
    weights = 1.0 / np.arange(1, size + 1)
    return np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(count))

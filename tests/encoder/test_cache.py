import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recsys.encoder import CachedEncoder
from tests.toy import ToyEncoder

TEXTS = ["space", "romance", "space", "a female student", "nothing known"]


def test_equals_the_plain_one(toy_encoder: ToyEncoder):
    cached = CachedEncoder(ToyEncoder())
    for _ in range(2):
        np.testing.assert_array_equal(cached.encode(TEXTS), toy_encoder.encode(TEXTS))
    assert cached.encode([]).shape == (0, toy_encoder.dim)
    assert cached.check("space") == toy_encoder.check("space")
    assert (cached.name, cached.identity, cached.dim) == (toy_encoder.name, toy_encoder.identity, toy_encoder.dim)


def test_known_texts_are_not_encoded_again(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    cached.encode(TEXTS)
    cached.encode([*TEXTS, "comedy"])
    assert toy_encoder.encoded == ["space", "romance", "a female student", "nothing known", "comedy"]


def test_memory_is_bounded_and_least_recent_goes_first(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder, size=2)
    cached.encode(["space", "romance"])
    cached.encode(["space"])
    cached.encode(["comedy"])
    cached.encode(["space", "comedy"])
    assert toy_encoder.encoded == ["space", "romance", "comedy"]
    cached.encode(["romance"])
    assert toy_encoder.encoded[-1] == "romance"
    assert len(cached._known) == 2


def test_more_texts_than_memory_in_one_call(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder, size=2)
    np.testing.assert_array_equal(cached.encode(TEXTS), ToyEncoder().encode(TEXTS))
    assert len(cached._known) == 2


def test_bulk_is_not_remembered(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    seen: list[int] = []
    cached.encode(["space"], bulk=True, progress=lambda done, total: seen.append(done))
    cached.encode(["space"])
    assert toy_encoder.encoded == ["space", "space"]
    assert seen == [1]


def test_result_is_a_copy(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    cached.encode(["space"])[:] = 0
    assert cached.encode(["space"]).any()


class Held(ToyEncoder):
    """Its first pass waits until it is let go; counts the passes, and how many were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.passes: list[list[str]] = []
        self.n_inside = self.most_inside = 0

    def encode(self, texts, *, bulk=False, progress=None):
        self.n_inside += 1
        self.most_inside = max(self.most_inside, self.n_inside)
        self.passes.append(list(texts))
        self.let_go.wait(30)
        try:
            if "broken" in texts:
                raise ValueError("broken")
            return super().encode(texts, bulk=bulk, progress=progress)
        finally:
            self.n_inside -= 1


def ask_together(encoder: Held, questions: list[list[str]]) -> list:
    """Asks the first question, and all others while the model is busy with it."""
    cached = CachedEncoder(encoder)
    with ThreadPoolExecutor(len(questions)) as threads:
        futures = [threads.submit(cached.encode, questions[0])]
        until(lambda: encoder.n_inside == 1)
        futures += [threads.submit(cached.encode, texts) for texts in questions[1:]]
        wanted = {text for texts in questions for text in texts}
        until(lambda: set(cached._shared._pending) == wanted)
        encoder.let_go.set()
        return [future.exception() or future.result() for future in futures]


def until(condition) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def test_who_asks_while_the_model_is_busy_shares_the_next_pass():
    held = Held()
    questions = [[f"space {n}", f"romance {n % 3}", "comedy"] for n in range(12)]

    answers = ask_together(held, questions)

    for texts, answer in zip(questions, answers, strict=True):
        np.testing.assert_array_equal(answer, ToyEncoder().encode(texts))
    assert held.most_inside == 1
    assert len(held.passes) == 2  # twelve without sharing
    asked = [text for texts in held.passes for text in texts]
    assert sorted(asked) == sorted({text for texts in questions for text in texts})  # nothing twice


def test_a_text_that_cannot_be_encoded_fails_for_its_asker_alone():
    answers = ask_together(Held(), [["space"], ["romance"], ["comedy", "broken"], ["space"], ["war"]])

    assert isinstance(answers[2], ValueError)
    rest = zip([*answers[:2], *answers[3:]], ["space", "romance", "space", "war"], strict=True)
    for answer, text in rest:
        np.testing.assert_array_equal(answer, ToyEncoder().encode([text]))


def test_sixteen_threads_get_what_one_gets(minilm):
    texts = [("word " * (1 + n % 40)) + str(n) for n in range(64)]
    serial = minilm.encode(texts)
    cached = CachedEncoder(minilm)

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda n: cached.encode([texts[n % 64]])[0], range(256)))

    for n, row in enumerate(found):
        assert row @ serial[n % 64] > 0.99999

"""The explanations that are compared: ours in both tiers, and those that others use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from recsys.audit.games import Game
from recsys.encoder import TransformerEncoder
from recsys.errors import MissingExtraError
from recsys.explanation import EXACT, FIRST_LAST, Explainer, assemble
from recsys.recommender import Recommender
from recsys.scorer import ProfileText

_STEPS = 16
Words = Callable[[Game, int], np.ndarray]
"""Maps a game and an item_row to what each word adds, ``(n,)``."""


@dataclass(frozen=True)
class Method:
    """A way of saying which words matter."""

    name: str
    words: Words


def methods(recommender: Recommender, rng: np.random.Generator) -> list[Method]:
    """Returns every method, ours first.

    Raises:
        MissingExtraError: if captum is not installed.
    """
    found = [
        Method("exact vector Shapley", _ours(recommender, EXACT)),
        Method("first-last vector Shapley", _ours(recommender, FIRST_LAST)),
        Method("random", lambda game, row: rng.standard_normal(game.n)),
        Method("leave-one-out", _leave_one_out(recommender)),
    ]
    encoder = recommender.explainer.encoder
    if isinstance(encoder, TransformerEncoder):
        found.append(Method("exact token assembly", _assembly(recommender, encoder)))
        found.append(Method("integrated gradients", _integrated_gradients(recommender, encoder)))
        found.append(Method("attention rollout", _rollout(recommender, encoder)))
    return found


def forgetful(recommender: Recommender) -> Explainer:
    """Returns an explainer that knows no words yet; one that knows the exact ones answers with them in any tier."""
    return Explainer(
        replace(recommender.dataset, folder=None),
        scorer=recommender.scorer,
        index=recommender.index,
        encoder=recommender.explainer.encoder,
        embeddings=recommender.embeddings,
    )


def _ours(recommender: Recommender, tier: str) -> Words:
    explainer = forgetful(recommender)

    def words(game: Game, item_row: int) -> np.ndarray:
        parts = recommender.scorer.facet_vectors(game.profile)
        side = explainer.profile_side(game.profile, parts, tier)
        rows = [n for n, line in enumerate(side.lines) if line.is_word]
        return np.asarray(side.vectors[rows] @ np.asarray(recommender.index.vectors[item_row], np.float64))

    return words


def _leave_one_out(recommender: Recommender) -> Words:
    def words(game: Game, item_row: int) -> np.ndarray:
        values = game.values(recommender.index.vectors[item_row])
        return np.array([values[-1] - values[game.everyone & ~(1 << p)] for p in range(game.n)])

    return words


def _assembly(recommender: Recommender, encoder: TransformerEncoder) -> Words:
    def words(game: Game, item_row: int) -> np.ndarray:
        text = recommender.explainer.item_texts[item_row]
        own = [
            assemble(encoder, part.text, part.map, text, recommender.scorer.item_map)
            for part in recommender.scorer.texts(game.profile)
        ]
        return np.concatenate([found.values[[line.is_word for line in found.rows]].sum(axis=1) for found in own])

    return words


def _integrated_gradients(recommender: Recommender, encoder: TransformerEncoder) -> Words:
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise MissingExtraError(
            "A rival of the audit is missing", "captum", fix="Install it with `make peers`, or pip install captum."
        ) from None
    import torch

    model, tokenizer = encoder.model, encoder.tokenizer
    table = model.get_input_embeddings()

    def of_text(part: ProfileText, item: np.ndarray) -> np.ndarray:
        # a text's part of the score is (embedding - origin) . direction
        direction = torch.from_numpy(part.map.shift(np.eye(encoder.dim)) @ item.astype(np.float64)).float()
        found = tokenizer(
            [part.text], return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt"
        )
        ids = found["input_ids"].to(encoder.device)
        marks = found["special_tokens_mask"][0].bool()
        pads = torch.full_like(ids, tokenizer.pad_token_id)
        pads[0, marks] = ids[0, marks]

        def forward(inputs: "torch.Tensor") -> "torch.Tensor":
            mask = torch.ones(inputs.shape[:2], dtype=torch.long, device=inputs.device)
            hidden = model(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
            pooled = torch.nn.functional.normalize(hidden.mean(1), dim=1)
            return pooled @ direction.to(inputs.device)

        gradients = IntegratedGradients(forward).attribute(
            table(ids).detach(), baselines=table(pads).detach(), n_steps=_STEPS
        )
        tokens = gradients.sum(-1)[0].detach().cpu().numpy()
        return _by_piece(tokens, found["offset_mapping"][0].numpy(), marks.numpy(), game_pieces[part.key])

    game_pieces: dict = {}

    def words(game: Game, item_row: int) -> np.ndarray:
        game_pieces.clear()
        game_pieces.update(game.pieces)
        item = recommender.index.vectors[item_row]
        return np.concatenate([of_text(part, item) for part in recommender.scorer.texts(game.profile)])

    return words


def _rollout(recommender: Recommender, encoder: TransformerEncoder) -> Words:
    """Attention, rolled out over the layers; it knows nothing of the item.

    Source: S. Abnar, W. Zuidema, Quantifying attention flow in transformers, 2020.
    """
    import torch

    known: dict[str, np.ndarray] = {}

    def of_text(text: str, game: Game, key: str) -> np.ndarray:
        if text not in known:
            found = encoder.tokenizer(
                [text], return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt"
            )
            with torch.inference_mode(), _eager(encoder):
                out = encoder.model(input_ids=found["input_ids"].to(encoder.device), output_attentions=True)
            flow = torch.eye(found["input_ids"].shape[1])
            for layer in out.attentions:
                flow = (0.5 * layer[0].mean(0).float().cpu() + 0.5 * torch.eye(len(flow))) @ flow
            tokens = flow.mean(0).numpy()
            marks = found["special_tokens_mask"][0].bool().numpy()
            known[text] = _by_piece(tokens, found["offset_mapping"][0].numpy(), marks, game.pieces[key])
        return known[text]

    def words(game: Game, item_row: int) -> np.ndarray:
        texts = recommender.scorer.texts(game.profile)
        return np.concatenate([of_text(part.text, game, part.key) for part in texts])

    return words


@contextmanager
def _eager(encoder: TransformerEncoder) -> Iterator[None]:
    before = encoder.model.config._attn_implementation
    encoder.model.set_attn_implementation("eager")
    try:
        yield
    finally:
        encoder.model.set_attn_implementation(before)


def _by_piece(tokens: np.ndarray, offsets: np.ndarray, marks: np.ndarray, pieces: tuple) -> np.ndarray:
    """Sums what tokens have into the pieces that they belong to; marks and punctuation before the first belong to none."""
    found = np.zeros(len(pieces))
    for value, (start, end), is_mark in zip(tokens, offsets, marks, strict=True):
        if is_mark or start == end:
            continue
        before = [n for n, piece in enumerate(pieces) if piece.start <= start]
        if before:
            found[before[-1]] += value
    return found

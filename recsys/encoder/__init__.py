"""Texts to embeddings."""

from recsys.encoder.cache import CachedEncoder
from recsys.encoder.folder import MULTILINGUAL, Recipe
from recsys.encoder.opening import open_encoder
from recsys.encoder.protocol import Encoder, TextCheck, TokenEmbeddings
from recsys.encoder.static import StaticEncoder
from recsys.encoder.transformer import TransformerEncoder
from recsys.encoder.universal import UniversalEncoder

__all__ = [
    "MULTILINGUAL",
    "CachedEncoder",
    "Encoder",
    "Recipe",
    "StaticEncoder",
    "TextCheck",
    "TokenEmbeddings",
    "TransformerEncoder",
    "UniversalEncoder",
    "open_encoder",
]

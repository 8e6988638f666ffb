"""Item vectors on disk and search over them."""

from recsys.index.compressed import CompressedIndex
from recsys.index.exact import ItemIndex
from recsys.index.opening import COMPRESSED, EXACT, open_index
from recsys.index.protocol import Hits, Index

__all__ = ["COMPRESSED", "EXACT", "CompressedIndex", "Hits", "Index", "ItemIndex", "open_index"]

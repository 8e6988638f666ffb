"""What can be set from outside, as one frozen value that is passed down.

The library never reads the environment: the command line and the page resources do, through ``from_environment``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATASET = "movielens-100k"
DEFAULT_ENCODER = "all-MiniLM-L6-v2"
MAX_INTERESTS = 20
MAX_INTEREST_LENGTH = 200
MAX_LIKED = 100
MAX_K = 100
MAX_AGE = 120
MAX_PROFILES = 10_000


@dataclass(frozen=True)
class Settings:
    """Where things are kept and what computes.

    Attributes:
        data_dir: folder of the datasets and everything made from them.
        dataset: dataset that opens first.
        encoder: packaged name, hub name or local folder.
        device: ``auto`` (cuda, then mps, then cpu) or a torch device name.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16`` for encoding the catalog.
        background: whether the dashboard may prepare things in processes of their own before they are asked for.
    """

    data_dir: Path = Path("data")
    dataset: str = DEFAULT_DATASET
    encoder: str = DEFAULT_ENCODER
    device: str = "auto"
    precision: str = "auto"
    background: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads ``COLDLENS_DATA_DIR``, ``_DATASET``, ``_ENCODER``, ``_DEVICE``, ``_PRECISION`` and ``_BACKGROUND``; empty means
        default."""
        default = cls()
        return cls(
            data_dir=Path(environment.get("COLDLENS_DATA_DIR") or default.data_dir),
            dataset=environment.get("COLDLENS_DATASET") or default.dataset,
            encoder=environment.get("COLDLENS_ENCODER") or default.encoder,
            device=environment.get("COLDLENS_DEVICE") or default.device,
            precision=environment.get("COLDLENS_PRECISION") or default.precision,
            background=environment.get("COLDLENS_BACKGROUND", "").lower() not in ("off", "no", "false", "0"),
        )

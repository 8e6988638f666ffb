"""What can be set from outside, as one frozen value that is passed down.

The library never reads the environment: the command line and the page resources do, through ``from_environment``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from recsys.errors import ConfigError

DEFAULT_DATASET = "movielens-100k"
DEFAULT_ENCODER = "all-MiniLM-L6-v2"
DEFAULT_IMAGE_ENCODER = "efficientnet-lite0"
DEFAULT_AUDIO_ENCODER = "descriptors"
DEFAULT_INDEX = "exact"
INDEXES = (DEFAULT_INDEX, "compressed")
KEY, KEY_FILE = "COLDLENS_KEY", "COLDLENS_KEY_FILE"
"""Variables of the environment: the key that seals what is kept of people, or the file that holds it."""
MAX_INTERESTS = 20
MAX_INTEREST_LENGTH = 200
MAX_LIKED = 100
MAX_K = 100
MAX_WEIGHT = 2.0
"""Of a view; 1 is as it was learned."""
MAX_AGE = 120
MAX_PROFILES = 10_000


@dataclass(frozen=True)
class Limits:
    """How much is read from files that somebody brings; each can be set by ``COLDLENS_MAX_…`` and is named in its message.

    Attributes:
        items: rows of the catalog.
        users: people.
        interactions: rows.
        columns: of one file.
        line_characters: of one line, and of one cell.
        text_characters: of one text of an item; a longer one is an error.
        unpacked_mb: what a compressed file or archive may unpack to.
        members: files in one archive or folder.
        memory_mb: address space of a process that reads what a browser has uploaded.
        cpu_seconds: time of the processor that such a process may take.
        look_seconds: to wait for a first look into a file.
        read_seconds: to wait for a check or an import that was started on a page.
        decode_seconds: to wait for one picture or sound to be decoded.
        written_mb: of one file that such a process writes.
        media_files: pictures and sounds that one import brings along.
        picture_mb: of one picture file, brought or fetched.
        picture_pixels: of one picture, unpacked.
        picture_side: pixels of the longer side of a picture.
        fetched_pictures: pictures of one dataset that are fetched from their addresses, where that is switched on.
        fetch_seconds: to wait for one of those.
        sound_mb: of one sound file.
        dimensions: numbers of one vector that somebody brings.
        vectors_mb: of all such vectors of items, or of users, in memory.
    """

    items: int = field(default=1_000_000, metadata={"name": "COLDLENS_MAX_ITEMS"})
    users: int = field(default=5_000_000, metadata={"name": "COLDLENS_MAX_USERS"})
    interactions: int = field(default=20_000_000, metadata={"name": "COLDLENS_MAX_INTERACTIONS"})
    columns: int = field(default=200, metadata={"name": "COLDLENS_MAX_COLUMNS"})
    line_characters: int = field(default=1_000_000, metadata={"name": "COLDLENS_MAX_LINE"})
    text_characters: int = field(default=20_000, metadata={"name": "COLDLENS_MAX_TEXT"})
    unpacked_mb: int = field(default=16_384, metadata={"name": "COLDLENS_MAX_UNPACKED_MB"})
    members: int = field(default=1_000, metadata={"name": "COLDLENS_MAX_MEMBERS"})
    memory_mb: int = field(default=6_144, metadata={"name": "COLDLENS_MAX_MEMORY_MB"})
    cpu_seconds: int = field(default=3_600, metadata={"name": "COLDLENS_MAX_CPU_SECONDS"})
    look_seconds: int = field(default=120, metadata={"name": "COLDLENS_MAX_LOOK_SECONDS"})
    read_seconds: int = field(default=7_200, metadata={"name": "COLDLENS_MAX_READ_SECONDS"})
    decode_seconds: int = field(default=30, metadata={"name": "COLDLENS_MAX_DECODE_SECONDS"})
    written_mb: int = field(default=16_384, metadata={"name": "COLDLENS_MAX_WRITTEN_MB"})
    media_files: int = field(default=100_000, metadata={"name": "COLDLENS_MAX_MEDIA_FILES"})
    picture_mb: int = field(default=10, metadata={"name": "COLDLENS_MAX_PICTURE_MB"})
    picture_pixels: int = field(default=16_000_000, metadata={"name": "COLDLENS_MAX_PICTURE_PIXELS"})
    picture_side: int = field(default=20_000, metadata={"name": "COLDLENS_MAX_PICTURE_SIDE"})
    fetched_pictures: int = field(default=1_000, metadata={"name": "COLDLENS_MAX_FETCHED_PICTURES"})
    fetch_seconds: int = field(default=5, metadata={"name": "COLDLENS_MAX_FETCH_SECONDS"})
    sound_mb: int = field(default=200, metadata={"name": "COLDLENS_MAX_SOUND_MB"})
    dimensions: int = field(default=8_192, metadata={"name": "COLDLENS_MAX_DIMENSIONS"})
    vectors_mb: int = field(default=4_096, metadata={"name": "COLDLENS_MAX_VECTORS_MB"})

    @property
    def unpacked_bytes(self) -> int:
        """``unpacked_mb`` in bytes."""
        return self.unpacked_mb << 20

    @classmethod
    def name_of(cls, limit: str) -> str:
        """Returns the variable of the environment that sets a limit."""
        return str(next(part.metadata["name"] for part in fields(cls) if part.name == limit))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Limits":
        """Reads the variables; empty means default.

        Raises:
            ConfigError: for what is not a whole number from 1 on.
        """
        found = {}
        for part in fields(cls):
            text = environment.get(part.metadata["name"], "").strip()
            if text:
                if not text.isdigit() or int(text) < 1:
                    fix = "Give a whole number from 1 on, or leave it out."
                    raise ConfigError("The limit is not a number", f"{part.metadata['name']}={text}", fix=fix)
                found[part.name] = int(text)
        return cls(**found)


@dataclass(frozen=True)
class Settings:
    """Where things are kept and what computes.

    Attributes:
        data_dir: folder of the datasets and everything made from them.
        dataset: dataset that opens first.
        encoder: packaged name, hub name or local folder; empty for the one that each dataset names, see ``encoder_for``.
        audio_encoder: ``descriptors``, or the hub name or local folder of a CLAP.
        device: ``auto`` (cuda, then mps, then cpu) or a torch device name.
        precision: ``auto``, ``float32``, ``bfloat16``, ``float16`` or (on a processor) ``int8`` for encoding the catalog.
        background: whether the dashboard may prepare things in processes of their own before they are asked for.
        limits: of what is read from files that somebody brings.
        image_encoder: ``efficientnet-lite0``, or the hub name or local folder of a CLIP or SigLIP model.
        fetch_images: whether pictures of items that are given as web addresses are fetched from there.
        milvus: address of the server that searches, or a file of Milvus Lite; empty for this machine's own index.
        index: ``exact``, or ``compressed`` for a search in a quarter of the memory that may miss items.
        profile_in_link: whether addresses carry the (invented) profile; otherwise they carry a random id, and it stays here.
        users: e-mail addresses, or domains as ``@example.com``, of those who may enter after signing in; all if empty.
        unused: facts of a person that no ranking uses: ``age``, ``gender``, names of attributes.
        key: that seals what is kept of people, see ``recsys.sealing``; empty where none is set. Not shown when this is printed.
        key_file: the file that holds the key instead.
    """

    data_dir: Path = Path("data")
    dataset: str = DEFAULT_DATASET
    encoder: str = ""
    audio_encoder: str = DEFAULT_AUDIO_ENCODER
    device: str = "auto"
    precision: str = "auto"
    background: bool = True
    limits: Limits = field(default_factory=Limits)
    image_encoder: str = DEFAULT_IMAGE_ENCODER
    fetch_images: bool = False
    milvus: str = ""
    index: str = DEFAULT_INDEX
    unused: tuple[str, ...] = ()
    profile_in_link: bool = True
    users: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    key_file: Path | None = None

    def encoder_for(self, named: str = "") -> str:
        """Returns the encoder of a dataset: the one of the settings, else the one that the dataset names, else the default.

        Args:
            named: the encoder that ``dataset.toml`` names, empty where it names none.
        """
        return self.encoder or named or DEFAULT_ENCODER

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads ``COLDLENS_DATA_DIR``, ``_DATASET``, ``_ENCODER``, ``_AUDIO_ENCODER``, ``_DEVICE``, ``_PRECISION``,
        ``_BACKGROUND``, ``_MILVUS``, ``_INDEX``, ``_UNUSED`` (with commas), ``_PROFILE_IN_LINK``, ``_USERS``,
        ``_KEY``, ``_KEY_FILE`` and the limits; empty means default.

        Raises:
            ConfigError: for a limit that is not a number, or an unknown kind of index.
        """
        default = cls()
        key_file = environment.get(KEY_FILE, "").strip()
        return cls(
            data_dir=Path(environment.get("COLDLENS_DATA_DIR") or default.data_dir),
            dataset=environment.get("COLDLENS_DATASET") or default.dataset,
            encoder=environment.get("COLDLENS_ENCODER") or default.encoder,
            audio_encoder=environment.get("COLDLENS_AUDIO_ENCODER") or default.audio_encoder,
            device=environment.get("COLDLENS_DEVICE") or default.device,
            precision=environment.get("COLDLENS_PRECISION") or default.precision,
            background=environment.get("COLDLENS_BACKGROUND", "").lower() not in ("off", "no", "false", "0"),
            limits=Limits.from_environment(environment),
            image_encoder=environment.get("COLDLENS_IMAGE_ENCODER") or default.image_encoder,
            fetch_images=environment.get("COLDLENS_FETCH_IMAGES", "").lower() in ("on", "yes", "true", "1"),
            milvus=environment.get("COLDLENS_MILVUS", "").strip(),
            index=_index_of(environment.get("COLDLENS_INDEX", "").strip() or default.index),
            profile_in_link=environment.get("COLDLENS_PROFILE_IN_LINK", "").lower() not in ("off", "no", "false", "0"),
            unused=_listed(environment.get("COLDLENS_UNUSED", "")),
            users=_listed(environment.get("COLDLENS_USERS", "").lower()),
            key=environment.get(KEY, "").strip(),
            key_file=Path(key_file) if key_file else None,
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _index_of(name: str) -> str:
    if name not in INDEXES:
        raise ConfigError(
            "This kind of index does not exist", name, fix=f"Set COLDLENS_INDEX to one of: {', '.join(INDEXES)}."
        )
    return name

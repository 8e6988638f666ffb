"""Which device computes, in which precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recsys.errors import ConfigError

if TYPE_CHECKING:
    import torch

PRECISIONS = ("float32", "bfloat16", "float16", "int8")


def choose_device(wanted: str = "auto") -> "torch.device":
    """Returns the wanted device; ``auto`` takes cuda, then mps, then cpu.

    Raises:
        ConfigError: if torch does not know the device, or it is not there.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    unavailable = ConfigError("The device is not available", wanted, fix="Use auto, cpu, cuda or mps.")
    if wanted.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise unavailable
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):  # AssertionError: a torch built without CUDA
        raise unavailable from None
    return device


def choose_precision(wanted: str, device: "torch.device") -> str:
    """Returns the precision for encoding catalogs; ``auto`` takes bfloat16 where the device computes in it natively.

    It never takes int8, which moves rankings a little.

    Raises:
        ConfigError: for an unknown precision, or one that the device does not compute in.
    """
    import torch

    if wanted not in (*PRECISIONS, "auto"):
        raise ConfigError("The precision is unknown", wanted, fix=f"Use auto, {', '.join(PRECISIONS)}.")
    if wanted == "int8" and device.type != "cpu":
        fix = "Use bfloat16 or float16 there, or the device cpu."
        raise ConfigError("Catalogs are encoded in int8 on a processor only", str(device), fix=fix)
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "float32"
    return "float32"


def describe(device: "torch.device", precision: str) -> str:
    """Returns for example ``cuda: NVIDIA H100, bfloat16`` or ``cpu, 2 threads, bfloat16``."""
    import torch

    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}, {precision}"
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return f"{device.type}{threads}, {precision}"


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Lets torch compute on one thread inside the block, if wanted; the caller makes sure that blocks do not overlap."""
    import torch

    if not wanted:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

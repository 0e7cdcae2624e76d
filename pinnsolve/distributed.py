"""Several processes that share the rows of one least-squares system, over torch.distributed.

Every process holds all parameters and the rows of its own shard. What the optimiser needs of all
rows are sums: J^T J, J^T r, the loss. Every process sums, then takes the same step.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor


class LostProcessError(RuntimeError):
    """Another process died, or did not answer in time."""


@dataclass(frozen=True)
class Reduction:
    """How processes that share the rows of a system add up.

    Attributes:
        rank: This process, from 0.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def alone(cls) -> Reduction:
        """Return the reduction of one process: the identity."""
        return cls()

    def sum(self, tensor: Tensor) -> Tensor:
        """Add up a contiguous tensor over all processes, in place, and return it.

        Every process gets the same bits.

        Raises:
            LostProcessError: If another process died or does not answer.
        """
        if self.size == 1:
            return tensor
        import torch.distributed as dist

        return self._checked(dist.all_reduce, tensor)

    def agreed(self, tensor: Tensor) -> Tensor:
        """Overwrite a contiguous tensor by that of rank 0, in place, and return it.

        Processes that compute the same thing on different machines may differ in the last bit;
        what decides on the next step must not.

        Raises:
            LostProcessError: If another process died or does not answer.
        """
        if self.size == 1:
            return tensor
        import torch.distributed as dist

        return self._checked(lambda t: dist.broadcast(t, src=0), tensor)

    def largest(self, tensor: Tensor) -> Tensor:
        """Overwrite a contiguous tensor by its elementwise maximum over all processes, and return it.

        Raises:
            LostProcessError: If another process died or does not answer.
        """
        if self.size == 1:
            return tensor
        import torch.distributed as dist

        return self._checked(lambda t: dist.all_reduce(t, op=dist.ReduceOp.MAX), tensor)

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all processes, which have the same shape, in the order of their ranks.

        Raises:
            LostProcessError: If another process died or does not answer.
        """
        if self.size == 1:
            return [tensor]
        import torch.distributed as dist

        everyone = [torch.empty_like(tensor) for _ in range(self.size)]
        self._checked(lambda t: dist.all_gather(everyone, t), tensor)
        return everyone

    def agreed_number(self, value: float) -> float:
        """Return the number of rank 0, such as its time.

        Raises:
            LostProcessError: If another process died or does not answer.
        """
        return float(self.agreed(torch.tensor(value, dtype=torch.float64, device="cpu")))

    def _checked(self, collective: Callable[[Tensor], object], tensor: Tensor) -> Tensor:
        try:
            collective(tensor)
            if tensor.is_cuda:
                torch.cuda.current_stream(tensor.device).synchronize()
        except RuntimeError as error:
            raise LostProcessError(
                f"process {self.rank} of {self.size} lost contact to another one: {error}"
            ) from error
        return tensor


ALONE = Reduction.alone()
"""One process."""


def process_rank(environment: Mapping[str, str] = os.environ) -> int:
    """Return which process this is, from 0: the variable RANK that ``torchrun`` sets, or 0.

    Args:
        environment: The environment variables.

    Raises:
        ValueError: If the variables contradict each other.
    """
    place = _place(environment)
    return 0 if place is None else place[0]


def process_count(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many processes there are, by the variable WORLD_SIZE that ``torchrun`` sets, or 1."""
    place = _place(environment)
    return 1 if place is None else place[1]


@contextmanager
def process_group(device: torch.device, *, timeout: float = 60.0) -> Iterator[Reduction]:
    """Join the processes that ``torchrun`` started; alone if it did not.

    Gloo connects CPUs, NCCL connects GPUs as well: there, process number LOCAL_RANK of a machine takes the
    GPU of that number. A group that was made before is used; a new one stays until the process ends,
    since processes that leave and join again at different times would miss each other.

    Args:
        device: Where the tensors to be summed live.
        timeout: Time in s after which a process that does not answer counts as lost.

    Raises:
        ValueError: If the environment variables contradict each other, or timeout is not positive.
        LostProcessError: If the other processes do not come.
    """
    if not timeout > 0.0:
        raise ValueError(f"timeout must be > 0 s, got {timeout}")
    place = _place(os.environ)
    if place is None:
        yield ALONE
        return
    import torch.distributed as dist

    if dist.is_initialized():
        yield Reduction(dist.get_rank(), dist.get_world_size())
        return
    rank, size = place
    if device.type == "cuda":
        # without this a lost process ends the others without a word
        os.environ.setdefault("TORCH_NCCL_BLOCKING_WAIT", "1")
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
            rank=rank,
            world_size=size,
            timeout=timedelta(seconds=timeout),
        )
    except RuntimeError as error:
        raise LostProcessError(
            f"process {rank} of {size} could not reach the others in {timeout:g} s: {error}"
        ) from error
    atexit.register(dist.destroy_process_group)
    yield Reduction(rank, size)


def _place(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Return (rank, size) from the variables that ``torchrun`` sets, or None for one process."""
    size = _whole(environment, "WORLD_SIZE", "1")
    if size <= 1:
        return None
    needed = ("RANK", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in needed if not environment.get(name)]
    if missing:
        raise ValueError(
            f"WORLD_SIZE={size} asks for several processes, but {', '.join(missing)} is not set; "
            "start with torchrun, or unset WORLD_SIZE"
        )
    rank = _whole(environment, "RANK", "0")
    if not 0 <= rank < size:
        raise ValueError(f"RANK must lie in [0, WORLD_SIZE), got {rank} with WORLD_SIZE={size}")
    return rank, size


def _whole(environment: Mapping[str, str], name: str, default: str) -> int:
    text = environment.get(name, default)
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(
            f"the environment variable {name} must be a whole number, got {text!r}; "
            "start with torchrun, or unset it"
        ) from error

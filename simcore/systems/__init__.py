"""The simulated systems; importing this package registers them all."""

from simcore.systems.hermes.dense import HermesBase
from simcore.systems.hermes.host import HermesHost
from simcore.systems.hermes.system import Hermes
from simcore.systems.offload.accelerate import Accelerate
from simcore.systems.offload.dejavu import DejaVu
from simcore.systems.offload.flexgen import FlexGen
from simcore.systems.tensor_parallel.system import TensorRtLlm

__all__ = ["Accelerate", "DejaVu", "FlexGen", "Hermes", "HermesBase", "HermesHost", "TensorRtLlm"]

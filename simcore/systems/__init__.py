"""The simulated systems; importing this package registers them all."""

# Lists show systems in the order of registration: those of two papers, then the others.
from simcore.systems.hermes.system import Hermes

# isort: split
from simcore.systems.hybridserve.system import HybridServe

# isort: split
from simcore.systems.h2m2.system import H2M2
from simcore.systems.hermes.dense import HermesBase
from simcore.systems.hermes.host import HermesHost
from simcore.systems.hybridserve.flexgen import FlexGenZigZag
from simcore.systems.hybridserve.resident_kv import DeepSpeed, VllmSwap
from simcore.systems.l3.system import L3, CpuOffload, GpuOnly, HbmPimSystem
from simcore.systems.offload.accelerate import Accelerate
from simcore.systems.offload.dejavu import DejaVu
from simcore.systems.offload.flexgen import FlexGen
from simcore.systems.plugins import load_plugins
from simcore.systems.tensor_parallel.system import TensorRtLlm

__all__ = [
    "H2M2",
    "L3",
    "Accelerate",
    "CpuOffload",
    "DeepSpeed",
    "DejaVu",
    "FlexGen",
    "FlexGenZigZag",
    "GpuOnly",
    "HbmPimSystem",
    "Hermes",
    "HermesBase",
    "HermesHost",
    "HybridServe",
    "TensorRtLlm",
    "VllmSwap",
]

load_plugins()

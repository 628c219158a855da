"""The simulated systems; importing this package registers them all."""

from simcore.systems.hermes.dense import HermesBase
from simcore.systems.hermes.host import HermesHost
from simcore.systems.hermes.system import Hermes

__all__ = ["Hermes", "HermesBase", "HermesHost"]

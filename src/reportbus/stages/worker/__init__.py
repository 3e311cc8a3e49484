"""The worker: it claims due tasks, has the stages' threads do them, and records the answers."""

from reportbus.stages.worker.absence import Absence
from reportbus.stages.worker.crew import StageThread
from reportbus.stages.worker.loop import Worker
from reportbus.stages.worker.terms import Hold, Places, Rhythm, StageRunner

__all__ = ["Absence", "Hold", "Places", "Rhythm", "StageRunner", "StageThread", "Worker"]

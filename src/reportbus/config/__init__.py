"""The configuration: files and environment, read once into frozen settings. Nothing else reads them.

`load` gives the settings, or refuses with every problem at once; `options` lists everything that can be set.
"""

from __future__ import annotations

from reportbus.config.effective import Effective
from reportbus.config.listing import Option, options
from reportbus.config.loading import load
from reportbus.config.problems import ConfigurationRefused
from reportbus.config.reports import ReportFile
from reportbus.config.settings import Settings

__all__ = ["ConfigurationRefused", "Effective", "Option", "ReportFile", "Settings", "load", "options"]

"""The tasks: one file each, with its four parts."""

from .._lazy import attach as _attach

TASKS: dict[str, str] = {
    "AnomalyDetector": ".anomaly",
    "Autoencoder": ".autoencoder",
    "Dialogue": ".dialogue",
    "Forecaster": ".forecasting",
    "LanguageModel": ".language_model",
    "SequenceClassifier": ".classification",
    "SequenceRegressor": ".regression",
    "SequenceTagger": ".tagging",
    "Translator": ".translation",
}
"""Name of each task to its file: what the command line offers and a saved model may name."""

__getattr__, __dir__, __all__ = _attach(__name__, {**TASKS, "load": ".loading"})

"""Torch modules: recurrent layers of any cell, and the drop-ins for torch's own."""

from .._lazy import attach as _attach

_NAMES = {
    "GRU": ".gru",
    "LSTM": ".lstm",
    "AdditiveAttention": ".attention",
    "Attention": ".attention",
    "AttentionPooling": ".pooling",
    "ConvRecurrent": ".conv_recurrent",
    "EmbeddingDropout": ".regularizers",
    "Encoder": ".encoder",
    "EncoderDecoder": ".encoder_decoder",
    "Forest": ".forest",
    "GridLSTM": ".grid",
    "HierarchicalEncoder": ".hierarchical",
    "HybridBlock": ".hybrid",
    "LocalAttention": ".attention_local",
    "LockedDropout": ".regularizers",
    "MatrixLSTM": ".matrix_lstm",
    "MinGRU": ".minimal",
    "MinLSTM": ".minimal",
    "Mogrifier": ".mogrifier",
    "MultiHeadAttention": ".attention_heads",
    "MultiplicativeAttention": ".attention",
    "Pooling": ".pooling",
    "PyramidRecurrent": ".pyramid",
    "Recurrent": ".recurrent",
    "RecurrentDecoder": ".recurrent_decoder",
    "Scheme": ".schemes",
    "SequenceAutoencoder": ".autoencoder",
    "Stacked": ".stacked",
    "Stream": ".stream",
    "TreeLSTM": ".tree",
    "VariationalSequenceAutoencoder": ".autoencoder",
    "WindowedAttention": ".attention_window",
    "linear_scan": ".scan",
    "log_linear_scan": ".scan",
    "weight_noise": ".regularizers",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)

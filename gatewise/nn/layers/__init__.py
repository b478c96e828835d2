"""Any cell over time: `Recurrent`, the drop-ins for torch's layers, and the spec of both."""

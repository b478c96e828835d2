"""A forecaster's data: a panel to scaled windows and back."""

"""Global gradient boosting."""

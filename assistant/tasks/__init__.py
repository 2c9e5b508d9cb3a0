"""Tasks that the assistant does for customers: declared in YAML, confirmed by the customer, done once, read back."""

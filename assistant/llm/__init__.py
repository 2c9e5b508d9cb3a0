"""Models: embedders, OpenAI-compatible chat, and their test doubles."""

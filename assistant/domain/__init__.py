"""The words of the product as frozen dataclasses; the standard library only."""

"""Watches from the side: replays cases through the same assistant and scores them."""

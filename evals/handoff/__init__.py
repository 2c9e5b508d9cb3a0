"""The small model that hears requests for a person and moods: its turns, its training, its measures."""

"""Live user state from the business systems, behind one port."""

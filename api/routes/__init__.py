"""The routes, one module a subject, and what they share."""

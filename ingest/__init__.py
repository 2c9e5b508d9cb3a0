"""Reads articles and transcripts, cleans them, and keeps the knowledge records and indexes in step."""

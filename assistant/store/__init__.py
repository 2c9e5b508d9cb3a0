"""Where records and indexes live: SQL, Chroma and BM25."""

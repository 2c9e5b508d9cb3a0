"""The assistant's core: domain, ports, retrieval, answering and the desk's use cases."""

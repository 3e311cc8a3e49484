"""PDF files, written page by page: what is drawn leaves memory with its page."""

"""API v4: its frame and its operations."""

"""Requests of hostile shape to every route: none may end in a failure of the server."""

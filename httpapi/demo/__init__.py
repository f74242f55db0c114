"""The demo tracks: composed, played, painted and encoded by the project itself."""

"""Chat robots: how each kind wants to be told, and what its answers mean. Nothing here sends."""

"""The pure rules of the door: what a request may say, and whether it is covered."""

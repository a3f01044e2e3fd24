"""The GIMPs of a machine: where they and their users' folders are, how one is run, and what it answers."""

"""From plans to patched text: the generated class, where its wrapper is made, and the edits."""

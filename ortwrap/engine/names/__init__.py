"""What names refer to: scopes, classes, functions, and the definitions in other files."""

"""Small modules whose forward does odd things, each trained beside eager: see `__main__`."""

"""One case, trained by Foldwise and in three other ways: a module each, with one function."""

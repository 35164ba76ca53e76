"""Do the tests of the pure rooms notice small mistakes? `nox -s mutation` makes some and looks."""

"""Generation of modules with typed classes from case templates. Pure: models in, source code out."""

"""The providers: one module each, chosen by ``Claims__Provider``."""

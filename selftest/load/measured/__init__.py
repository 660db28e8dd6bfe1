"""The measurements of a load run: samples, statistics, validity, and the file that stores them."""

"""What a load run measured: samples, their statistics, whether they can be believed, and the file that keeps them."""

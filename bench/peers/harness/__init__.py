"""What the jobs of bench/peers/compare share. Standard library only."""

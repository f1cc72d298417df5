"""Several trainings at a time: local processes, Ray and SLURM."""

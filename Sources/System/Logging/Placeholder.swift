// Placeholder until the first file of Logging lands.

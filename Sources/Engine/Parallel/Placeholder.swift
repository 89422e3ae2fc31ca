// Placeholder until the first file of Parallel lands.

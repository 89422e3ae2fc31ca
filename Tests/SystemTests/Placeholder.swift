// Placeholder until the first file of SystemTests lands.

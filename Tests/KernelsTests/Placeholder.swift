// Placeholder until the first file of KernelsTests lands.

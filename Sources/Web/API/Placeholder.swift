// Placeholder until the first file of API lands.

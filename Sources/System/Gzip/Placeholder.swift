// Placeholder until the first file of Gzip lands.

// Placeholder until the first file of RunFolder lands.

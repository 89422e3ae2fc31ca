// Placeholder until the first file of Worker lands.

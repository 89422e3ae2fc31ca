// Placeholder until the first file of EndToEndTests lands.

// Placeholder until the first file of APITests lands.

// Placeholder until the first file of HTTPServerTests lands.

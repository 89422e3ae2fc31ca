// Placeholder until the first file of JobModelTests lands.

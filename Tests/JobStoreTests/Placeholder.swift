// Placeholder until the first file of JobStoreTests lands.

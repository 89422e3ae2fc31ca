// Placeholder until the first file of DatasetsTests lands.
